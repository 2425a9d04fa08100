/**
 * The file system as the store uses it. What is little is done at once, what can take long in a thread.
 *
 * @module
 */
import * as fs from 'node:fs'
import type { Stats } from 'node:fs'
import { lstat, mkdir, readdir, rename, rm, statfs, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AT_ONCE_BYTES } from './constants.ts'
import { StoreError, systemCode } from './errors.ts'
import { LoopBudget } from './loop-budget.ts'

/** The part of a `FileHandle` that the store uses. */
export interface StoreFile {
  read (into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  write (bytes: Uint8Array, offset: number, length: number | undefined, position: number): Promise<{ bytesWritten: number }>
  writev (vectors: Uint8Array[], position: number): Promise<{ bytesWritten: number }>
  stat (): Promise<Stats>
  truncate (length: number): Promise<void>
  datasync (): Promise<void>
  sync (): Promise<void>
  close (): Promise<void>
}

/** The part of `node:fs/promises` that the store uses. Give another one to inject faults. */
export interface FileSystem {
  open (path: string, flags: number, mode?: number): Promise<StoreFile>
  /** Undefined where there is nothing. */
  lstat (path: string): Promise<Stats | undefined>
  mkdir: typeof mkdir
  readdir: typeof readdir
  rename (from: string, to: string): Promise<void>
  rm: typeof rm
  statfs (path: string): Promise<{ bavail: number, bsize: number }>
  unlink (path: string): Promise<void>
}

const budget = new LoopBudget(() => performance.now())

export const nodeFileSystem: FileSystem = {
  open: async (path, flags, mode) => new DescriptorFile(await budget.run(() => fs.openSync(path, flags, mode), () => openFile(path, flags, mode))),
  lstat: path => budget.run(() => fs.lstatSync(path, { throwIfNoEntry: false }), () => lstat(path).catch(absent)),
  mkdir,
  readdir,
  rename: (from, to) => budget.run(() => { fs.renameSync(from, to) }, () => rename(from, to)),
  rm,
  statfs: path => budget.run(() => fs.statfsSync(path), () => statfs(path)),
  unlink: path => budget.run(() => { fs.unlinkSync(path) }, () => unlink(path))
}

class DescriptorFile implements StoreFile {
  readonly #open: number
  /** Calls that threads are at. */
  #running = 0
  #idle = (): void => {}
  #closed: Promise<void> | undefined

  constructor (fd: number) {
    this.#open = fd
  }

  /** Not of a closed file: its number may be another's by now. */
  get #fd (): number {
    if (this.#closed !== undefined) throw new StoreError('ERR_CLOSED', 'the file is closed')
    return this.#open
  }

  read (into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    const later = (): Promise<{ bytesRead: number }> => this.#inThread(() => readFile(this.#fd, into, offset, length, position))
    return length > AT_ONCE_BYTES ? later() : budget.run(() => ({ bytesRead: fs.readSync(this.#fd, into, offset, length, position) }), later)
  }

  write (bytes: Uint8Array, offset: number, length: number = bytes.length - offset, position: number): Promise<{ bytesWritten: number }> {
    const later = (): Promise<{ bytesWritten: number }> => this.#inThread(() => writeFile(this.#fd, bytes, offset, length, position))
    return length > AT_ONCE_BYTES ? later() : budget.run(() => ({ bytesWritten: fs.writeSync(this.#fd, bytes, offset, length, position) }), later)
  }

  writev (vectors: Uint8Array[], position: number): Promise<{ bytesWritten: number }> {
    return this.#inThread(() => writevFile(this.#fd, vectors, position))
  }

  stat (): Promise<Stats> {
    return budget.run(() => fs.fstatSync(this.#fd), () => this.#inThread(() => statFile(this.#fd)))
  }

  truncate (length: number): Promise<void> {
    return this.#inThread(() => truncateFile(this.#fd, length))
  }

  datasync (): Promise<void> {
    return this.#inThread(() => datasyncFile(this.#fd))
  }

  sync (): Promise<void> {
    return this.#inThread(() => syncFile(this.#fd))
  }

  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Not while a thread is at it: the descriptor could be another file's by then. */
  async #close (): Promise<void> {
    if (this.#running > 0) await new Promise<void>(resolve => { this.#idle = resolve })
    await budget.run(() => { fs.closeSync(this.#open) }, () => closeFile(this.#open))
  }

  async #inThread<T> (call: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await call()
    } finally {
      if (--this.#running === 0) this.#idle()
    }
  }
}

const openFile = promisify(fs.open)
const readFile = promisify(fs.read)
const writeFile = promisify(fs.write)
const writevFile = promisify(fs.writev)
const statFile = promisify(fs.fstat)
const truncateFile = promisify(fs.ftruncate)
const datasyncFile = promisify(fs.fdatasync)
const syncFile = promisify(fs.fsync)
const closeFile = promisify(fs.close)

function absent (error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}
