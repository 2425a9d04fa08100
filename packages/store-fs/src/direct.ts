/**
 * Writing past the system's cache. What is stored is seldom read at once; a copy of it in the cache costs fresh memory and, to
 * a large object, more time than the disk does. It only works from memory that begins with a page, which cannot be
 * seen from here: the system says so, and then the cache is taken.
 *
 * @module
 */
import { DIRECT_BYTES, DISK_BLOCK_BYTES, MAX_VECTORS } from './constants.ts'
import { systemCode } from './errors.ts'
import type { StoreFile } from './file-system.ts'

export class DirectFile {
  readonly #open: () => Promise<StoreFile>
  #handle: StoreFile | undefined
  #refused = false

  /** `open` opens the file once more, for writing and with O_DIRECT. */
  constructor (open: () => Promise<StoreFile>) {
    this.#open = open
  }

  /** Writes as many of the vectors, from the first on, as can be written so. Resolves to bytes, 0 where that is none. */
  async write (vectors: readonly Uint8Array[], position: number): Promise<number> {
    if (this.#refused || position % DISK_BLOCK_BYTES !== 0) return 0
    const odd = vectors.findIndex(({ length, byteOffset }) => length % DISK_BLOCK_BYTES !== 0 || byteOffset % DISK_BLOCK_BYTES !== 0)
    const whole = vectors.slice(0, Math.min(odd < 0 ? vectors.length : odd, MAX_VECTORS))
    if (whole.reduce((sum, { length }) => sum + length, 0) < DIRECT_BYTES) return 0
    try {
      this.#handle ??= await this.#open()
      return (await this.#handle.writev(whole, position)).bytesWritten
    } catch (error) {
      if (!REFUSALS.has(systemCode(error) ?? '')) throw error
      this.#refused = true
      return 0
    }
  }

  async close (): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    this.#refused = true
    await handle?.close()
  }
}

/** Of the file system, or of the memory. */
const REFUSALS: ReadonlySet<string> = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUP'])
