/**
 * A file that is fetched piece by piece, and gone on with after the process was killed: the bytes under a hidden name, and
 * beside them how many of each piece are there. It gets its name when it is whole and was read once more to see that it is right.
 *
 *      .NAME.ropewalk-part    .NAME.ropewalk-part.json
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory, vectorsOf, writeAll } from '@ropewalk/disk'
import type { Uint8ArrayList } from 'uint8arraylist'
import { codeOf, fileError, RopewalkError } from '../errors.ts'
import { MAX_PARTS, readBounded } from './manifest.ts'
import { giveName, sweepWhole, writeWhole } from './new-file.ts'

/** A run of bytes that one object gives. */
export interface Piece {
  /** Of the object, 32 hex digits. */
  readonly id: string
  /** Where it begins in the file. */
  readonly offset: number
  readonly size: number
  /** Where it is whole and known. */
  readonly sha256: string | undefined
}

export interface Wanted {
  readonly size: number
  readonly sha256: string | undefined
  readonly pieces: readonly Piece[]
}

/** Bytes that come between two records of how far it is. Ours: what is fetched twice after a kill is at most this, and a window. */
export const RECORD_BYTES = 4_194_304

const MAX_RECORD_BYTES = 262_144

const READ_BYTES = 1_048_576

export class PartialFile implements AsyncDisposable {
  readonly path: string
  readonly #wanted: Wanted
  readonly #target: string
  readonly #handle: FileHandle
  /** Bytes of each piece that are there, from its beginning on. */
  readonly #done: number[]
  #unrecorded = 0
  #recording: Promise<void> | undefined

  private constructor (target: string, wanted: Wanted, handle: FileHandle, done: number[]) {
    this.#target = target
    this.path = partialPath(target)
    this.#wanted = wanted
    this.#handle = handle
    this.#done = done
  }

  /** Opens what is there of `target`, or begins it. What is there of something else is dropped. */
  static async open (target: string, wanted: Wanted): Promise<PartialFile> {
    const path = partialPath(target)
    try {
      const done = await loadRecord(`${path}.json`, wanted)
      await sweepWhole(`${path}.json`)
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666)
      const file = new PartialFile(target, wanted, handle, done)
      const { size } = await handle.stat()
      // A loss of power takes bytes of which the record speaks.
      for (const [index, piece] of wanted.pieces.entries()) done[index] = Math.max(0, Math.min(done[index] as number, size - piece.offset, piece.size))
      if (size > wanted.size) await handle.truncate(wanted.size)
      return file
    } catch (error) {
      throw new RopewalkError('ERR_FILE', `${path}: ${fileError(error).message}`, { cause: error })
    }
  }

  /** Bytes that are there, of one piece or of all. */
  done (index?: number): number {
    return index === undefined ? this.#done.reduce((sum, bytes) => sum + bytes, 0) : this.#done[index] as number
  }

  /** Puts `bytes` behind what is there of a piece. */
  async append (index: number, bytes: Uint8ArrayList): Promise<void> {
    const { offset, size } = this.#wanted.pieces[index] as Piece
    const done = this.#done[index] as number
    if (done + bytes.byteLength > size) throw new RopewalkError('ERR_INCOMPLETE', `${done + bytes.byteLength} > ${size} bytes of a piece`)
    try {
      await writeAll(this.#handle, vectorsOf(bytes), offset + done)
    } catch (error) {
      throw fileError(error)
    }
    this.#done[index] = done + bytes.byteLength
    this.#unrecorded += bytes.byteLength
    if (this.#unrecorded >= RECORD_BYTES) this.#recording ??= this.record().finally(() => { this.#recording = undefined })
  }

  /** Remembers how far it is. */
  async record (): Promise<void> {
    this.#unrecorded = 0
    const text = JSON.stringify({ version: 1, wanted: identityOf(this.#wanted), done: this.#done })
    await writeWhole(`${this.path}.json`, text, { replace: true, lasting: false, mode: 0o600 })
  }

  /**
   * Reads all of it, and compares. `ERR_DIGEST` when a piece, or the whole, is not what it should be: of such a piece nothing is
   * kept. Resolves to the SHA-256 of the whole.
   */
  async check (expect: string | undefined, signal: AbortSignal): Promise<string> {
    const whole = createHash('sha256')
    const buffer = new Uint8Array(READ_BYTES)
    const bad: number[] = []
    for (const [index, { offset, size, sha256 }] of this.#wanted.pieces.entries()) {
      const piece = createHash('sha256')
      for (let at = 0; at < size;) {
        signal.throwIfAborted()
        const { bytesRead } = await this.#handle.read(buffer, 0, Math.min(buffer.length, size - at), offset + at)
        if (bytesRead === 0) break
        const bytes = buffer.subarray(0, bytesRead)
        whole.update(bytes)
        if (sha256 !== undefined) piece.update(bytes)
        at += bytesRead
      }
      if (sha256 !== undefined && piece.digest('hex') !== sha256) bad.push(index)
    }
    const digest = whole.digest('hex')
    const wanted = [this.#wanted.sha256, expect].find(each => each !== undefined && each !== digest)
    if (bad.length === 0 && wanted === undefined) return digest
    for (const index of bad.length === 0 ? this.#done.keys() : bad) this.#done[index] = 0
    await this.record()
    if (bad.length === 0) throw new RopewalkError('ERR_DIGEST', `its SHA-256 is ${digest}, not ${String(wanted)}`)
    throw new RopewalkError('ERR_DIGEST', `part ${bad.map(index => index + 1).join(', ')} of ${this.#wanted.pieces.length} has another SHA-256 than the manifest says`)
  }

  /** Gives it its name. When this resolves it survives loss of power. */
  async finish (force: boolean): Promise<string> {
    await this.#recording
    try {
      await this.#handle.truncate(this.#wanted.size)
      await this.#handle.sync()
      await giveName(this.path, this.#target, force)
      await syncDirectory(dirname(this.#target))
      await rm(`${this.path}.json`, { force: true })
      return this.#target
    } catch (error) {
      throw fileError(error)
    }
  }

  /** Nothing of it is left. */
  async discard (): Promise<void> {
    await this.#recording?.catch(() => {})
    await rm(this.path, { force: true })
    await rm(`${this.path}.json`, { force: true })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#recording?.catch(() => {})
    await this.#handle.close()
  }
}

export function partialPath (target: string): string {
  return join(dirname(target), `.${basename(target)}.ropewalk-part`)
}

/** What makes it the same file: who goes on with another one would mix two. */
function identityOf ({ size, sha256, pieces }: Wanted): string {
  return createHash('sha256').update(JSON.stringify([size, sha256 ?? null, pieces.map(({ id, offset, size: bytes }) => [id, offset, bytes])])).digest('hex')
}

async function loadRecord (path: string, wanted: Wanted): Promise<number[]> {
  const none = wanted.pieces.map(() => 0)
  let text: string
  try {
    text = await readBounded(path, MAX_RECORD_BYTES)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return none
    throw error
  }
  try {
    const { version, wanted: identity, done } = JSON.parse(text) as Partial<Record<string, unknown>>
    const usable = version === 1 && identity === identityOf(wanted) && Array.isArray(done) && done.length === none.length && done.length <= MAX_PARTS
    return usable && done.every(bytes => Number.isSafeInteger(bytes)) ? done as number[] : none
  } catch {
    // It costs what it would have saved, and no more.
    return none
  }
}
