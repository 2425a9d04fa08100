/**
 * Writing and reading past the system's cache. What is stored is seldom read at once, and what is read is seldom read twice; a copy of a large file in
 * the cache costs fresh memory and, here and there, more time than the disk does. It only works from memory that begins with a page, which cannot be seen
 * from here: the system says so, and then the cache is taken.
 *
 * @module
 */
import { constants } from 'node:fs'
import { DIRECT_BYTES, DIRECT_READ_BYTES, DISK_BLOCK_BYTES, MAX_VECTORS } from './constants.ts'
import type { DiskFile } from './file.ts'

/** What opens a file for going past the cache. Not every system has such a flag. */
export const DIRECT_FLAG: number | undefined = constants.O_DIRECT

/**
 * An array that a write, or with `DIRECT_READ_BYTES` for `least` a read, can take past the system's cache, where it is long enough for that: engines give
 * memory that could grow pages of its own. Only for files: what else a platform offers may refuse such memory.
 */
export function diskMemory (bytes: number, least: number = DIRECT_BYTES): Uint8Array {
  return bytes < least ? new Uint8Array(bytes) : new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes)
}

/** A file, as far as it can be written and read past the system's cache. */
export class DirectFile {
  readonly #open: () => Opened
  #opened: Opened
  #refused = false

  /** `open` opens the file once more, with `DIRECT_FLAG`; it is asked when there is something to do. It gives undefined where the file is not there any more. */
  constructor (open: () => DiskFile | undefined | Promise<DiskFile | undefined>) {
    this.#open = open
  }

  /** Writes as many of the vectors, from the first on, as can be written so. Resolves to bytes, 0 where that is none: the rest is the caller's. */
  async write (vectors: readonly Uint8Array[], position: number): Promise<number> {
    if (this.#refused || position % DISK_BLOCK_BYTES !== 0) return 0
    const odd = vectors.findIndex(({ length, byteOffset }) => length % DISK_BLOCK_BYTES !== 0 || byteOffset % DISK_BLOCK_BYTES !== 0)
    const whole = vectors.slice(0, Math.min(odd < 0 ? vectors.length : odd, MAX_VECTORS))
    if (whole.reduce((sum, { length }) => sum + length, 0) < DIRECT_BYTES) return 0
    return await this.#try(async file => (await file.writev(whole, position)).bytesWritten)
  }

  /** Reads as much of `into`, from its beginning on, as can be read so. Resolves to bytes, 0 where that is none. */
  async read (into: Uint8Array, position: number): Promise<number> {
    const length = into.length - into.length % DISK_BLOCK_BYTES
    if (this.#refused || length < DIRECT_READ_BYTES || position % DISK_BLOCK_BYTES !== 0 || into.byteOffset % DISK_BLOCK_BYTES !== 0) return 0
    return await this.#try(async file => (await file.read(into, 0, length, position)).bytesRead)
  }

  /** Nothing goes past the cache any more. Done when it returns where the file opens and closes at once, else when it resolves. */
  close (): void | Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    this.#refused = true
    return opened instanceof Promise ? opened.then(file => file?.close(), () => {}) : opened?.close()
  }

  async #try (work: (file: DiskFile) => Promise<number>): Promise<number> {
    try {
      const file = await (this.#opened ??= this.#open())
      if (file !== undefined) return await work(file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && REFUSALS.has(error.code))) throw error
    }
    this.#refused = true
    return 0
  }
}

type Opened = DiskFile | undefined | Promise<DiskFile | undefined>

/** Of the file system, or of the memory. */
const REFUSALS: ReadonlySet<unknown> = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUP'])
