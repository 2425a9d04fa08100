/**
 * A thread that hashes what other threads cut into chunks, all of it as one.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { ChunkDigest } from '@ropewalk/interface'

/** More of it, in its order; or, without, that all has come. */
export interface HashingQuestion {
  readonly buffer?: SharedArrayBuffer
  readonly bytes?: number
}

export interface HashingAnswer {
  /** When all has come. */
  readonly digest?: string
}

const hash = createHash(workerData as ChunkDigest)

parentPort?.on('message', ({ buffer, bytes = 0 }: HashingQuestion) => {
  if (buffer !== undefined) hash.update(new Uint8Array(buffer, 0, bytes))
  parentPort?.postMessage((buffer === undefined ? { digest: hash.digest('hex') } : {}) satisfies HashingAnswer)
})
