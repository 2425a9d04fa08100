/**
 * The file that a blob is written to. What is written goes to the disk while more of it comes, so that little is left for the end.
 *
 * @module
 */
import type { FileHandle } from 'node:fs/promises'
import { writeAll } from '@ropewalk/disk'
import type { BlobTarget, RandomRead } from '@ropewalk/protocol-casync'

/** Bytes that wait for the disk, at most about. Ours. */
const SYNC_BYTES = 64 * 1024 * 1024

/** A file that threads may read by its number, too. */
export class OpenFile implements RandomRead {
  readonly handle: FileHandle

  constructor (handle: FileHandle) {
    this.handle = handle
  }

  async read (into: Uint8Array, position: number): Promise<number> {
    return (await this.handle.read(into, 0, into.length, position)).bytesRead
  }
}

export class OutputFile extends OpenFile implements BlobTarget {
  readonly #onWritten: (position: number) => void
  #bytes = 0
  #syncing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  /** `onWritten` is told of each chunk that is in its place. */
  constructor (handle: FileHandle, onWritten: (position: number) => void) {
    super(handle)
    this.#onWritten = onWritten
  }

  async write (bytes: Uint8Array, position: number): Promise<void> {
    await writeAll(this.handle, [bytes], position)
    this.wrote(position, bytes.length)
  }

  /** Somebody else has put a chunk into its place. */
  wrote (position: number, length: number): void {
    this.#onWritten(position)
    this.#bytes += length
    if (this.#bytes < SYNC_BYTES || this.#syncing !== undefined) return
    this.#bytes = 0
    // The system tells of a failure once: it is kept for the end.
    this.#syncing = this.handle.datasync().catch((error: unknown) => { this.#failure ??= { error } }).finally(() => { this.#syncing = undefined })
  }

  /** Everything to the disk. */
  async sync (): Promise<void> {
    await this.settled()
    await this.handle.sync()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** The file may be closed. */
  async settled (): Promise<void> {
    await this.#syncing
  }
}
