import { toHex } from '@ropewalk/framing'
import type { Hashes } from './ports.ts'

/** SHA-256 in lower-case hex, by whatever is fastest here. */
export function sha256Hex (hashes: Hashes, bytes: Uint8Array): string {
  return hashes.sha256Hex?.(bytes) ?? toHex(hashes.sha256(bytes))
}
