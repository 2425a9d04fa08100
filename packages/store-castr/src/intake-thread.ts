/**
 * A thread of an intake: keeps the chunks that lie one behind the other in a buffer.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Keeping, type KeepingOptions } from './keeping.ts'
import { refusalOf } from './threads.ts'

/** Chunks to keep, or, without them, what was kept to the disk. */
export interface IntakeQuestion {
  readonly buffer?: SharedArrayBuffer
  readonly lengths?: readonly number[]
}

export interface IntakeAnswer {
  readonly ids: readonly string[]
  readonly fresh: readonly boolean[]
  /** Where in a file each was written, if it was. */
  readonly places?: ReadonlyArray<number | undefined> | undefined
}

const keeping = new Keeping(workerData as KeepingOptions)

parentPort?.on('message', ({ buffer, lengths = [] }: IntakeQuestion) => {
  try {
    if (buffer === undefined) keeping.sync()
    const answer = { ids: [] as string[], fresh: [] as boolean[] }
    let at = 0
    for (const length of lengths) {
      const { id, fresh } = keeping.keep(new Uint8Array(buffer as SharedArrayBuffer, at, length))
      answer.ids.push(id)
      answer.fresh.push(fresh)
      at += length
    }
    parentPort?.postMessage(answer satisfies IntakeAnswer)
  } catch (error) {
    parentPort?.postMessage(refusalOf(error))
  }
})
