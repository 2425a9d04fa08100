/**
 * A file that is being sent: read in order, hashed on the way, and watched for changes.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { fileError, RopewalkError } from './errors.ts'

export class SourceFile implements AsyncDisposable {
  readonly size: number
  readonly #handle: FileHandle
  readonly #changed: bigint
  readonly #hash = createHash('sha256')
  #position = 0

  private constructor (handle: FileHandle, size: number, changed: bigint) {
    this.#handle = handle
    this.size = size
    this.#changed = changed
  }

  /** Opens a regular file. `ERR_NOT_A_FILE` for anything else: a size is needed, and one that stays. */
  static async open (path: string): Promise<SourceFile> {
    let handle: FileHandle
    try {
      handle = await open(path)
    } catch (error) {
      throw fileError(error)
    }
    return await SourceFile.of(handle)
  }

  /** Takes over `handle`, which is closed with the SourceFile. */
  static async of (handle: FileHandle): Promise<SourceFile> {
    try {
      const stat = await handle.stat({ bigint: true })
      if (stat.isDirectory()) throw new RopewalkError('ERR_NOT_A_FILE', 'is a directory')
      if (!stat.isFile()) throw new RopewalkError('ERR_NOT_A_FILE', 'not a regular file; use - and a pipe for anything that streams')
      return new SourceFile(handle, Number(stat.size), stat.mtimeNs)
    } catch (error) {
      await handle.close()
      throw fileError(error)
    }
  }

  /** SHA-256 of what was read. Call it once, at the end. */
  digest (): string {
    return this.#hash.digest('hex')
  }

  /**
   * Fills `into` from `position`, which must be where the last call stopped. `ERR_FILE_CHANGED` when the file has changed
   * since it was opened.
   */
  async read (into: Uint8Array, position: number): Promise<number> {
    if (position !== this.#position) throw new RangeError(`read at ${position} instead of ${this.#position}`)
    let bytesRead: number
    try {
      ({ bytesRead } = await this.#handle.read(into, 0, into.length, position))
    } catch (error) {
      throw fileError(error)
    }
    this.#position += bytesRead
    this.#hash.update(bytesRead === into.length ? into : into.subarray(0, bytesRead))
    if (bytesRead === 0 || this.#position >= this.size) await this.#requireUnchanged()
    return bytesRead
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#handle.close()
  }

  async #requireUnchanged (): Promise<void> {
    const { size, mtimeNs } = await this.#handle.stat({ bigint: true })
    if (size !== BigInt(this.size)) throw changed(`it had ${this.size} bytes and now has ${size}`)
    if (mtimeNs !== this.#changed) throw changed('it was written to')
    if (this.#position < this.size) throw changed(`it ended after ${this.#position} of ${this.size} bytes`)
  }
}

function changed (how: string): RopewalkError {
  return new RopewalkError('ERR_FILE_CHANGED', `the file changed while it was read: ${how}`)
}
