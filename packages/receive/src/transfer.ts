/**
 * Many files that belong together, of which whoever goes on later has what was there: files that are whole by their journal, and
 * of others the bytes that were written.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { closeSync, constants, ftruncateSync, fstatSync, openSync, unlinkSync } from 'node:fs'
import { lstat, readdir, unlink } from 'node:fs/promises'
import { writeBatch, type BatchDisk } from './batch.ts'
import type { Directory } from './directory.ts'
import { ReceiveError, receiveError } from './errors.ts'
import { escapeName } from './escape.ts'
import { StagedWriter, type Announced, type PartWriter } from './file-writer.ts'
import { Journal, type Fact } from './journal.ts'
import { PartsState, type Part } from './parts-state.ts'
import type { Endings } from './endings.ts'
import { sealFolder, type Placement } from './placement.ts'
import type { Allowance, Quota } from './quota.ts'
import { directly, transferFolder, type Staging } from './staging.ts'

/** What a transfer needs of its receiver. */
export interface TransferHost {
  readonly staging: Staging
  readonly placement: Placement
  readonly endings: Endings
  readonly disk: BatchDisk
  readonly quota: Quota
}

/** A small file, all of it. */
export interface Whole {
  readonly announced: Announced
  readonly bytes: Uint8Array
}

/** ... in its part. */
interface Staged extends Whole {
  readonly index: number
  readonly part: Part
  readonly path: string
  readonly allowance: Allowance
}

export class Transfer {
  readonly #host: TransferHost
  readonly #name: string
  readonly #folder: Directory
  readonly #journal: Journal
  readonly #parts: PartsState
  readonly #open = new Map<string, StagedWriter>()
  /** Names that come in batches, and those batches. */
  readonly #coming = new Set<string>()
  readonly #batches = new Set<Promise<unknown>>()
  /** Parts that have their names, and still this one. */
  #left: string[] = []
  #closed = false

  private constructor (host: TransferHost, name: string, folder: Directory, journal: Journal, parts: PartsState) {
    this.#host = host
    this.#name = name
    this.#folder = folder
    this.#journal = journal
    this.#parts = parts
  }

  /** Opens what is left of the transfer `id`, or begins it. */
  static async open (host: TransferHost, id: string): Promise<Transfer> {
    const name = transferFolder(hash('sha256', id))
    const folder = await host.staging.adopt(name)
    try {
      const parts = new PartsState(host.staging.boot)
      const journal = Journal.open(folder, fact => { parts.apply(fact) })
      const transfer = new Transfer(host, name, folder, journal, parts)
      await transfer.#recover()
      journal.append({ is: 'opened', boot: host.staging.boot ?? '' })
      return transfer
    } catch (error) {
      await folder.close()
      await host.staging.keep(name)
      throw error
    }
  }

  isWhole (name: string): boolean {
    return this.#parts.isWhole(name)
  }

  /** Bytes of all that is not whole. */
  get heldBytes (): number {
    return this.#parts.heldBytes
  }

  keptBytes (name: string): number {
    return this.#parts.of(name)?.bytes ?? 0
  }

  /** `released` is called when the writer has come to its end. */
  async file (announced: Announced, released: () => void): Promise<PartWriter> {
    const { name, size } = announced
    this.#assertFree(name)
    let part = this.#parts.of(name)
    if (part != null && size != null && part.bytes > size) {
      await this.#drop(part)
      part = undefined
    }
    if (part == null) {
      part = this.#parts.begin(name)
      this.#journal.note({ is: 'begun', part: part.number, name })
    }
    return await this.#writer(announced, part, released)
  }

  /** A batch of them: they are synced, told to the journal and named together. What becomes of each is its own affair. */
  async files (files: readonly Whole[]): Promise<Array<PromiseSettledResult<string>>> {
    const batch = this.#batch(files)
    this.#batches.add(batch)
    try {
      return await batch
    } finally {
      this.#batches.delete(batch)
    }
  }

  async directory (name: string, mode: number | undefined, mtimeMs: number | undefined): Promise<boolean> {
    this.#assertOpen()
    // Noted first: one that was made and not noted would be taken for somebody else's by the next life.
    const ours = this.#parts.folders.has(name) || !await this.#host.placement.exists(name)
    if (ours) this.#append({ is: 'folder', name, mode, mtimeMs })
    return await this.#host.placement.directory(name, async () => {}) && ours
  }

