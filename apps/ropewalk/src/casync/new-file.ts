/**
 * A file that appears under its name when it is whole and durable, or not at all. Its errors are those of the system.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from '@ropewalk/disk'
import type { IncomingFile } from '@ropewalk/protocol-casync'

export class NewFile implements IncomingFile {
  readonly path: string
  readonly #temporary: string
  readonly #handle: FileHandle

  private constructor (path: string, temporary: string, handle: FileHandle) {
    this.path = path
    this.#temporary = temporary
    this.#handle = handle
  }

  /** Opens a file of another name beside `path`, as casync does. */
  static async open (path: string): Promise<NewFile> {
    const temporary = join(dirname(path), `.#${basename(path)}${randomBytes(8).toString('hex')}`)
    // The other name is nobody's business: it is the folder that is not there, or may not be written to.
    return new NewFile(path, temporary, await open(temporary, 'wx+').catch((error: Error) => { throw Object.assign(error, { path: dirname(path) }) }))
  }

  async write (bytes: Uint8Array): Promise<void> {
    await this.#handle.appendFile(bytes)
  }

  async commit (): Promise<void> {
    try {
      await this.#handle.sync()
      await this.#handle.close()
      await rename(this.#temporary, this.path)
      await syncDirectory(dirname(this.path))
    } catch (error) {
      await this.discard()
      throw error
    }
  }

  async discard (): Promise<void> {
    await this.#handle.close().catch(() => {})
    await rm(this.#temporary, { force: true })
  }
}
