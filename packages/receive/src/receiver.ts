/**
 * Files under names that somebody else chose. The name is checked once, and what was checked is what is used; nothing
 * below the root is reached through a link; a file has its name only when it is whole; and nothing is overwritten unasked.
 *
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { AbortOptions } from '@ropewalk/interface'
import { KEEP_MS, STALE_AFTER_MS } from './constants.ts'
import { Directory, type Confinement } from './directory.ts'
import { receiveError } from './errors.ts'
import { escapeName } from './escape.ts'
import type { PartWriter, ReceivedFile, ReceiveWriter } from './file-writer.ts'
import { DirectoryReceiver } from './directory-receiver.ts'
import type { Links } from './link.ts'
import type { Overwrite } from './placement.ts'
import { Staging } from './staging.ts'

export interface ReceiverOptions {
  /** Bytes of one file. Unlimited by default. */
  maxFileBytes?: number | undefined
  /** Bytes of all files together. Unlimited by default. */
  maxTotalBytes?: number | undefined
  /** Files, folders and links together, folders made on the way not counted. Unlimited by default. */
  maxEntries?: number | undefined
  /** Take symbolic links: those that cannot lead out of the root, or any. `refuse` by default. */
  links?: Links | undefined
  /** Take names that something runs or trusts unasked, as `.ssh/authorized_keys` in a home. `refuse` by default, with `ERR_DANGEROUS`. */
  dangerous?: 'refuse' | 'allow' | undefined
  /** Refuse names that only Windows refuses, for instance with a `?`. Off by default. */
  portable?: boolean | undefined
  /** `refuse` names that differ from one that exists only in case, with `ERR_COLLISION`. `allow` by default. */
  collisions?: 'allow' | 'refuse' | undefined
  /** `path` gives up race-free confinement. By default `descriptor` on Linux, and `path` where there is nothing better. */
  confinement?: Confinement | undefined
  /** When left-overs go of which nobody can tell whether their process lives. A day by default. */
  staleAfterMs?: number | undefined
  /** How long a transfer that was broken off is kept for whoever goes on. A week by default. */
  keepMs?: number | undefined
}

export interface FileOptions extends AbortOptions {
  /** Bytes that the file must have in the end. Nothing is allocated by it. */
  size?: number | undefined
  /** Permissions that the sender asks for. The umask applies; setuid, setgid and sticky are dropped; the owner can always read and write. */
  mode?: number | undefined
  /** When the file was last changed, in milliseconds since 1970. */
  mtimeMs?: number | undefined
  /** What to do when the name is taken. `refuse` by default. */
  overwrite?: Overwrite | undefined
}

/** A file that is there whole, and small. */
export interface WholeFile extends Omit<FileOptions, 'size' | 'signal'> {
  readonly name: string
  /** All of its content. Left alone until it is written. */
  readonly bytes: Uint8Array
}

export interface FolderOptions extends AbortOptions {
  /** Permissions that the sender asks for. The umask applies; setuid, setgid and sticky are dropped; the owner can do everything. */
  mode?: number | undefined
  mtimeMs?: number | undefined
  /** Give permissions and time also to a folder that was there. Off by default. */
  adopt?: boolean | undefined
}

export interface LinkOptions extends AbortOptions {
  mtimeMs?: number | undefined
  overwrite?: Exclude<Overwrite, 'rename'> | undefined
}

export interface TransferOptions extends AbortOptions {
  /** Bytes of all its files, and how many entries it has: refused at once when that is more than may be, or than is free. */
  bytes?: number | undefined
  entries?: number | undefined
}

/** Many files that belong together, and of which what is there survives: whoever opens a transfer of the same id goes on. */
export interface ReceiveTransfer extends AsyncDisposable {
  /** Whether that file or link has been received, in this or an earlier life. */
  isWhole (name: string): boolean
  /** Where the next writer of that file goes on. */
  keptBytes (name: string): number
  /** Begins a file, or goes on behind what is kept: `writer.size` bytes. An aborted signal keeps what was written. */
  file (name: string, options?: FileOptions): Promise<PartWriter>
  /**
   * Many files at once, which takes a fraction of the time where they are small, up to 64 KiB: they are written, synced and named together. Resolves when each
   * has its name, as `finish` gives it, or has none and why; in their order. What was kept of them is removed. The signal is looked at before they are written.
   */
  files (files: readonly WholeFile[], options?: AbortOptions): Promise<Array<PromiseSettledResult<ReceivedFile>>>
  /** Permissions and time are given by `finish`. True when the folder was not there. */
  directory (name: string, options?: Omit<FolderOptions, 'adopt'>): Promise<boolean>
  link (name: string, target: string, options?: LinkOptions): Promise<void>
  /** Everything is there. `ERR_BUSY` while a file is not finished. */
  finish (): Promise<void>
  /** Keeps what is not whole. Idempotent; disposing does the same. */
  close (): Promise<void>
  /** Removes what is not whole; files that are stay. */
  discard (): Promise<void>
}

/** Writes files below one root. */
export interface Receiver extends AsyncDisposable {
  /** The root, absolute. */
  readonly root: string
  readonly confinement: Confinement
  /** Checks the name and begins a file. Aborting the signal, now or later, removes what was written. */
  file (name: string, options?: FileOptions): Promise<ReceiveWriter>
  /**
   * The same for a whole file at `path`, on the file system of the root, without a copy. It keeps that name too, so remove it, and write no more to it.
   * `ERR_UNSUPPORTED` where the file system is another, or has no links.
   */
  adopt (path: string, name: string, options?: FileOptions): Promise<ReceivedFile>
  /** Makes a folder and those it is in. True when it was not there. */
  directory (name: string, options?: FolderOptions): Promise<boolean>
  /** Makes a symbolic link, where `links` says so. */
  link (name: string, target: string, options?: LinkOptions): Promise<void>
  /** `id` may be any string. `ERR_BUSY` while somebody else has that transfer open. */
  transfer (id: string, options?: TransferOptions): Promise<ReceiveTransfer>
  /** Aborts what is open, keeps what transfers have, and clears the staging folder. Idempotent. */
  close (): Promise<void>
}

/** Opens the root, which is made if it is missing, and clears away what dead receivers have left in its staging folder. */
export async function openReceiver (root: string, options: ReceiverOptions = {}): Promise<Receiver> {
  const limits = { maxFileBytes: Infinity, maxTotalBytes: Infinity, maxEntries: Infinity, staleAfterMs: STALE_AFTER_MS, keepMs: KEEP_MS }
  for (const key of Object.keys(limits) as Array<keyof typeof limits>) {
    const value = options[key] ?? limits[key]
    if (!(value >= 0)) throw new RangeError(`${key} ${value}`)
    limits[key] = value
  }
  const confinement = options.confinement ?? (process.platform === 'linux' ? 'descriptor' : 'path')
  const path = resolve(root)
  let directory: Directory | undefined

  try {
    await mkdir(path, { recursive: true })
    directory = await Directory.root(path, confinement)
    const staging = await Staging.open(directory, limits.staleAfterMs, limits.keepMs)
    return new DirectoryReceiver(path, confinement, directory, staging, { ...options, ...limits })
  } catch (error) {
    await directory?.close()
    throw receiveError(error, `open ${escapeName(path)} for receiving`)
  }
}
