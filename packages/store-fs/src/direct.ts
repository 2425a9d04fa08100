/**
 * Writing and reading past the system's cache. What is stored is seldom read at once, and what is read is seldom read twice; a copy of it in
 * the cache costs fresh memory and, to a large object, more time than the disk does. It only works from memory that begins with a page, which cannot be
 * seen from here: the system says so, and then the cache is taken.
 *
 * @module
 */
import { DIRECT_BYTES, DIRECT_READ_BYTES, DISK_BLOCK_BYTES, MAX_VECTORS } from './constants.ts'
import { systemCode } from './errors.ts'
import type { StoreFile } from './file-system.ts'

/** Memory that begins with a page, where so many bytes are read past the cache: engines give memory that could grow pages of its own. */
export function diskMemory (bytes: number): Uint8Array {
  return bytes < DIRECT_READ_BYTES ? new Uint8Array(bytes) : new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes)
}

export class DirectFile {
  readonly #open: () => Promise<StoreFile | undefined>
  #opened: Promise<StoreFile | undefined> | undefined
  #refused = false

  /** `open` opens the file once more, with O_DIRECT. It resolves to undefined where the file is not there any more. */
  constructor (open: () => Promise<StoreFile | undefined>) {
    this.#open = open
  }

  /** Writes as many of the vectors, from the first on, as can be written so. Resolves to bytes, 0 where that is none. */
  async write (vectors: readonly Uint8Array[], position: number): Promise<number> {
    if (this.#refused || position % DISK_BLOCK_BYTES !== 0) return 0
    const odd = vectors.findIndex(({ length, byteOffset }) => length % DISK_BLOCK_BYTES !== 0 || byteOffset % DISK_BLOCK_BYTES !== 0)
    const whole = vectors.slice(0, Math.min(odd < 0 ? vectors.length : odd, MAX_VECTORS))
    if (whole.reduce((sum, { length }) => sum + length, 0) < DIRECT_BYTES) return 0
    return await this.#try(async handle => (await handle.writev(whole, position)).bytesWritten)
  }

  /** Reads as much of `into`, from its beginning on, as can be read so. Resolves to bytes, 0 where that is none. */
  async read (into: Uint8Array, position: number): Promise<number> {
    const length = into.length - into.length % DISK_BLOCK_BYTES
    if (this.#refused || length < DIRECT_READ_BYTES || position % DISK_BLOCK_BYTES !== 0 || into.byteOffset % DISK_BLOCK_BYTES !== 0) return 0
    return await this.#try(async handle => (await handle.read(into, 0, length, position)).bytesRead)
  }

  async close (): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    this.#refused = true
    await (await opened?.catch(() => undefined))?.close()
  }

  async #try (work: (handle: StoreFile) => Promise<number>): Promise<number> {
    try {
      const handle = await (this.#opened ??= this.#open())
      if (handle !== undefined) return await work(handle)
    } catch (error) {
      if (!REFUSALS.has(systemCode(error) ?? '')) throw error
    }
    this.#refused = true
    return 0
  }
}

/** Of the file system, or of the memory. */
const REFUSALS: ReadonlySet<string> = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUP'])
