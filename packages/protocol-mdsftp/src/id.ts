import { toHex } from '@ropewalk/framing'
import type { Id } from '@ropewalk/muxer-mdsftp'

/** A random id (UUID version 4) as 32 hex digits. Ids are what lets a peer reach a chunk: they must not be guessable. */
export function randomId (): Id {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] as number) & 0x0f | 0x40
  bytes[8] = (bytes[8] as number) & 0x3f | 0x80
  return toHex(bytes)
}
