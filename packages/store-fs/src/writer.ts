import { SyncBehind, vectorsOf, writeAll, type DirectFile } from '@ropewalk/disk'
import type { FragmentWriter } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { StoreError, storeError } from './errors.ts'
import type { StoreFile } from './file-system.ts'

/** What a writer tells the unfinished object that it writes to. */
export interface WriterOwner {
  /** Before bytes are written. Throws `ERR_NO_SPACE` when there is no room for them. */
  appending (bytes: number): void
  /** Bytes announced were not written. */
  failed (bytes: number): void
  /** The file is on disk up to `size`; makes that known to later runs. */
  synced (size: number): Promise<void>
  /** The system has lost data that it had taken. */
  tainted (): void
  /** The writer has let go of the object, and leaves its file. */
  released (size: number, handle: StoreFile): Promise<void>
}

/** Appends to a file by position, so that the file is true to `size` even after a write that failed half way. */
export class FileWriter implements FragmentWriter {
  readonly id: string
  readonly #handle: StoreFile
  readonly #owner: WriterOwner
  readonly #direct: DirectFile | undefined
  #size: number
  #tail: Promise<unknown> = Promise.resolve()
  #broken: StoreError | undefined
  #closed: Promise<void> | undefined
  readonly #behind: SyncBehind

  constructor (id: string, handle: StoreFile, size: number, owner: WriterOwner, direct?: DirectFile) {
    this.id = id
    this.#handle = handle
    this.#size = size
    this.#owner = owner
    this.#direct = direct
    this.#behind = new SyncBehind(() => handle.datasync(), error => { this.#lose(error) })
  }

  get size (): number {
    return this.#size
  }

  write (bytes: Uint8Array | Uint8ArrayList): Promise<void> {
    return this.#inTurn(() => this.#append(bytes))
  }

  sync (): Promise<void> {
    return this.#inTurn(() => this.#sync())
  }

  close (): Promise<void> {
    this.#closed ??= this.#tail.then(async () => {
      await this.#behind.settled()
      try {
        await this.#direct?.close()
      } catch {
        this.#owner.tainted()
      }
      await this.#owner.released(this.#size, this.#handle)
    })
    return this.#closed
  }

  /** Calls that overlap are done one after the other, in the order they were made. */
  #inTurn (work: () => Promise<void>): Promise<void> {
    if (this.#closed != null) return Promise.reject(new StoreError('ERR_CLOSED', `writer of ${this.id} is closed`))
    const done = this.#tail.then(async () => {
      if (this.#broken != null) throw this.#broken
      await work()
    })
    this.#tail = done.catch(() => {})
    return done
  }

  async #append (bytes: Uint8Array | Uint8ArrayList): Promise<void> {
    const length = bytes.byteLength
    if (length === 0) return
    this.#owner.appending(length)

    try {
      await writeAll(this.#handle, vectorsOf(bytes), this.#size, this.#direct)
      this.#size += length
      this.#behind.wrote(length)
    } catch (error) {
      this.#owner.failed(length)
      const failure = storeError(error, `write ${length} bytes to ${this.id} at ${this.#size}`)
      await this.#cutBack(failure)
      throw failure
    }
  }

  /** Removes what a failed write left behind the last whole one. */
  async #cutBack (failure: StoreError): Promise<void> {
    try {
      await this.#handle.truncate(this.#size)
    } catch {
      this.#broken = failure
    }
  }

  async #sync (): Promise<void> {
    await this.#behind.settled()
    if (this.#broken != null) throw this.#broken
    try {
      await this.#handle.datasync()
    } catch (error) {
      throw this.#lose(error)
    }
    await this.#owner.synced(this.#size)
  }

  /** The system reports lost pages once; asked again it would say that all is well. */
  #lose (error: unknown): StoreError {
    this.#owner.tainted()
    return this.#broken = storeError(error, `sync ${this.id}`)
  }
}
