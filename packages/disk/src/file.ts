import { closeSync, read as readFile, write as writeFile, writev as writevFile } from 'node:fs'
import { promisify } from 'node:util'

/** The part of a file that is asked here; `FileHandle` of `node:fs/promises` has it. */
export interface DiskFile {
  read (into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  /** Without a position, where the file is. */
  write (bytes: Uint8Array, offset: number, length: number | undefined, position: number | undefined): Promise<{ bytesWritten: number }>
  writev (vectors: Uint8Array[], position: number | undefined): Promise<{ bytesWritten: number }>
  close (): void | Promise<void>
}

/** The file behind a descriptor, which closing it closes at once. */
export function fileOf (fd: number): DiskFile {
  return {
    read: (into, offset, length, position) => read(fd, into, offset, length, position),
    write: (bytes, offset, length, position) => write(fd, bytes, offset, length, position),
    writev: (vectors, position) => writev(fd, vectors, position),
    close: () => { closeSync(fd) }
  }
}

const read = promisify(readFile)
const write = promisify(writeFile)
const writev = promisify(writevFile)
