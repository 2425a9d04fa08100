/**
 * Whether what is stored is what was uploaded: on demand, and in the background at a bounded rate. The wire carries no
 * checksum, so a disk that gives back other bytes than it took is noticed here or nowhere.
 *
 * @module
 */
import { TokenBucket } from '@ropewalk/flow'
import type { AbortOptions, RunningHash } from '@ropewalk/interface'
import type { Id } from '@ropewalk/muxer-mdsftp'
import type { Clock } from './clock.ts'
import { SCRUB_BATCH, SCRUB_BYTES_PER_SECOND, SCRUB_EVERY_MS, SCRUB_READ_BYTES, SWEEP_MS } from './constants.ts'
import { hexOf } from './incoming.ts'
import type { StorageNode } from './node.ts'

export interface Verified {
  readonly chunkId: Id
  /**
   * `whole`: the bytes have the digest of when they came. `noted`: there was no digest, now there is. `damaged`: they have
   * another, or cannot be read; the chunk is not served any more. `absent`: there is no such committed chunk.
   */
  readonly outcome: 'whole' | 'noted' | 'damaged' | 'absent'
  /** Bytes read. */
  readonly bytes: number
  /** Why it could not be read. */
  readonly cause?: unknown
}

export interface VerifyOptions extends AbortOptions {
  /** Called before so many bytes are read: wait to be slow. */
  pace?: ((bytes: number) => Promise<void>) | undefined
}

/** Reads a committed chunk and compares its digest. The node must have a `hasher`. */
export async function verify (node: StorageNode, chunkId: Id, options: VerifyOptions = {}): Promise<Verified> {
  const hash = hasherOf(node)()
  await node.ready
  const entry = await node.ledger.get(chunkId)
  if (entry?.state !== 'committed') return { chunkId, outcome: 'absent', bytes: 0 }
  let bytes = 0
  try {
    const reader = await node.store.read(chunkId)
    try {
      const buffer = new Uint8Array(Math.min(SCRUB_READ_BYTES, Math.max(1, reader.size)))
      for (;;) {
        options.signal?.throwIfAborted()
        await options.pace?.(Math.min(buffer.length, reader.size - bytes))
        const read = await reader.read(buffer, bytes)
        if (read === 0) break
        hash.update(buffer.subarray(0, read))
        bytes += read
      }
    } finally {
      await reader.close()
    }
  } catch (cause) {
    options.signal?.throwIfAborted()
    return await damaged(cause)
  }
  const sha256 = hexOf(await hash.digest())
  if (bytes !== entry.size || (entry.sha256 !== undefined && sha256 !== entry.sha256)) return await damaged(undefined)
  node.damaged.delete(chunkId)
  if (entry.sha256 !== undefined) return { chunkId, outcome: 'whole', bytes }
  await node.ledger.digest(chunkId, sha256, { lasting: true })
  return { chunkId, outcome: 'noted', bytes }

  /** Unless it was removed while it was read: then it is gone, and not damaged. */
  async function damaged (cause: unknown): Promise<Verified> {
    if ((await node.ledger.get(chunkId))?.state !== 'committed') return { chunkId, outcome: 'absent', bytes }
    node.damaged.add(chunkId)
    return { chunkId, outcome: 'damaged', bytes, cause }
  }
}

export interface ScrubOptions extends AbortOptions {
  /** Bytes read a second. Default 8 MiB. */
  bytesPerSecond?: number | undefined
  /** For tests. */
  clock?: Clock | undefined
}

/** Verifies every committed chunk once, no faster than its rate. */
export async function * scrub (node: StorageNode, options: ScrubOptions = {}): AsyncGenerator<Verified, void, undefined> {
  hasherOf(node)
  const { bytesPerSecond = SCRUB_BYTES_PER_SECOND, clock = node.clock, signal } = options
  const bucket = new TokenBucket({ ratePerSecond: bytesPerSecond, burst: bytesPerSecond })
  const pace = async (bytes: number): Promise<void> => {
    for (let wait = bucket.take(bytes, clock.now()); wait > 0; wait = bucket.take(bytes, clock.now())) await pause(clock, wait, signal)
  }
  await node.ready
  for (let page = await node.ledger.page('', SCRUB_BATCH); page.length > 0; page = await node.ledger.page(page.at(-1)?.id ?? '', SCRUB_BATCH)) {
    for (const { id, state } of page) if (state === 'committed') yield await verify(node, id, { signal, pace })
  }
}

export interface MaintainOptions extends ScrubOptions {
  /** How often what is over is removed. Default 300 s. */
  sweepMs?: number | undefined
  /** From the end of one pass over all chunks to the next. Default a week; Infinity for none. */
  scrubEveryMs?: number | undefined
  /** Told of each chunk that was verified. */
  onVerified?: ((verified: Verified) => void) | undefined
}

/** What a node does while nobody asks: removes what is over, and verifies what it has if it has a `hasher`. Until the signal aborts. */
export async function maintain (node: StorageNode, options: MaintainOptions & { signal: AbortSignal }): Promise<void> {
  const { signal, clock = node.clock, sweepMs = SWEEP_MS, scrubEveryMs = SCRUB_EVERY_MS, onVerified } = options
  const loops = [every(sweepMs, async () => await node.sweep())]
  if (node.hasher !== undefined && scrubEveryMs < Infinity) {
    loops.push(every(scrubEveryMs, async () => {
      for await (const verified of scrub(node, { ...options, clock })) onVerified?.(verified)
    }))
  }
  await Promise.all(loops)

  /** A store or ledger that fails is tried again the next time: whoever uses the node hears of it. */
  async function every (ms: number, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await pause(clock, ms, signal).then(work).catch(() => {})
    }
  }
}

function hasherOf ({ hasher }: StorageNode): () => RunningHash {
  if (hasher === undefined) throw new TypeError('a node without a hasher has no digests to compare')
  return hasher
}

function pause (clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    const abort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
