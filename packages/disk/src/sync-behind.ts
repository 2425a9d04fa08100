/**
 * A file comes to the disk while more is written to it: what is not there yet is bounded where the disk is no slower than whoever writes, and the last sync has little left to do.
 *
 * @module
 */
import { BEHIND_BYTES } from './constants.ts'

/** Syncs beside the writes, one at a time. */
export class SyncBehind {
  readonly #sync: () => Promise<void>
  readonly #failed: (error: unknown) => void
  /** Bytes until the next one. */
  #left: number
  #running: Promise<void> | undefined

  /**
   * `sync` brings to the disk what was written before. `failed` is told where it has not: the system reports lost pages once, and asked again it would say that
   * all is well. Of a file that has `unsynced` bytes already, they count.
   */
  constructor (sync: () => Promise<void>, failed: (error: unknown) => void, unsynced: number = 0) {
    this.#sync = sync
    this.#failed = failed
    this.#left = BEHIND_BYTES - unsynced
  }

  /** So many more bytes are written. */
  wrote (bytes: number): void {
    this.#left -= bytes
    if (this.#left > 0) return
    this.#left = BEHIND_BYTES
    this.#running ??= this.#sync().catch(this.#failed).finally(() => { this.#running = undefined })
  }

  /** Resolves when none is under way: the file may be synced for good, or closed. */
  async settled (): Promise<void> {
    await this.#running
  }
}
