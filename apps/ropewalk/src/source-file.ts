/**
 * A file that is being sent: read in order, hashed on the way, and watched for changes.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AT_ONCE_BYTES, LoopBudget } from '@ropewalk/store-fs'
import { fileError, RopewalkError } from './errors.ts'

/** Looking at small files takes no thread, as long as the disk is quick. */
const budget = new LoopBudget(() => performance.now())

export class SourceFile implements AsyncDisposable {
  readonly size: number
  readonly #fd: number
  readonly #close: () => Promise<void>
  readonly #changed: bigint
  readonly #hash = createHash('sha256')
  #position = 0
  #reading: Promise<unknown> | undefined

  private constructor (fd: number, close: () => Promise<void>, size: number, changed: bigint) {
    this.#fd = fd
    this.#close = close
    this.size = size
    this.#changed = changed
  }

  /** Opens a regular file. `ERR_NOT_A_FILE` for anything else: a size is needed, and one that stays. */
  static async open (path: string): Promise<SourceFile> {
    let fd: number
    try {
      fd = await budget.run(() => fs.openSync(path, 'r'), () => open(path, 'r'))
    } catch (error) {
      throw fileError(error)
    }
    return await SourceFile.#of(fd, async () => { fs.closeSync(fd) })
  }

  /** Takes over `handle`, which is closed with the SourceFile. */
  static async of (handle: FileHandle): Promise<SourceFile> {
    return await SourceFile.#of(handle.fd, async () => { await handle.close() })
  }

  static async #of (fd: number, close: () => Promise<void>): Promise<SourceFile> {
    try {
      const stat = fs.fstatSync(fd, { bigint: true })
      if (stat.isDirectory()) throw new RopewalkError('ERR_NOT_A_FILE', 'is a directory')
      if (!stat.isFile()) throw new RopewalkError('ERR_NOT_A_FILE', 'not a regular file; use - and a pipe for anything that streams')
      return new SourceFile(fd, close, Number(stat.size), stat.mtimeNs)
    } catch (error) {
      await close()
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
      bytesRead = await this.#read(into, position)
    } catch (error) {
      throw fileError(error)
    }
    this.#position += bytesRead
    this.#hash.update(bytesRead === into.length ? into : into.subarray(0, bytesRead))
    if (bytesRead === 0 || this.#position >= this.size) this.#requireUnchanged()
    return bytesRead
  }

  /** Not while a thread reads: the descriptor could be another file's by then. */
  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#reading
    await this.#close()
  }

  async #read (into: Uint8Array, position: number): Promise<number> {
    const later = async (): Promise<number> => {
      const reading = read(this.#fd, into, 0, into.length, position)
      this.#reading = reading.catch(() => {})
      return (await reading).bytesRead
    }
    return into.length > AT_ONCE_BYTES ? await later() : await budget.run(() => fs.readSync(this.#fd, into, 0, into.length, position), later)
  }

  #requireUnchanged (): void {
    const { size, mtimeNs } = fs.fstatSync(this.#fd, { bigint: true })
    if (size !== BigInt(this.size)) throw changed(`it had ${this.size} bytes and now has ${size}`)
    if (mtimeNs !== this.#changed) throw changed('it was written to')
    if (this.#position < this.size) throw changed(`it ended after ${this.#position} of ${this.size} bytes`)
  }
}

/** Bytes of the file at `path`; undefined where there is none. */
export async function sizeOf (path: string): Promise<number | undefined> {
  const found = await budget.run(() => fs.statSync(path), () => stat(path)).catch(() => undefined)
  return found?.isFile() === true ? found.size : undefined
}

const open = promisify(fs.open)
const read = promisify(fs.read)
const stat = promisify(fs.stat)

function changed (how: string): RopewalkError {
  return new RopewalkError('ERR_FILE_CHANGED', `the file changed while it was read: ${how}`)
}
