/**
 * A thread that reads chunks for whoever passes them on, one behind the other into memory that both see.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { ChunkId } from '@ropewalk/interface'
import { NO_ROOM, Passing, type PassingOptions } from './passing.ts'

export interface PassingQuestion {
  readonly ids: readonly ChunkId[]
  /** Where what is in the chunks is wanted: how much that is of each. */
  readonly lengths: readonly number[] | undefined
  readonly room: SharedArrayBuffer
}

export interface PassingAnswer {
  /** Of each chunk, 0 where it is not as it should be. Those that had no room are missing at the end. */
  readonly lengths: readonly number[]
}

const passing = new Passing(workerData as PassingOptions)

parentPort?.on('message', ({ ids, lengths: wanted, room }: PassingQuestion) => {
  const bytes = new Uint8Array(room)
  const lengths: number[] = []
  let filled = 0
  for (const [i, id] of ids.entries()) {
    const rest = bytes.subarray(filled)
    const length = wanted === undefined ? passing.read(id, rest) : passing.readPlain(id, wanted[i] as number, rest)
    if (length === NO_ROOM) break
    lengths.push(length)
    filled += length
  }
  parentPort?.postMessage({ lengths } satisfies PassingAnswer)
})
