/**
 * A thread of an outlet: puts chunks into their places.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Placing, type Place, type PlacingOptions } from './placing.ts'
import { refusalOf } from './threads.ts'

export interface OutletQuestion {
  readonly places: readonly Place[]
  /** Where those lie that are packed. */
  readonly data?: SharedArrayBuffer | undefined
}

export interface OutletAnswer {
  /** For each place, whether the chunk is there. */
  readonly placed: readonly boolean[]
}

const placing = new Placing(workerData as PlacingOptions)

parentPort?.on('message', ({ places, data }: OutletQuestion) => {
  try {
    const placed = placing.place(places, data === undefined ? undefined : new Uint8Array(data))
    parentPort?.postMessage({ placed } satisfies OutletAnswer)
  } catch (error) {
    parentPort?.postMessage(refusalOf(error))
  }
})
