import { closeSync, fchmodSync, fstatSync, ftruncateSync, futimesSync } from 'node:fs'
import { DirectFile, fileOf, SyncBehind, vectorsOf, writeAll, writeAtOnce, type DiskFile } from '@ropewalk/disk'
import type { Bytes } from '@ropewalk/interface'
import { ALLOWED_MODE, OWNER_MODE, READ_BYTES, SMALL_FILE_BYTES } from './constants.ts'
import { ReceiveError, receiveError } from './errors.ts'
import { escapeName } from './escape.ts'
import type { Endings } from './endings.ts'
import type { Overwrite } from './placement.ts'
import type { StagedFile } from './staging.ts'
import { datasync } from './sync.ts'

/** A file that was received whole. */
export interface ReceivedFile {
  readonly path: string
  /** As it is below the root; another than asked for with `overwrite: 'rename'`. */
  readonly name: string
  readonly size: number
}

/** Takes the content of one file. */
export interface ReceiveWriter extends AsyncDisposable {
  /** The name in its normal form. */
  readonly name: string
  /** Bytes written. */
  readonly size: number
  /** Appends. Resolves when the system has the bytes; the array may then be reused. */
  write (bytes: Bytes): Promise<void>
  /** Gives the file its name. When it resolves, the file is whole and survives loss of power. */
  finish (): Promise<ReceivedFile>
  /** Removes what was written. Idempotent; never throws; does nothing to a finished file. Disposing does the same. */
  abort (): Promise<void>
}

/** Takes the content of one file of a transfer, and leaves what it has to one that goes on. */
export interface PartWriter extends ReceiveWriter {
  /** So many of its first bytes were verified before. */
  readonly verified: number
  /** What is there already, to be verified. */
  read (start: number, end: number): AsyncIterable<Uint8Array>
  /** All that was written is verified. When it resolves, it is known after `kill -9`, and after loss of power. Writes need not wait for it. */
  verify (): Promise<void>
  /** Ends without the file, and keeps what was written, at most its first `most` bytes. Resolves to how many that are. Never throws. */
  keep (most?: number): Promise<number>
}

/** Where a writer's file lies, and who wants to know what becomes of it. */
export interface WriterHome {
  readonly file: StagedFile
  readonly endings: Endings
  /** Bytes that are there already, and how many of them are verified. */
  readonly kept?: { readonly bytes: number, readonly verified: number } | undefined
  /** Before `bytes` are written; throws when they are more than there may be. */
  take (bytes: number): void
  /** The first so many bytes survive loss of power, and are verified. */
  verified? (bytes: number): Promise<void>
  /** The file is whole. What resolves survives loss of power. */
  sealed? (bytes: number): Promise<void>
  /** It has its name. */
  placed? (name: string): void
  remove (): Promise<void>
  /** The writer has come to its end. */
  released (left: 'placed' | 'kept' | 'removed', bytes: number): void
}

/** What the sender said of the file, checked. */
export interface Announced {
  readonly name: string
  readonly path: (name: string) => string
  readonly size: number | undefined
  readonly maxBytes: number
  readonly mode: number | undefined
  readonly mtimeMs: number | undefined
  readonly overwrite: Overwrite
}

export class StagedWriter implements PartWriter {
  readonly verified: number
  readonly #announced: Announced
  readonly #home: WriterHome
  readonly #file: DiskFile
  readonly #direct: DirectFile | undefined
  readonly #behind: SyncBehind
  #size: number
  #open = true
  #tail: Promise<unknown> = Promise.resolve()
  /** Syncs that are under way beside the writes. */
  #verifying: Promise<unknown> | undefined
  #failure: ReceiveError | undefined
  #ended: 'finishing' | 'aborted' | 'kept' | undefined
  #ending: Promise<void> | undefined

  constructor (announced: Announced, home: WriterHome) {
    this.#announced = announced
    this.#home = home
    this.#file = fileOf(home.file.fd)
    this.#direct = home.file.direct === undefined ? undefined : new DirectFile(home.file.direct)
    this.#size = home.kept?.bytes ?? 0
    this.#behind = new SyncBehind(() => datasync(home.file.fd), error => { this.#failure = receiveError(error, `sync "${escapeName(this.name)}"`) }, this.#size)
    this.verified = home.kept?.verified ?? 0
  }

  get name (): string {
    return this.#announced.name
  }

  get size (): number {
    return this.#size
  }

  write (bytes: Bytes): Promise<void> {
    return this.#inTurn(() => this.#append(bytes))
  }

  /** What the file has already is all of its content. */
  adopt (): Promise<void> {
    return this.#inTurn(async () => { this.#size = this.#admit(fstatSync(this.#home.file.fd).size) })
  }

  finish (): Promise<ReceivedFile> {
    const finished = this.#inTurn(() => this.#finish())
    this.#ended ??= 'finishing'
    return finished
  }

