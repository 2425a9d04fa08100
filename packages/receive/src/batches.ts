/**
 * Small files that are there whole, on their way to the disk: one thread writes and syncs them, a batch at a time, from memory that is shared with it and
 * used again.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { BatchFile, BatchTold, BatchWork } from './batch-writing.ts'
import { BATCH_BYTES, BATCHES } from './constants.ts'
import { ReceiveError } from './errors.ts'

/** One of them, in a place that nothing has. */
export interface BatchItem extends Omit<BatchFile, 'begin' | 'end'> {
  /** At most `BATCH_BYTES`, of all items together. */
  readonly bytes: Uint8Array
}

/** Of the thread's heap: it holds names, and nothing for long. Ours. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 } as const

const THREAD: URL = new URL(`./batch-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

export class Batches {
  readonly #free: Uint8Array[] = []
  readonly #wanting: Array<() => void> = []
  /** What the thread was asked, oldest first. */
  readonly #asked: Array<PromiseWithResolvers<BatchTold>> = []
  #memories = 0
  #worker: Worker | undefined

  /** Resolves when each of them is on the disk, or could not be brought there: the index of those, and why. Before, the names `remove` are. */
  async write (folder: string, items: readonly BatchItem[], remove: readonly string[]): Promise<Map<number, Error>> {
    const memory = await this.#take()
    try {
      const room = Buffer.from(memory.buffer)
      let end = 0
      const files = items.map(({ bytes, ...file }): BatchFile => {
        // Copying to shared memory goes word by word, and filling does not.
        if (bytes.length > 0) room.fill(bytes, end, end + bytes.length)
        return { ...file, begin: end, end: end += bytes.length }
      })
      const told = await this.#ask({ memory, folder, files, remove })
      return new Map(told.map(({ index, code, message }) => [index, Object.assign(new Error(message), { code })]))
    } finally {
      this.#free.push(memory)
      this.#wanting.shift()?.()
    }
  }

  /** Nothing is under way any more. */
  async close (): Promise<void> {
    await this.#worker?.terminate()
  }

  async #take (): Promise<Uint8Array> {
    while (this.#free.length === 0 && this.#memories === BATCHES) await new Promise<void>(resolve => { this.#wanting.push(resolve) })
    const free = this.#free.pop()
    if (free !== undefined) return free
    this.#memories++
    return new Uint8Array(new SharedArrayBuffer(BATCH_BYTES))
  }

  async #ask (work: BatchWork): Promise<BatchTold> {
    const worker = this.#worker ??= this.#begin()
    const asked = Promise.withResolvers<BatchTold>()
    this.#asked.push(asked)
    worker.ref()
    worker.postMessage(work)
    return await asked.promise
  }

  #begin (): Worker {
    const worker = new Worker(THREAD, { resourceLimits: LIMITS })
    worker.on('message', (told: BatchTold) => {
      this.#asked.shift()?.resolve(told)
      // It need not keep a process that has nothing else to do.
      if (this.#asked.length === 0) worker.unref()
    })
    const end = (cause?: unknown): void => {
      // Another may have taken its place.
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#asked.splice(0)) reject(new ReceiveError('ERR_IO', 'the thread that writes small files has ended', { cause }))
    }
    worker.on('error', end)
    worker.on('exit', () => { end() })
    return worker
  }
}