  async linked (name: string): Promise<void> {
    this.#assertOpen()
    this.#append({ is: 'link', name })
  }

  /** Everything is there: folders get their permissions and times, and the transfer is forgotten. */
  async finish (): Promise<void> {
    this.#assertOpen()
    const under = this.#open.size + this.#coming.size
    if (under > 0) throw new ReceiveError('ERR_BUSY', `${under} files are not finished`)
    // What is inside changes the time of a folder, and so do its own folders: the deepest come first.
    const folders = [...this.#parts.folders].sort(([a], [b]) => b.split('/').length - a.split('/').length)
    for (const [name, { mode, mtimeMs }] of folders) {
      await this.#host.placement.directory(name, async directory => { await sealFolder(directory, mode, mtimeMs) })
    }
    await this.#leave(() => this.#host.staging.drop(this.#name))
  }

  /** Keeps what is not whole for one that goes on. */
  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#batches, ...Array.from(this.#open.values(), async writer => { await writer.keep() })])
    await this.#leave(() => this.#host.staging.keep(this.#name))
  }

  /** Removes what is not whole. */
  async discard (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#batches, ...Array.from(this.#open.values(), async writer => { await writer.abort() })])
    await this.#leave(() => this.#host.staging.drop(this.#name))
  }

  async #leave (settle: () => Promise<void>): Promise<void> {
    this.#closed = true
    // Whoever removes a file that has come wants its room.
    this.#leaveNames()
    this.#journal.close()
    await this.#folder.close()
    await settle()
  }

  /** Never rejects. */
  async #batch (files: readonly Whole[]): Promise<Array<PromiseSettledResult<string>>> {
    const results = files.map((): PromiseSettledResult<string> => ({ status: 'rejected', reason: undefined }))
    let staged: Staged[] = []
    const failed = async ({ index, part, announced, allowance }: Staged, doing: string, error: unknown): Promise<void> => {
      results[index] = { status: 'rejected', reason: receiveError(error, `${doing} "${escapeName(announced.name)}"`) }
      await this.#drop(part).catch(() => {})
      allowance.end(false)
      this.#host.quota.leaveEntry()
    }
    try {
      for (const [index, file] of files.entries()) {
        try {
          staged.push(await this.#stage(index, file))
        } catch (reason) {
          results[index] = { status: 'rejected', reason }
        }
      }
      // Before, for it changes the folder that the new ones are in.
      this.#leaveNames()
      const told = await writeBatch(staged.map(({ path, bytes, announced: { mode, mtimeMs } }) => ({ path, bytes, mode, mtimeMs })), this.#host.disk)
      const written = staged.filter((_, at) => !told.has(at))
      await Promise.all(Array.from(told, ([at, error]) => failed(staged[at] as Staged, 'write', error)))
      staged = written
      for (const { part, bytes: { length: bytes } } of staged) {
        this.#parts.apply({ is: 'sealed', part: part.number, bytes })
        this.#journal.note({ is: 'whole', part: part.number, name: part.name, bytes })
      }
      await this.#journal.sync()
      const placed = await this.#host.placement.place(staged.map(({ path, announced: { name, overwrite } }) => ({ staged: path, name, overwrite, stays: true })))
      for (const [at, result] of placed.entries()) {
        const file = staged[at] as Staged
        if (result.status === 'rejected') await failed(file, 'finish', result.reason)
        else {
          const fact = { is: 'placed', part: file.part.number, as: result.value } as const
          this.#parts.apply(fact)
          this.#journal.note(fact)
          if (file.announced.overwrite !== 'replace') this.#left.push(file.path)
          file.allowance.end(true)
          results[file.index] = result
        }
      }
    } catch (error) {
      await Promise.all(staged.map(file => failed(file, 'finish', error)))
    } finally {
      for (const { announced: { name } } of files) this.#coming.delete(name)
    }
    return results
  }

  #leaveNames (): void {
    for (const path of this.#left.splice(0)) {
      try {
        unlinkSync(path)
      } catch {
        // Whoever clears the folder takes it along.
      }
    }
  }

  async #stage (index: number, { announced, bytes }: Whole): Promise<Staged> {
    const { name } = announced
    this.#assertFree(name)
    const { quota } = this.#host
    const before = this.#parts.of(name)
    this.#coming.add(name)
    if (before !== undefined) await this.#drop(before)
    quota.entry()
    try {
      const allowance = quota.allow(bytes.length)
      allowance.take(bytes.length)
      const part = this.#parts.begin(name)
      return { index, announced, bytes, part, path: this.#folder.pathOf(fileOf(part.number)), allowance }
    } catch (error) {
      quota.leaveEntry()
      throw error
    }
  }

  async #writer (announced: Announced, part: Part, released: () => void): Promise<PartWriter> {
    const { quota, endings } = this.#host
    const path = this.#folder.pathOf(fileOf(part.number))
    const kept = { bytes: part.bytes, verified: Math.min(part.verified, part.bytes) }
    const allowance = quota.allow(Math.max(announced.size ?? 0, kept.bytes), kept.bytes)
    try {
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o777)
      if (fstatSync(fd).size !== kept.bytes) truncate(fd, kept.bytes)
      const writer = new StagedWriter(announced, {
        file: { fd, path, direct: directly(path) },
        endings,
        kept,
        take: bytes => { allowance.take(bytes) },
        verified: bytes => this.#last({ is: 'verified', part: part.number, bytes }),
        sealed: bytes => this.#last({ is: 'sealed', part: part.number, bytes }),
        placed: as => {
          this.#parts.apply({ is: 'placed', part: part.number, as })
          this.#journal.note({ is: 'placed', part: part.number, as })
        },
        remove: () => this.#drop(part),
        released: (left, bytes) => {
          released()
          this.#open.delete(announced.name)
          if (left === 'kept') this.#parts.keep(part.number, bytes)
          // What is kept is counted again by whoever goes on.
          allowance.end(left === 'placed')
          if (left !== 'placed') quota.leaveEntry()
        }
      })
      this.#open.set(announced.name, writer)
      return writer
    } catch (error) {
      allowance.end(false)
      throw error
    }
  }

  /** When it returns, it survives the death of the process. */
  #append (fact: Fact): void {
    this.#parts.apply(fact)
    this.#journal.append(fact)
  }

  /** Resolves when it survives loss of power. */
  async #last (fact: Fact): Promise<void> {
    this.#parts.apply(fact)
    this.#journal.note(fact)
    await this.#journal.sync()
  }

  /** Told first: one that is sealed and gone is one that got its name. */
  async #drop (part: Part): Promise<void> {
    const fact = { is: 'dropped', part: part.number } as const
    try {
      if (part.sealed === undefined) this.#append(fact)
      else await this.#last(fact)
    } finally {
      try {
        unlinkSync(this.#folder.pathOf(fileOf(part.number)))
      } catch {
        // It is gone already.
      }
    }
  }

  /** Compares the journal with what is there. A sealed file whose part is gone, or has two names, got its name before we knew. */
  async #recover (): Promise<void> {
    const found = new Map<number, { size: number, nlink: number }>()
    for (const entry of await readdir(this.#folder.pathOf('.'))) {
      const [, number] = /^(\d+)\.part$/.exec(entry) ?? []
      if (number == null) continue
      const file = await lstat(this.#folder.pathOf(entry))
      if (file.isFile()) found.set(Number(number), file)
      else await unlink(this.#folder.pathOf(entry))
    }
    for (const { part, remove } of this.#parts.recover(found)) {
      if (remove) await unlink(this.#folder.pathOf(fileOf(part))).catch(() => {})
      found.delete(part)
    }
    for (const number of found.keys()) if (!this.#parts.has(number)) await unlink(this.#folder.pathOf(fileOf(number))).catch(() => {})
  }

  #assertFree (name: string): void {
    this.#assertOpen()
    if (this.#open.has(name) || this.#coming.has(name)) throw new ReceiveError('ERR_BUSY', `"${escapeName(name)}" is being received`)
    if (this.isWhole(name)) throw new ReceiveError('ERR_EXISTS', `"${escapeName(name)}" has been received`)
  }

  #assertOpen (): void {
    if (this.#closed) throw new ReceiveError('ERR_CLOSED', 'the transfer is closed')
  }
}

function truncate (fd: number, bytes: number): void {
  try {
    ftruncateSync(fd, bytes)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function fileOf (number: number): string {
  return `${number}.part`
}
