/**
 * The way out of a store into a file: threads read, decompress, verify and write, so that no byte comes by here.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import { copyTo } from '@ropewalk/disk'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { MAX_INTAKE_CHUNK_BYTES, MAX_THREADS, OUTLET_BATCH_BYTES, OUTLET_BATCH_CHUNKS } from './constants.ts'
import { CastrError } from './errors.ts'
import { checkId } from './layout.ts'
import type { KeepingOptions } from './keeping.ts'
import type { OutletAnswer, OutletQuestion } from './outlet-thread.ts'
import type { PackedAt, Place, PlacingOptions } from './placing.ts'
import { mostCompressed } from './read-chunk.ts'
import { shared, Threads } from './threads.ts'

export interface OutletOptions {
  /** The file that is written to, open for it. It stays open until the outlet is closed. */
  file: number
  /** What ids are made of. Default SHA-512/256. */
  digest?: ChunkDigest | undefined
}

/** Where a chunk lies already: in a file that is open. */
export interface PlaceFrom {
  readonly file: number
  readonly position: number
}

/** A chunk as it came from somewhere else. */
export interface PlacePacked {
  readonly data: Uint8Array
  readonly compressed: boolean
}

export interface Outlet {
  /** Starts the threads, which takes them a while: for whoever knows that something will come, and has something else to do before. Otherwise the first question does. */
  begin (): void
  /**
   * Verifies the chunk and writes it to `position`. False when the store, or the file, does not have it there, or has it damaged, or compressed
   * otherwise than with zstd, or when it is longer than 2 MiB: then nothing was written, and `get` says more. Rejects when it cannot be written.
   */
  place (id: ChunkId, length: number, position: number, from?: PlaceFrom): Promise<boolean>
  /** The same with what came from elsewhere, which is copied before this returns. Resolves to nothing when it was written, and else to a copy of the data. */
  unpack (id: ChunkId, length: number, position: number, packed: PlacePacked): Promise<Uint8Array | undefined>
  close (): Promise<void>
}

interface Wanted {
  done (placed: boolean): void
  reject (error: unknown): void
}

/** What goes to a thread together. */
class Batch {
  readonly places: Place[] = []
  readonly wanted: Wanted[] = []
  bytes = 0
  /** What comes from elsewhere, one behind the other. */
  data: Uint8Array<SharedArrayBuffer> | undefined
  filled = 0

  get isMuch (): boolean {
    return this.bytes >= OUTLET_BATCH_BYTES / 4 || this.places.length >= OUTLET_BATCH_CHUNKS / 4
  }

  get isFull (): boolean {
    return this.bytes >= OUTLET_BATCH_BYTES || this.places.length >= OUTLET_BATCH_CHUNKS
  }
}

export class ThreadedOutlet implements Outlet {
  readonly #start: () => Threads
  /** Begun when there is something for them. */
  #threads: Threads | undefined
  /** Shared, which V8 does not count as garbage to come whenever one changes hands. */
  readonly #free: Array<Uint8Array<SharedArrayBuffer>> = []
  #batch = new Batch()
  #turn: NodeJS.Immediate | undefined
  #closed = false

  /** `program` answers what an outlet asks. */
  constructor (options: PlacingOptions | KeepingOptions, program: 'outlet-thread' | 'inlet-thread' = 'outlet-thread') {
    this.#start = () => new Threads(program, Math.min(MAX_THREADS, availableParallelism()), options)
  }

  begin (): void {
    if (!this.#closed) this.#threads ??= this.#start()
  }

  async place (id: ChunkId, length: number, position: number, from?: PlaceFrom): Promise<boolean> {
    checkId(id)
    return await new Promise<boolean>((resolve, reject) => { this.#ask({ id, length, position, from }, { done: resolve, reject }) })
  }

  async unpack (id: ChunkId, length: number, position: number, { data, compressed }: PlacePacked): Promise<Uint8Array | undefined> {
    checkId(id)
    // More than that cannot be the chunk.
    if (length > MAX_INTAKE_CHUNK_BYTES || data.length > mostCompressed(length)) return new Uint8Array(data)
    return await new Promise<Uint8Array | undefined>((resolve, reject) => {
      const from = this.#pack(data, compressed)
      const { data: packed } = this.#batch
      const done = (placed: boolean): void => { resolve(placed || packed === undefined ? undefined : new Uint8Array(packed.subarray(from.at, from.at + from.bytes))) }
      this.#ask({ id, length, position, from }, { done, reject })
    })
  }

  /** Everything that was asked for before is done, and whatever the program makes of a question without places. */
  async sync (): Promise<void> {
    this.#send()
    await this.#threads?.askAll<OutletAnswer>({ places: [] } satisfies OutletQuestion)
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#threads?.close()
    this.#send()
  }

  #ask (place: Place, wanted: Wanted): void {
    const batch = this.#batch
    batch.places.push(place)
    batch.wanted.push(wanted)
    batch.bytes += place.length
    // What is asked for at one time goes together, and what comes while threads are at work.
    if (batch.isFull) this.#send()
    else this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      if (this.#closed || (this.#threads ??= this.#start()).isWorth(this.#batch.isMuch)) this.#send()
    })
  }

  /** Copies it to the others of the batch that goes next. */
  #pack (data: Uint8Array, compressed: boolean): PackedAt {
    const { data: before, filled } = this.#batch
    if (before !== undefined && before.length - filled < data.length) this.#send()
    const batch = this.#batch
    batch.data ??= data.length > OUTLET_BATCH_BYTES ? shared(data.length) : this.#free.pop() ?? shared(OUTLET_BATCH_BYTES)
    copyTo(batch.data, batch.filled, data)
    const at = batch.filled
    batch.filled += data.length
    return { at, bytes: data.length, compressed }
  }

  #send (): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    const { places, wanted, data } = this.#batch
    if (places.length === 0) return
    this.#batch = new Batch()
    // Nobody answers any more, and whoever waits is told so.
    if (this.#closed) return wanted.forEach(({ reject }) => { reject(new CastrError('ERR_CLOSED', 'its threads have ended')) })
    this.#threads ??= this.#start()
    this.#threads.ask<OutletAnswer>({ places, data: data?.buffer } satisfies OutletQuestion).then(
      ({ placed }) => {
        for (const [i, { done }] of wanted.entries()) done(placed[i] === true)
        if (data?.length === OUTLET_BATCH_BYTES) this.#free.push(data)
      },
      (error: unknown) => { for (const { reject } of wanted) reject(error) }
    ).finally(() => { this.#send() })
  }
}
