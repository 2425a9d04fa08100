/**
 * How far the tree beside an output has come: the traces of its marks, one behind the other. With them the decoder of the archive and the writer of the
 * tree are where those were that a kill has ended.
 *
 * What is marked was written before, and a killed process loses nothing that the system has taken; nothing is synced for it. A system that was
 * started anew may have lost some of the tree: then the traces are worth nothing. The tree itself is believed as everything in the folder is, which is ours; of one
 * that is changed in place, nothing may have been changed since the journal was written last.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { constants, ftruncateSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtOnce } from '@ropewalk/disk'
import { fileError } from '../errors.ts'
import { bootId } from './boot.ts'
import { READ_BYTES } from './open.ts'

/** Of what it is the journal. */
const HEAD_BYTES = 32
/** Before each trace: its length (u32). */
const LENGTH_BYTES = 4

export class TreeJournal implements AsyncDisposable {
  /** When it was written last, in nanoseconds since 1970. */
  readonly keptAt: bigint
  readonly #handle: FileHandle
  readonly #head: Uint8Array
  /** Where the next trace goes. */
  #end: number
  #notes: Uint8Array[] = []
  #turn: NodeJS.Immediate | undefined
  #failure: { readonly error: unknown } | undefined

  private constructor (handle: FileHandle, keptAt: bigint, head: Uint8Array, end: number) {
    this.keptAt = keptAt
    this.#handle = handle
    this.#head = head
    this.#end = end
  }

  /** The one in `directory`; `of` says which archive it is of. One that is of another, or of another start of the system, is as none. */
  static async open (directory: string, of: string): Promise<TreeJournal> {
    const handle = await open(join(directory, 'tree-journal'), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o666).catch((error: unknown) => { throw fileError(error) })
    try {
      const head = createHash('sha256').update(`1 ${process.geteuid?.()} ${bootId()} ${of}`).digest()
      const found = Buffer.alloc(HEAD_BYTES)
      await handle.read(found, 0, HEAD_BYTES, 0)
      const journal = new TreeJournal(handle, (await handle.stat({ bigint: true })).mtimeNs, head, HEAD_BYTES)
      if (!found.equals(head)) journal.beginAnew()
      return journal
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** What is noted. To be read to its end before more is; what stands behind the last that is whole goes. */
  async * traces (): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = await this.#handle.stat()
    let kept = Buffer.alloc(0)
    for (let position = this.#end; position < size;) {
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, position)
      if (bytesRead === 0) break
      position += bytesRead
      kept = Buffer.concat([kept, buffer.subarray(0, bytesRead)])
      let at = 0
      while (kept.length - at >= LENGTH_BYTES) {
        const length = kept.readUInt32LE(at)
        if (length > size - this.#end - LENGTH_BYTES) return await this.#handle.truncate(this.#end)
        if (length > kept.length - at - LENGTH_BYTES) break
        yield kept.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length)
        at += LENGTH_BYTES + length
        this.#end += LENGTH_BYTES + length
      }
      kept = kept.subarray(at)
    }
  }

  beginAnew (): void {
    ftruncateSync(this.#handle.fd, 0)
    writeAtOnce(this.#handle.fd, this.#head, 0)
    this.#end = HEAD_BYTES
  }

  /** What is noted in one turn goes to the file together. */
  note (trace: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#notes.push(trace)
    this.#turn ??= setImmediate(() => { this.#write() })
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.#write()
    await this.#handle.close()
  }

  #write (): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    const notes = this.#notes
    this.#notes = []
    try {
      const bytes = Buffer.concat(notes.flatMap(trace => [lengthOf(trace), trace]))
      writeAtOnce(this.#handle.fd, bytes, this.#end)
      this.#end += bytes.length
    } catch (error) {
      this.#failure = { error }
    }
  }
}

function lengthOf (trace: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES)
  bytes.writeUInt32LE(trace.length)
  return bytes
}
