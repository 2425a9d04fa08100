/**
 * What an extraction leaves beside its output until it is whole, so that whoever is killed goes on where he was: the index, the blob as far
 * as it has come, and which chunks are in their places. Of a tree it has the index, chunks that came from elsewhere, and the tree as far as it has come.
 *
 * A chunk is written before it is noted, and a killed process loses nothing that the system has taken. A system that was started anew may
 * have lost it: then the notes are worth nothing, and every chunk is looked at again.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, ftruncateSync, openSync, readFileSync } from 'node:fs'
import { lstat, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { writeAtOnce } from '@ropewalk/disk'
import type { Source } from '@ropewalk/interface'
import { decodeIndex, type IndexHeader, type IndexItem } from '@ropewalk/protocol-casync'
import { codeOf, fileError, RopewalkError } from '../errors.ts'
import type { Phase } from '../progress/phases.ts'
import { bootId } from './boot.ts'

/** Everything about an index that can be known before its chunks are. */
export interface KnownIndex {
  readonly header: IndexHeader
  readonly items: number
  /** Of the blob. */
  readonly size: number
  /** SHA-256 of the index itself. */
  readonly sha256: string
}

/** Bytes of an index in the notes: its SHA-256, and the boot. */
const HEAD_BYTES = 32 + 32
const RECORD_BYTES = 8

export class Partial {
  readonly directory: string
  #journal: number | undefined
  #known: KnownIndex | undefined
  #notes: number[] = []
  #turn: NodeJS.Immediate | undefined
  #failure: { readonly error: unknown } | undefined

  private constructor (directory: string) {
    this.directory = directory
  }

  /** The folder beside `output`. `ERR_EXISTS` while another process is at work on it. */
  static async open (output: string): Promise<Partial> {
    const partial = new Partial(join(dirname(output), `.#${basename(output)}.part`))
    await mkdir(partial.directory, { mode: 0o700 }).catch(async (error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw new RopewalkError('ERR_FILE', fileError(error).message, { text: output, cause: error })
      await assertOurs(partial.directory)
    })
    await partial.#lock()
    return partial
  }

  get blob (): string {
    return join(this.directory, 'blob')
  }

  /** Keeps the index here and checks all of it. `onItem` is told of each chunk as soon as it is known. */
  async keepIndex (bytes: Source<Uint8Array>, phase: Phase, onItem: (item: IndexItem, header: IndexHeader) => void = () => {}): Promise<KnownIndex> {
    const hash = createHash('sha256')
    const handle = await open(join(this.directory, 'index'), 'w').catch((error: unknown) => { throw fileError(error) })
    let header: IndexHeader | undefined
    let items = 0
    let size = 0
    async function * kept (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of bytes) {
        hash.update(piece)
        await handle.appendFile(piece)
        phase.add(piece.length)
        yield piece
      }
    }
    try {
      for await (const item of decodeIndex({ onHeader: read => { header = read } })(kept())) {
        items++
        size = item.end
        onItem(item, header as IndexHeader)
      }
    } finally {
      await handle.close()
    }
    this.#known = { header: header as IndexHeader, items, size, sha256: hash.digest('hex') }
    return this.#known
  }

  /** The items of the index that is kept. */
  items (): AsyncGenerator<IndexItem, void, undefined> {
    return decodeIndex()(createReadStream(join(this.directory, 'index')))
  }

  /** Where chunks of this index are in their places already, ascending; undefined where nobody can say. Notes begin anew where they are of no use. */
  resume (): Float64Array | undefined {
    const path = join(this.directory, 'journal')
    const head = createHash('sha256').update(`${this.#known?.sha256 ?? ''} ${bootId()}`).digest()
    const wanted = Buffer.concat([head, Buffer.from(this.#known?.sha256 ?? '', 'hex')])
    const found = readIfThere(path)
    const same = found?.subarray(0, HEAD_BYTES).equals(wanted) === true
    // What an older index wrote, or a lost boot, has to be looked at.
    const useless = found !== undefined && !same
    if (!same) {
      this.#journal = openSync(path, 'w')
      writeAtOnce(this.#journal, wanted)
    } else {
      this.#journal = openSync(path, 'a')
    }
    if (useless) return undefined
    const records = same ? found.subarray(HEAD_BYTES, found.length - (found.length - HEAD_BYTES) % RECORD_BYTES) : Buffer.alloc(0)
    // A full disk may have taken half a note: what comes behind it would be read askew.
    ftruncateSync(this.#journal, HEAD_BYTES + records.length)
    return Float64Array.from({ length: records.length / RECORD_BYTES }, (_, i) => records.readDoubleLE(i * RECORD_BYTES)).sort()
  }

  /** Call when the chunk that begins at `start` is written. What is noted in one turn goes to the file together. */
  note (start: number): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#notes.push(start)
    this.#turn ??= setImmediate(() => { this.#writeNotes() })
  }

  /** Lets go of it. With `done` nothing stays. */
  async close (done: boolean): Promise<void> {
    this.#writeNotes()
    if (this.#journal !== undefined) closeSync(this.#journal)
    this.#journal = undefined
    if (done) await rm(this.directory, { recursive: true, force: true })
    else await rm(join(this.directory, 'lock'), { force: true })
  }

  #writeNotes (): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
    const notes = this.#notes
    this.#notes = []
    if (this.#journal === undefined || notes.length === 0) return
    const records = Buffer.alloc(RECORD_BYTES * notes.length)
    for (const [i, start] of notes.entries()) records.writeDoubleLE(start, RECORD_BYTES * i)
    try {
      writeAtOnce(this.#journal, records)
    } catch (error) {
      this.#failure = { error }
    }
  }

  async #lock (): Promise<void> {
    const path = join(this.directory, 'lock')
    const mine = `${process.pid} ${bootId()}`
    try {
      await writeFile(path, mine, { flag: 'wx' })
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw fileError(error)
      const [pid, boot] = (await readFile(path, 'utf8')).split(' ')
      if (boot === bootId() && Number(pid) !== process.pid && isAlive(Number(pid))) {
        throw new RopewalkError('ERR_EXISTS', `process ${pid ?? '?'} is writing the same output`, { text: this.directory })
      }
      await writeFile(path, mine)
    }
  }
}

/** What lies there is believed: nobody may have laid it there but us, root, and whoever owns the folder of the output. */
async function assertOurs (directory: string): Promise<void> {
  const [stats, above] = await Promise.all([lstat(directory), lstat(dirname(directory))])
  const own = process.geteuid?.()
  if (stats.isDirectory() && (own === undefined || [own, 0, above.uid].includes(stats.uid))) return
  const what = stats.isDirectory() ? `of another user (${stats.uid}, not ${String(own)})` : 'no folder'
  throw new RopewalkError('ERR_FILE', `what an extraction keeps beside its output is ${what}, and not to be believed`, { text: directory, advice: ['Remove it, or extract to another place.'] })
}

function readIfThere (path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function isAlive (pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
