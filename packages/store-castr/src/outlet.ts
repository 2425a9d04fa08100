/**
 * The way out of a store into a file: threads read, decompress, verify and write, so that no byte comes by here.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { MAX_THREADS, OUTLET_BATCH_BYTES, OUTLET_BATCH_CHUNKS } from './constants.ts'
import { checkId } from './layout.ts'
import type { OutletAnswer, OutletQuestion } from './outlet-thread.ts'
import type { Place, PlacingOptions } from './placing.ts'
import { Threads } from './threads.ts'

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

export interface Outlet {
  /**
   * Verifies the chunk and writes it to `position`. False when the store, or the file, does not have it there, or has it damaged, or compressed
   * otherwise than with zstd, or when it is longer than 2 MiB: then nothing was written, and `get` says more. Rejects when it cannot be written.
   */
  place (id: ChunkId, length: number, position: number, from?: PlaceFrom): Promise<boolean>
  close (): Promise<void>
}

interface Wanted {
  readonly resolve: (placed: boolean) => void
  readonly reject: (error: unknown) => void
}

export class ThreadedOutlet implements Outlet {
  readonly #threads: Threads
  #places: Place[] = []
  #wanted: Wanted[] = []
  #bytes = 0
  #turn: NodeJS.Immediate | undefined

  constructor (options: PlacingOptions) {
    this.#threads = new Threads('outlet-thread', Math.min(MAX_THREADS, availableParallelism()), options)
  }

  async place (id: ChunkId, length: number, position: number, from?: PlaceFrom): Promise<boolean> {
    checkId(id)
    return await new Promise<boolean>((resolve, reject) => {
      this.#places.push({ id, length, position, from })
      this.#wanted.push({ resolve, reject })
      this.#bytes += length
      // What is asked for at one time goes together.
      if (this.#bytes >= OUTLET_BATCH_BYTES || this.#places.length >= OUTLET_BATCH_CHUNKS) this.#send()
      else this.#turn ??= setImmediate(() => { this.#send() })
    })
  }

  async close (): Promise<void> {
    await this.#threads.close()
  }

  #send (): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    const [places, wanted] = [this.#places, this.#wanted]
    if (places.length === 0) return
    this.#places = []
    this.#wanted = []
    this.#bytes = 0
    this.#threads.ask<OutletAnswer>({ places } satisfies OutletQuestion).then(
      ({ placed }) => { for (const [i, { resolve }] of wanted.entries()) resolve(placed[i] === true) },
      (error: unknown) => { for (const { reject } of wanted) reject(error) }
    )
  }
}
