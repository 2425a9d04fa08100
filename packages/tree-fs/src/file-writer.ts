import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { HOLE_BYTES, WHOLE_FILE_BYTES } from './constants.ts'
import { setMode, type Directory } from './directory.ts'
import { TreeError } from './errors.ts'

/** A new file. Small ones are kept until they are whole; of large ones, blocks of zeros become holes. */
export class FileWriter {
  readonly name: string
  readonly #directory: Directory
  readonly #size: number
  #pieces: Uint8Array[] = []
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

  get isOpen (): boolean {
    return this.#handle !== undefined
  }

  async open (): Promise<void> {
    this.#handle = await open(this.#directory.at(this.name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  }

  /** Goes on with what whoever was killed has left, who was given `received` bytes: of a file that is not `whole` those. */
  async reopen (received: number, whole: boolean): Promise<void> {
    const path = this.#directory.at(this.name)
    // It may have its permissions already.
    await setMode(path, 0o600)
    this.#handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stats = await this.#handle.stat()
    this.#whole = whole
    if (!stats.isFile() || (whole ? stats.size !== this.#size : stats.size > this.#size)) throw new TreeError('ERR_TREE_CHANGED', `${stats.size}, not ${this.#size} bytes`)
    // What came behind comes again, and where there were zeros nothing is written.
    if (!whole) await this.#handle.truncate(received)
    this.#received = received
    this.#written = received
  }

  /** Waits for the disk with large files only. The bytes may be used again when it resolves. */
  async write (bytes: Uint8Array): Promise<void> {
    this.#received += bytes.length
    if (this.#received > this.#size) throw new TreeError('ERR_TREE_NAME', `${this.#received} > ${this.#size} bytes`, { remote: true })
    if (this.#whole) return
    if (this.#handle === undefined) this.#pieces.push(bytes.slice())
    else await this.#put(this.#handle, bytes)
  }

  /** All of it is there: the file, open still. */
  async finish (): Promise<FileHandle> {
    if (this.#received !== this.#size) throw new TreeError('ERR_TREE_NAME', `${this.#received}, not ${this.#size} bytes`, { remote: true })
    if (this.#handle === undefined) await this.open()
    const handle = this.#handle as FileHandle
    for (const piece of this.#pieces) await this.#put(handle, piece)
    this.#pieces = []
    if (this.#size > 0 && this.#size > WHOLE_FILE_BYTES) await handle.truncate(this.#size)
    return handle
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
    if (this.#size <= WHOLE_FILE_BYTES) return await writeAll(handle, bytes, start)
    for (let at = 0; at < bytes.length;) {
      const end = nextHole(bytes, at)
      await writeAll(handle, bytes.subarray(at, end), start + at)
      at = end
      while (at < bytes.length && isZero(bytes.subarray(at, at + HOLE_BYTES))) at += HOLE_BYTES
    }
  }
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
