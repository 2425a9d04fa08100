import { toHex } from '@ropewalk/framing'
import type { Id } from '@ropewalk/muxer-mdsftp'

/** A random id (UUID version 4) as 32 hex digits. Ids are what lets a peer reach a chunk: they must not be guessable. */
export function randomId (): Id {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] as number) & 0x0f | 0x40
  bytes[8] = (bytes[8] as number) & 0x3f | 0x80
  return toHex(bytes)
}

/** How many ids in a row share their first byte. Ours. */
const NEIGHBOURS = 256

/**
 * Makes random ids that share their first byte for a while. A store that sorts what it keeps by that byte then has one
 * folder to sync for many at once. What is left is 114 random bits: nobody guesses that either.
 */
export function neighbours (): () => Id {
  let made = 0
  let first = ''
  return () => {
    const id = randomId()
    if (made++ % NEIGHBOURS === 0) first = id.slice(0, 2)
    return first + id.slice(2)
  }
}
