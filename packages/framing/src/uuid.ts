import { FramingError } from './errors.ts'
import { fromHex, toHex } from './hex.ts'

const UUID_BYTES = 16

const SHAPE = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** The text of a UUID: `8-4-4-4-12` lower-case hex digits, the bytes in their order. */
export function formatUuid (bytes: Uint8Array): string {
  if (bytes.length !== UUID_BYTES) throw new RangeError(`wrong size for a UUID: ${bytes.length} instead of ${UUID_BYTES} bytes`)
  const hex = toHex(bytes)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The 16 bytes of a UUID of any version, its text hyphenated and in either case. `ERR_BAD_UUID` otherwise. */
export function parseUuid (text: string): Uint8Array {
  if (!SHAPE.test(text)) throw new FramingError('ERR_BAD_UUID', `not a UUID: ${text.length} characters that are not 8-4-4-4-12 hex digits`)
  return fromHex(text.replaceAll('-', ''))
}
