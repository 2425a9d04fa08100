import { FramingError } from './errors.ts'

const DIGITS: Uint8Array = Uint8Array.from('0123456789abcdef', digit => digit.charCodeAt(0))

/** Bytes whose digits are put together at a time: as arguments of one call. Ours; digests are no longer. */
const PIECE_BYTES = 64

/** Character codes, used again: what has one length mostly has it always. */
let codes: number[] = []

/** Lower-case hex digits, two a byte. */
export function toHex (bytes: Uint8Array): string {
  if (bytes.length <= PIECE_BYTES) return toDigits(bytes)
  let text = ''
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) text += toDigits(bytes.subarray(at, at + PIECE_BYTES))
  return text
}

/** Digit after digit would be twice as slow, and a text of a hundred parts, which has to be put together before anything is looked up by it. */
function toDigits (bytes: Uint8Array): string {
  if (codes.length !== 2 * bytes.length) codes = Array.from({ length: 2 * bytes.length }, () => 0)
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number
    codes[2 * index] = DIGITS[byte >> 4] as number
    codes[2 * index + 1] = DIGITS[byte & 15] as number
  }
  return String.fromCharCode.apply(undefined, codes)
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
