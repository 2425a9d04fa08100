/**
 * The way into a store for chunks that come compressed from elsewhere: threads decompress and verify them, and write them as they came.
 *
 * @module
 */
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import type { KeepingOptions } from './keeping.ts'
import { ThreadedOutlet, type PlacePacked } from './outlet.ts'

export interface InletOptions {
  /** What ids are made of. Default SHA-512/256. */
  digest?: ChunkDigest | undefined
}

export interface Inlet {
  /**
   * Verifies the chunk and keeps it, unless the store has it; the data are copied before this returns. Resolves to nothing when it is there, though perhaps not
   * durable, and to a copy of the data when they are something else, or compressed otherwise than with zstd, or of a chunk longer than 2 MiB: then `put` says more.
   */
  unpack (id: ChunkId, length: number, packed: PlacePacked): Promise<Uint8Array | undefined>
  /** Everything that was kept survives loss of power. */
  sync (): Promise<void>
  /** What is under way is finished, as far as that is possible. */
  close (): Promise<void>
}

export class ThreadedInlet implements Inlet {
  readonly #threads: ThreadedOutlet

  constructor (options: KeepingOptions) {
    this.#threads = new ThreadedOutlet(options, 'inlet-thread')
  }

  async unpack (id: ChunkId, length: number, packed: PlacePacked): Promise<Uint8Array | undefined> {
    return await this.#threads.unpack(id, length, 0, packed)
  }

  async sync (): Promise<void> {
    await this.#threads.sync()
  }

  async close (): Promise<void> {
    await this.#threads.sync().catch(() => {})
    await this.#threads.close()
  }
}
