/**
 * Lends chunks as they are kept, to whoever passes them on, or what is in them, to whoever looks at it: the first ones at once, and those after them by threads, so that whoever sends need not read.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import type { ChunkDigest, ChunkGetOptions, ChunkId, LentBytes } from '@ropewalk/interface'
import { LENDING_BATCH_CHUNKS, LENDING_SLABS, LENT_AT_ONCE, MAX_INTAKE_CHUNK_BYTES, READING_BATCH_CHUNKS } from './constants.ts'
import { checkId } from './layout.ts'
import type { PassingAnswer, PassingQuestion } from './passing-thread.ts'
import { NO_ROOM, Passing, type PassingOptions } from './passing.ts'
import { mostCompressed } from './read-chunk.ts'
import { shared, Threads } from './threads.ts'

export interface ReaderOptions {
  /** What ids are made of. Default SHA-512/256. */
  digest?: ChunkDigest | undefined
}

export interface Reader {
  /** What is in the chunk, `length` bytes of it, verified. `undefined` when it is not there as zstd, or not as it should be, or longer than 2 MiB: `get` says more. Waits while all the memory for it is lent. */
  lend (id: ChunkId, options: ChunkGetOptions & { readonly length: number }): Promise<LentBytes | undefined>
  close (): Promise<void>
}

/** Room for several chunks, one behind the other. It is filled again once all of them were given back. */
interface Slab {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  filled: number
  lent: number
}

interface Asked {
  readonly id: ChunkId
  /** Of what is in it, where that is wanted. */
  readonly length: number | undefined
  /** Nobody waits for it any more. */
  gone: boolean
  resolve (lent: LentBytes | undefined): void
  reject (error: unknown): void
}

/** One listener for all who have the same signal. */
interface Watched {
  readonly waiting: Set<Asked>
  readonly onAbort: () => void
}

export class Lending implements Reader {
  readonly #options: PassingOptions
  readonly #passing: Passing
  readonly #asked: Asked[] = []
  readonly #watched = new Map<AbortSignal, Watched>()
  readonly #free: Slab[] = []
  #slabs = 0
  /** For those that are read at once, of which so many are left. */
  #first: Slab | undefined
  #left = LENT_AT_ONCE
  #threads: Threads | undefined
  #turn: NodeJS.Immediate | undefined
  #closed = false

  readonly #most: number

  /** With `threads` at most. */
  constructor (options: PassingOptions, threads: number = MAX_LENDING_THREADS) {
    this.#options = options
    this.#most = Math.min(MAX_LENDING_THREADS, threads, availableParallelism())
    this.#passing = new Passing(options)
  }

  /** The chunk, compressed with zstd; with `length`, what is in it. `undefined` when it is not as it should be, or longer than 2 MiB. Waits while all the memory for it is lent. */
  async lend (id: ChunkId, { length, signal }: ChunkGetOptions = {}): Promise<LentBytes | undefined> {
    checkId(id)
    signal?.throwIfAborted()
    if (this.#left > 0) {
      this.#left--
      this.#first ??= empty()
      const room = this.#first.bytes.subarray(this.#first.filled)
      const read = length === undefined ? this.#passing.read(id, room) : this.#passing.readPlain(id, length, room)
      if (read !== NO_ROOM) return this.#lent(this.#first, read)
    }
    if (this.#closed) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<LentBytes | undefined>()
    const asked: Asked = { id, length, gone: false, resolve, reject }
    this.#asked.push(asked)
    this.#turn ??= setImmediate(() => { this.#send() })
    if (signal === undefined) return await promise
    const watched = this.#watch(signal)
    watched.waiting.add(asked)
    try {
      return await promise
    } finally {
      watched.waiting.delete(asked)
      if (watched.waiting.size === 0) this.#unwatch(signal, watched)
    }
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#threads?.close()
    for (const { resolve } of this.#asked.splice(0)) resolve(undefined)
  }

  #watch (signal: AbortSignal): Watched {
    const before = this.#watched.get(signal)
    if (before !== undefined) return before
    const waiting = new Set<Asked>()
    const onAbort = (): void => {
      for (const asked of waiting) {
        asked.gone = true
        asked.reject(signal.reason)
      }
      this.#asked.splice(0, Infinity, ...this.#asked.filter(({ gone }) => !gone))
    }
    const watched = { waiting, onAbort }
    this.#watched.set(signal, watched)
    signal.addEventListener('abort', onAbort)
    return watched
  }

  #unwatch (signal: AbortSignal, { onAbort }: Watched): void {
    this.#watched.delete(signal)
    signal.removeEventListener('abort', onAbort)
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
    this.#threads ??= new Threads('passing-thread', this.#most, this.#options)
    // What is asked for while threads are at work goes together.
    const most = this.#asked[0]?.length === undefined ? LENDING_BATCH_CHUNKS : READING_BATCH_CHUNKS
    while (this.#asked.length > 0 && (this.#asked.length >= most || this.#threads.isWorth(this.#asked.length >= most / 2))) {
      const slab = this.#take()
      if (slab === undefined) return
      void this.#fill(slab, this.#asked.splice(0, this.#fitting(most, slab)), this.#threads)
    }
  }

  /** Of those that are asked for, as many as have room together, where that is known. */
  #fitting (most: number, { bytes }: Slab): number {
    let filled = 0
    const beyond = this.#asked.findIndex(({ length = 0 }, i) => i === most || (filled += length) >= bytes.length)
    return beyond === -1 ? most : Math.max(1, beyond)
  }

  async #fill (slab: Slab, asked: readonly Asked[], threads: Threads): Promise<void> {
    // Until all of them are told it must not be filled again.
    slab.lent = 1
    try {
      const wanted = asked.flatMap(({ length }) => length ?? [])
      const { lengths } = await threads.ask<PassingAnswer>({ ids: asked.map(({ id }) => id), lengths: wanted.length === asked.length ? wanted : undefined, room: slab.bytes.buffer } satisfies PassingQuestion)
      // The first has all the room, and is longer than it may be if that does not do.
      if (lengths.length === 0) asked[0]?.resolve(undefined)
      for (const [i, length] of lengths.entries()) {
        const lent = this.#lent(slab, length)
        if (asked[i]?.gone === true) lent?.release()
        else asked[i]?.resolve(lent)
      }
      this.#asked.unshift(...asked.slice(Math.max(1, lengths.length)).filter(({ gone }) => !gone))
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