  async * read (start: number, end: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = start; at < end;) {
      const buffer = new Uint8Array(Math.min(READ_BYTES, end - at))
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) throw new ReceiveError('ERR_IO', `"${escapeName(this.name)}" has become shorter: ${at} < ${end} bytes`)
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  verify (): Promise<void> {
    const verified = this.#inTurn(async () => this.#size).then(async bytes => {
      await datasync(this.#home.file.fd)
      await this.#home.verified?.(bytes)
    })
    this.#verifying = Promise.allSettled([this.#verifying, verified])
    return verified
  }

  async keep (most: number = Infinity): Promise<number> {
    // What is about to be whole will be.
    if (this.#ended === 'finishing') await this.#tail
    if (this.#ended === undefined) {
      this.#ended = 'kept'
      this.#ending = this.#tail.then(async () => {
        await this.#verifying
        await this.#behind.settled()
        if (most < this.#size) this.#truncate(most)
        this.#close()
        this.#home.released('kept', this.#size)
      })
    }
    await this.#ending
    return this.#size
  }

  async abort (): Promise<void> {
    if (this.#ended === 'kept') return await this.#ending
    this.#ended = 'aborted'
    this.#ending ??= this.#tail.then(() => this.#drop())
    await this.#ending
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.abort()
  }

  /** Calls that overlap are done one after the other, in the order they were made. */
  #inTurn<T> (work: () => Promise<T>): Promise<T> {
    if (this.#ended != null) return Promise.reject(new ReceiveError('ERR_CLOSED', `"${escapeName(this.name)}" is ${this.#ended === 'finishing' ? 'finished' : this.#ended}`))
    const done = this.#tail.then(async () => {
      if (this.#failure != null) throw this.#failure
      return await work()
    })
    this.#tail = done.catch(() => {})
    return done
  }

  async #append (bytes: Bytes): Promise<void> {
    const { size } = this.#announced
    try {
      const total = this.#admit(bytes.byteLength)
      // Of a file so small the system has the bytes before a thread would have begun.
      if (size != null && size <= SMALL_FILE_BYTES) writeAtOnce(this.#home.file.fd, bytes, this.#size)
      else await writeAll(this.#file, vectorsOf(bytes), this.#size, this.#direct)
      this.#size = total
      this.#behind.wrote(bytes.byteLength)
    } catch (error) {
      this.#failure = receiveError(error, `write ${bytes.byteLength} bytes of "${escapeName(this.name)}" at ${this.#size}`)
      throw this.#failure
    }
  }

  /** The size with `bytes` more, if there may be so many. */
  #admit (bytes: number): number {
    const { size, maxBytes } = this.#announced
    const total = this.#size + bytes
    if (size != null && total > size) throw this.#wrongSize(total, '>', size)
    if (total > maxBytes) throw this.#wrongSize(total, '>', maxBytes)
    this.#home.take(bytes)
    return total
  }

  async #finish (): Promise<ReceivedFile> {
    const { name, path, size, overwrite } = this.#announced
    try {
      if (size != null && size !== this.#size) throw this.#wrongSize(this.#size, '<', size)
      await this.#dress()
      const placed = await this.#home.endings.end({
        fd: this.#home.file.fd,
        staged: this.#home.file.path,
        name,
        overwrite,
        // In this order: what is said to be whole is.
        sealed: async () => { await this.#home.sealed?.(this.#size) },
        check: () => { if (this.#ended === 'aborted') throw new ReceiveError('ERR_CLOSED', `"${escapeName(name)}" is aborted`) }
      })
      this.#ending = Promise.resolve()
      this.#close()
      this.#home.placed?.(placed)
      this.#home.released('placed', this.#size)
      return { path: path(placed), name: placed, size: this.#size }
    } catch (error) {
      await this.#drop()
      throw receiveError(error, `finish "${escapeName(name)}"`)
    }
  }

  /** Permissions and time go to the descriptor, before the file has a name that others know. */
  async #dress (): Promise<void> {
    const { fd } = this.#home.file
    const { mode, mtimeMs } = this.#announced
    await this.#verifying
    await this.#behind.settled()
    if (this.#failure != null) throw this.#failure
    // It was made with every permission, so what it has is what the umask leaves.
    const permitted = fstatSync(fd).mode & ALLOWED_MODE
    fchmodSync(fd, ((mode ?? 0o666) & permitted) | OWNER_MODE)
    if (mtimeMs != null) futimesSync(fd, new Date(), new Date(mtimeMs))
  }

  /** Done twice, it does nothing more. */
  async #drop (): Promise<void> {
    await this.#verifying
    await this.#behind.settled()
    this.#close()
    await this.#home.remove().catch(() => {})
    this.#home.released('removed', this.#size)
  }

  /** Best done, not needed: what is behind is not said to be kept. */
  #truncate (bytes: number): void {
    try {
      ftruncateSync(this.#home.file.fd, bytes)
      this.#size = bytes
    } catch {
      // What is there is kept.
    }
  }

  #close (): void {
    if (!this.#open) return
    this.#open = false
    void this.#direct?.close()
    closeSync(this.#home.file.fd)
  }

  #wrongSize (found: number, relation: '<' | '>', wanted: number): ReceiveError {
    return new ReceiveError('ERR_SIZE', `"${escapeName(this.name)}": ${found} ${relation} ${wanted} bytes`)
  }
}
