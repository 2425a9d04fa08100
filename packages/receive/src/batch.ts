/**
 * Small files, many in a row, to the disk. Each is a few steps of some microseconds, which are taken at once; what takes time is that they last, and for
 * that one flush of their file system does, where a sync of each would wait for the disk as often. Where one file is refused, the others are not.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fstatSync, futimesSync, openSync } from 'node:fs'
import { release } from 'node:os'
import { Flusher, writeAtOnce } from '@ropewalk/disk'
import { ALLOWED_MODE, BUSY_DISK_BYTES, FLUSH_FROM_FILES, OWNER_MODE } from './constants.ts'
import { fsync } from './sync.ts'
import { isMuchWaiting, isSince } from './waiting.ts'

/** One file, and where it is made. */
export interface BatchFile {
  readonly path: string
  readonly bytes: Uint8Array
  readonly mode: number | undefined
  readonly mtimeMs: number | undefined
}

/** How they come to last. */
export interface BatchDisk {
  /** Everything that was written, at once. False where that cannot be had, and then each file is synced. */
  flush (): Promise<boolean>
  sync (fd: number): Promise<void>
}

/** From syncfs(2): since Linux 5.8 a flush fails where anything could not be written; before that it did not say so. */
const TELLS_LOSSES = process.platform === 'linux' && isSince(release(), 5, 8)

/** The one that `folder` is on. */
export class FolderDisk implements BatchDisk {
  readonly sync: (fd: number) => Promise<void> = fsync
  readonly #flusher: Flusher

  constructor (folder: string) {
    this.#flusher = new Flusher(folder)
  }

  async flush (): Promise<boolean> {
    return TELLS_LOSSES && !isMuchWaiting(BUSY_DISK_BYTES) && await this.#flusher.flush()
  }

  close (): void {
    this.#flusher.close()
  }
}

/** The bytes are written when this returns. Resolves to what went wrong, by the index of the file: all others survive loss of power. */
export async function writeBatch (files: readonly BatchFile[], disk: BatchDisk): Promise<Map<number, unknown>> {
  const failed = new Map<number, unknown>()
  const written: Array<readonly [index: number, fd: number]> = []
  for (const [index, file] of files.entries()) {
    try {
      written.push([index, write(file)])
    } catch (error) {
      failed.set(index, error)
    }
  }
  try {
    if (written.length >= FLUSH_FROM_FILES && await disk.flush()) return failed
    await Promise.all(written.map(async ([index, fd]) => { await disk.sync(fd).catch((error: unknown) => { failed.set(index, error) }) }))
  } finally {
    for (const [, fd] of written) closeSync(fd)
  }
  return failed
}

function write ({ path, bytes, mode, mtimeMs }: BatchFile): number {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o777)
  try {
    writeAtOnce(fd, bytes, 0)
    // It was made with every permission, so what it has is what the umask leaves.
    const permitted = fstatSync(fd).mode & ALLOWED_MODE
    fchmodSync(fd, ((mode ?? 0o666) & permitted) | OWNER_MODE)
    if (mtimeMs !== undefined) futimesSync(fd, Date.now() / 1000, mtimeMs / 1000)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
