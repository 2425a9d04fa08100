/**
 * Writing past the system's cache. A copy of a large file in the cache costs fresh memory and, here and there, more time than
 * the disk does. It only works from memory that begins with a page, which cannot be seen from here: the system says so, and
 * then the cache is taken.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { DIRECT_BYTES, DISK_BLOCK_BYTES, GATHER_PIECES } from './constants.ts'
import { systemCode } from './errors.ts'
import { writev } from './vectors.ts'

/**
 * An array that a write can take past the system's cache, where it is long enough for that: engines give memory that could grow pages of its own. Only
 * for files: what else a platform offers may refuse such memory.
 */
export function diskMemory (bytes: number): Uint8Array {
  return bytes < DIRECT_BYTES ? new Uint8Array(bytes) : new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes)
}

export class DirectFile {
  readonly #open: () => number
  #fd: number | undefined
  #refused = false

  /** `open` opens the file once more, for writing and with O_DIRECT. */
  constructor (open: () => number) {
    this.#open = open
  }

  /** Writes as many of the vectors, from the first on, as can be written so. Resolves to bytes, 0 where that is none. */
  async write (vectors: readonly Uint8Array[], position: number): Promise<number> {
    if (this.#refused || position % DISK_BLOCK_BYTES !== 0) return 0
    const odd = vectors.findIndex(({ length, byteOffset }) => length % DISK_BLOCK_BYTES !== 0 || byteOffset % DISK_BLOCK_BYTES !== 0)
    const whole = vectors.slice(0, Math.min(odd < 0 ? vectors.length : odd, GATHER_PIECES))
    if (whole.reduce((sum, { length }) => sum + length, 0) < DIRECT_BYTES) return 0
    try {
      this.#fd ??= this.#open()
      return (await writev(this.#fd, whole, position)).bytesWritten
    } catch (error) {
      if (!REFUSALS.has(systemCode(error) ?? '')) throw error
      this.#refused = true
      return 0
    }
  }

  close (): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    this.#refused = true
  }
}

/** Of the file system, or of the memory. */
const REFUSALS: ReadonlySet<string> = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUP'])
