import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, mkdir, open, readdir, rename, unlink, utimes } from 'node:fs/promises'

/** The part of `node:fs/promises` that the store uses. Give another one to inject faults. */
export interface FileSystem {
  open (path: string, flags: number, mode?: number): Promise<FileHandle>
  lstat (path: string): Promise<Stats>
  mkdir: typeof mkdir
  readdir: typeof readdir
  rename: typeof rename
  unlink: typeof unlink
  utimes: typeof utimes
}

export const nodeFileSystem: FileSystem = { open, lstat, mkdir, readdir, rename, unlink, utimes }
