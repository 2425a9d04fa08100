/**
 * A thread of an inlet: verifies and keeps chunks as they came.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Keeping, type KeepingOptions } from './keeping.ts'
import type { OutletAnswer, OutletQuestion } from './outlet-thread.ts'
import { refusalOf } from './threads.ts'

const keeping = new Keeping(workerData as KeepingOptions)

parentPort?.on('message', ({ places, data }: OutletQuestion) => {
  try {
    // Without any, what was kept to the disk.
    if (places.length === 0) keeping.sync()
    const packed = new Uint8Array(data ?? new SharedArrayBuffer(0))
    const placed = places.map(({ id, length, from }) => {
      if (from === undefined || 'file' in from) return false
      return keeping.keepPacked(id, length, packed.subarray(from.at, from.at + from.bytes), from.compressed)
    })
    parentPort?.postMessage({ placed } satisfies OutletAnswer)
  } catch (error) {
    parentPort?.postMessage(refusalOf(error))
  }
})
