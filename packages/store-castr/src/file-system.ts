import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, mkdir, open, readdir, rename, unlink, utimes } from 'node:fs/promises'
import { castrError, systemCode } from './errors.ts'
import { ABSENT } from './read-chunk.ts'

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

/** Of what is in a folder, in their order. None where there is no folder. */
export async function namesIn (fs: FileSystem, directory: string): Promise<string[]> {
  try {
    return (await fs.readdir(directory)).sort()
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? '')) return []
    throw castrError(error, `list ${directory}`)
  }
}
