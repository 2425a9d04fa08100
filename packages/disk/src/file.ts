import { closeSync, read as readFile, writev as writevFile } from 'node:fs'
import { promisify } from 'node:util'

/** The part of a file that is asked here; `FileHandle` of `node:fs/promises` has it. */
export interface DiskFile {
  read (into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  writev (vectors: Uint8Array[], position: number): Promise<{ bytesWritten: number }>
  close (): void | Promise<void>
}

/** The file behind a descriptor, which closing it closes at once. */
export function fileOf (fd: number): DiskFile {
  return {
    read: (into, offset, length, position) => read(fd, into, offset, length, position),
    writev: (vectors, position) => writev(fd, vectors, position),
    close: () => { closeSync(fd) }
  }
}

const read = promisify(readFile)
const writev = promisify(writevFile)
