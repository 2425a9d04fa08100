import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { HOLE_BYTES, WHOLE_FILE_BYTES } from './constants.ts'
import { setMode, type Directory } from './directory.ts'
import { TreeError } from './errors.ts'

/** A large file, or one that was begun before. Blocks of zeros become holes. */
export class FileWriter {
  readonly name: string
  readonly #directory: Directory
  readonly #size: number
  #received = 0
  #written = 0
  #handle: FileHandle | undefined
  /** All of it was there before we were. */
  #whole = false

  constructor (directory: Directory, name: string, size: number) {
    this.#directory = directory
    this.name = name
    this.#size = size
  }

  async open (): Promise<void> {
    this.#handle = await open(this.#directory.at(this.name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  }

  /** Goes on with what whoever was killed has left, who was given `received` bytes: of a file that is not `whole` those. */
  async reopen (received: number, whole: boolean): Promise<void> {
    const path = this.#directory.at(this.name)
    // It may have its permissions already.
    setMode(path, 0o600)
    this.#handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await this.#handle.stat()
    this.#whole = whole
    if (!stats.isFile() || (whole ? stats.size !== this.#size : stats.size > this.#size)) throw new TreeError('ERR_TREE_CHANGED', `${stats.size}, not ${this.#size} bytes`)
    // What came behind comes again, and where there were zeros nothing is written.
    if (!whole) await this.#handle.truncate(received)
    this.#received = received
    this.#written = received
  }

  /** The bytes may be used again when it resolves. */
  async write (bytes: Uint8Array): Promise<void> {
    this.#received += bytes.length
    assertRoom(this.#received, this.#size)
    if (this.#whole || this.#handle === undefined) return
    await this.#put(this.#handle, bytes)
  }

  /** All of it is there: the descriptor of the file, which is open still. */
  async finish (): Promise<number> {
    assertAll(this.#received, this.#size)
    const handle = this.#handle as FileHandle
    if (this.#size > WHOLE_FILE_BYTES) await handle.truncate(this.#size)
    return handle.fd
  }

  async close (): Promise<void> {
    await this.#handle?.close()
  }

  /** With `keep`, what was written stays. */
  async abort (keep: boolean): Promise<void> {
    if (this.#handle === undefined) return
    await this.#handle.close().catch(() => {})
    if (!keep) await unlink(this.#directory.at(this.name)).catch(() => {})
  }

  async #put (handle: FileHandle, bytes: Uint8Array): Promise<void> {
    const start = this.#written
    this.#written += bytes.length
    for (let at = 0; at < bytes.length;) {
      const end = nextHole(bytes, at)
      await writeAll(handle, bytes.subarray(at, end), start + at)
      at = end
      while (at < bytes.length && isZero(bytes.subarray(at, at + HOLE_BYTES))) at += HOLE_BYTES
    }
  }
}

/** Whoever gives the bytes has announced how many there are. */
export function assertRoom (received: number, size: number): void {
  if (received > size) throw new TreeError('ERR_TREE_NAME', `${received} > ${size} bytes`, { remote: true })
}

export function assertAll (received: number, size: number): void {
  if (received !== size) throw new TreeError('ERR_TREE_NAME', `${received}, not ${size} bytes`, { remote: true })
}

const ZEROS = Buffer.alloc(HOLE_BYTES)

/** Where the next block of nothing but zeros begins, from `at` on. */
function nextHole (bytes: Uint8Array, at: number): number {
  let end = at
  while (end < bytes.length && !isZero(bytes.subarray(end, end + HOLE_BYTES))) end += HOLE_BYTES
  return Math.min(end, bytes.length)
}

function isZero (block: Uint8Array): boolean {
  return block[0] === 0 && ZEROS.compare(block, 0, block.length, 0, block.length) === 0
}

async function writeAll (handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}
