/**
 * Lends chunks as they are kept, to whoever passes them on: the first ones at once, and those after them by threads, so that whoever sends need not read.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import type { AbortOptions, ChunkId, LentBytes } from '@ropewalk/interface'
import { LENDING_BATCH_CHUNKS, LENDING_SLABS, LENT_AT_ONCE, MAX_INTAKE_CHUNK_BYTES } from './constants.ts'
import type { PassingAnswer, PassingQuestion } from './passing-thread.ts'
import { NO_ROOM, Passing, type PassingOptions } from './passing.ts'
import { mostCompressed } from './read-chunk.ts'
import { shared, Threads } from './threads.ts'

/** Room for several chunks, one behind the other. It is filled again once all of them were given back. */
interface Slab {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  filled: number
  lent: number
}

interface Asked {
  readonly id: ChunkId
  resolve (lent: LentBytes | undefined): void
  reject (error: unknown): void
}

export class Lending {
  readonly #options: PassingOptions
  readonly #passing: Passing
  readonly #asked: Asked[] = []
  readonly #free: Slab[] = []
  #slabs = 0
  /** For those that are read at once, of which so many are left. */
  #first: Slab | undefined
  #left = LENT_AT_ONCE
  #threads: Threads | undefined
  #turn: NodeJS.Immediate | undefined
  #closed = false

  constructor (options: PassingOptions) {
    this.#options = options
    this.#passing = new Passing(options)
  }

  /** The chunk, compressed with zstd. `undefined` when it is not as it should be, or longer than 2 MiB. Waits while all the memory for it is lent. */
  async lend (id: ChunkId, { signal }: AbortOptions = {}): Promise<LentBytes | undefined> {
    if (this.#left > 0) {
      this.#left--
      this.#first ??= empty()
      const length = this.#passing.read(id, this.#first.bytes.subarray(this.#first.filled))
      if (length !== NO_ROOM) return this.#lent(this.#first, length)
    }
    if (this.#closed) return undefined
    let onAbort: (() => void) | undefined
    try {
      return await new Promise((resolve, reject) => {
        const asked = { id, resolve, reject }
        this.#asked.push(asked)
        onAbort = () => {
          if (this.#asked.includes(asked)) this.#asked.splice(this.#asked.indexOf(asked), 1)
          reject(signal?.reason as Error)
        }
        signal?.addEventListener('abort', onAbort)
        this.#turn ??= setImmediate(() => { this.#send() })
      })
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    }
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#threads?.close()
    for (const { resolve } of this.#asked.splice(0)) resolve(undefined)
  }

  #take (): Slab | undefined {
    const free = this.#free.pop()
    if (free !== undefined || this.#slabs >= LENDING_SLABS) return free
    this.#slabs++
    return empty()
  }

  #send (): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    if (this.#closed) return
    this.#threads ??= new Threads('passing-thread', Math.min(MAX_LENDING_THREADS, availableParallelism()), this.#options)
    // What is asked for while threads are at work goes together.
    while (this.#asked.length > 0 && (this.#asked.length >= LENDING_BATCH_CHUNKS || this.#threads.isWorth(this.#asked.length >= LENDING_BATCH_CHUNKS / 2))) {
      const slab = this.#take()
      if (slab === undefined) return
      void this.#fill(slab, this.#asked.splice(0, LENDING_BATCH_CHUNKS), this.#threads)
    }
  }

  async #fill (slab: Slab, asked: readonly Asked[], threads: Threads): Promise<void> {
    // Until all of them are told it must not be filled again.
    slab.lent = 1
    try {
      const { lengths } = await threads.ask<PassingAnswer>({ ids: asked.map(({ id }) => id), room: slab.bytes.buffer } satisfies PassingQuestion)
      // The first has all the room, and is longer than it may be if that does not do.
      if (lengths.length === 0) asked[0]?.resolve(undefined)
      for (const [i, length] of lengths.entries()) asked[i]?.resolve(this.#lent(slab, length))
      this.#asked.unshift(...asked.slice(Math.max(1, lengths.length)))
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
    this.#release(slab)
    this.#send()
  }

  #lent (slab: Slab, length: number): LentBytes | undefined {
    if (length === 0) return undefined
    const bytes = slab.bytes.subarray(slab.filled, slab.filled += length)
    slab.lent++
    return { bytes, release: () => { this.#release(slab) } }
  }

  #release (slab: Slab): void {
    if (--slab.lent > 0) return
    slab.filled = 0
    if (slab === this.#first) return
    this.#free.push(slab)
    if (this.#asked.length > 0) this.#turn ??= setImmediate(() => { this.#send() })
  }
}

function empty (): Slab {
  return { bytes: shared(mostCompressed(MAX_INTAKE_CHUNK_BYTES)), filled: 0, lent: 0 }
}

/** Ours. */
const MAX_LENDING_THREADS = 2
