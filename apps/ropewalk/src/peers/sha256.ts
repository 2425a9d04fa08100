/**
 * SHA-256 of what comes in pieces. What each of thousands of small files would need of the system's library lies about until it is collected: of
 * what is small and comes in one piece nothing is begun before its end.
 *
 * @module
 */
import { createHash, hash, type Hash } from 'node:crypto'
import type { RunningHash } from '@ropewalk/interface'
import type { ContentHash, Sha256 } from '@ropewalk/protocol-warpdrive'

/** A first piece up to this is kept until it is known whether more follows. Ours: most small files come whole in one record of TLS. */
const KEPT_BYTES = 16_384

export function sha256 (): RunningHash {
  let running: Hash | undefined
  let [memory, first]: Array<Uint8Array | undefined> = []
  return {
    update: bytes => {
      if (running === undefined && first === undefined && bytes.length <= KEPT_BYTES) {
        memory = SPARE.pop() ?? new Uint8Array(KEPT_BYTES)
        first = memory.subarray(0, bytes.length)
        first.set(bytes)
        return
      }
      running ??= createHash('sha256').update(first ?? NOTHING)
      first = undefined
      running.update(bytes)
    },
    digest: () => {
      const digest = new Uint8Array(running === undefined ? hash('sha256', first ?? NOTHING, 'buffer') : running.digest())
      if (memory !== undefined && SPARE.length < SPARE_ITEMS) SPARE.push(memory)
      memory = undefined
      return digest
    }
  }
}

/** Of less than so many bytes it takes longer to hand them over than to hash them. Ours. */
const HANDED_OVER_BYTES = 262_144

/** A digest that begins with enough in memory that threads share is made by `thread`. */
export function sha256By (thread: () => ContentHash): Sha256 {
  return () => {
    const here = sha256()
    let begun: ContentHash | undefined
    return {
      update: bytes => (begun ??= bytes.buffer instanceof SharedArrayBuffer && bytes.length >= HANDED_OVER_BYTES ? thread() : here).update(bytes),
      digest: () => (begun ?? here).digest()
    }
  }
}

/** What first pieces were kept in, for the next. Ours: more are not under way at a time. */
const SPARE: Uint8Array[] = []
const SPARE_ITEMS = 16

const NOTHING: Uint8Array = new Uint8Array(0)
