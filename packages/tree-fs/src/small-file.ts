import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs'
import type { Directory } from './directory.ts'
import { assertAll, assertRoom } from './file-writer.ts'

/** A new file of which every step is a few microseconds of the system: all of them are taken at once. */
export class SmallFile {
  readonly name: string
  readonly #directory: Directory
  readonly #size: number
  #received = 0
  #fd: number | undefined

  constructor (directory: Directory, name: string, size: number) {
    this.#directory = directory
    this.name = name
    this.#size = size
  }

  write (bytes: Uint8Array): void {
    const start = this.#received
    this.#received += bytes.length
    assertRoom(this.#received, this.#size)
    const fd = this.#open()
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, start + done)
  }

  /** All of it is there: its descriptor, which is open still. */
  finish (): number {
    assertAll(this.#received, this.#size)
    return this.#open()
  }

  close (): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** Nothing of it stays. */
  abort (): void {
    if (this.#fd === undefined) return
    try {
      this.close()
      unlinkSync(this.#directory.at(this.name))
    } catch {
      // It is what stands in the way of something else, of which somebody is told.
    }
  }

  #open (): number {
    return this.#fd ??= openSync(this.#directory.at(this.name), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  }
}
