import { FramingError } from './errors.ts'

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hex digits, two a byte. */
export function toHex (bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += DIGITS[byte] as string
  return text
}

/** Bytes from hex digits of either case and nothing else. `ERR_BAD_HEX`, also when they are not `expectedBytes` many. */
export function fromHex (text: string, expectedBytes?: number): Uint8Array {
  if (expectedBytes !== undefined && text.length !== expectedBytes * 2) {
    throw new FramingError('ERR_BAD_HEX', `wrong number of hex digits: ${text.length} instead of ${expectedBytes * 2}`)
  }
  if (text.length % 2 !== 0) throw new FramingError('ERR_BAD_HEX', `odd number of hex digits: ${text.length}`)

  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = digit(text, index * 2) << 4 | digit(text, index * 2 + 1)
  }
  return bytes
}

function digit (text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x57
  throw new FramingError('ERR_BAD_HEX', `not a hex digit: character 0x${code.toString(16)} at ${index}`)
}
