/**
 * Writes small files, many in a row, and brings them to the disk: steps of a few microseconds each, of which a pool of threads would take tens to hand
 * over. Where one file is refused by the system, the others are not.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fstatSync, futimesSync, openSync, unlinkSync } from 'node:fs'
import { writeAtOnce } from '@ropewalk/disk'
import { ALLOWED_MODE, FLUSH_FROM_FILES, OWNER_MODE } from './constants.ts'
import { systemCode } from './errors.ts'

/** One file: where it is made, and which of the shared bytes it has. */
export interface BatchFile {
  readonly path: string
  readonly begin: number
  readonly end: number
  readonly mode: number | undefined
  readonly mtimeMs: number | undefined
}

/** Files in the shared memory. `folder` is on their file system, as other processes find it. */
export interface BatchWork {
  readonly memory: Uint8Array
  readonly folder: string
  readonly files: readonly BatchFile[]
  /** Names of earlier ones that are not needed any more. Removed first: while new files are synced, their folder is left alone. */
  readonly remove: readonly string[]
}

/** What the system said of a file. All others survive loss of power. */
export type BatchTold = ReadonlyArray<{ readonly index: number, readonly code: string | undefined, readonly message: string }>

/** How they get there. */
export interface BatchDisk {
  /** Everything on the file system of `folder` at once. False where that cannot be had, and then each file is synced. */
  flush (folder: string): boolean
  sync (fd: number): void
}

export function writeBatch ({ memory, folder, files, remove }: BatchWork, disk: BatchDisk): BatchTold {
  for (const path of remove) {
    try {
      unlinkSync(path)
    } catch {
      // Whoever clears the folder takes it along.
    }
  }
  const told: Array<BatchTold[number]> = []
  const open: Array<readonly [index: number, fd: number]> = []
  const attempt = (index: number, work: () => void): boolean => {
    try {
      work()
      return true
    } catch (error) {
      told.push({ index, code: systemCode(error), message: String(error) })
      return false
    }
  }
  for (const [index, file] of files.entries()) {
    attempt(index, () => {
      const fd = openSync(file.path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o777)
      if (attempt(index, () => { write(fd, file, memory) })) open.push([index, fd])
      else closeSync(fd)
    })
  }
  // The disk takes them all at once then, and makes them last once, which costs it as much as for one of them.
  const flushed = open.length >= FLUSH_FROM_FILES && disk.flush(folder)
  for (const [index, fd] of open) {
    if (!flushed) attempt(index, () => { disk.sync(fd) })
    closeSync(fd)
  }
  return told
}

function write (fd: number, { begin, end, mode, mtimeMs }: BatchFile, memory: Uint8Array): void {
  writeAtOnce(fd, memory.subarray(begin, end), 0)
  // It was made with every permission, so what it has is what the umask leaves.
  const permitted = fstatSync(fd).mode & ALLOWED_MODE
  fchmodSync(fd, ((mode ?? 0o666) & permitted) | OWNER_MODE)
  if (mtimeMs !== undefined) futimesSync(fd, Date.now() / 1000, mtimeMs / 1000)
}
