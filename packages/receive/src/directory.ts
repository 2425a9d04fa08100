/**
 * Directories by descriptor. A path is looked up anew at every call, and somebody may have put a symbolic link into it
 * since the last one; a descriptor stays the directory that was checked. On Linux `/proc/self/fd/N/name` is `name` in the
 * directory behind descriptor N and, as only the last component can then be a link, `O_NOFOLLOW` settles it: `openat()` in
 * all but name.
 *
 * Elsewhere there is no such way in; there the same checks are made on paths, and a process of the same machine that
 * exchanges directories at the right moment can get between check and use.
 *
 * Steps that only concern names are taken at once: each is a few microseconds of the system, and a thread would take ten times as
 * long to hand it over. What waits for the disk, a sync, is not.
 *
 * @module
 */
import { closeSync, constants, fchmodSync, fstatSync, futimesSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { ReceiveError, receiveError, systemCode } from './errors.ts'
import { escapeName } from './escape.ts'
import { syncFolder } from './sync.ts'

/** How directories are held: by descriptor, or merely by path. */
export type Confinement = 'descriptor' | 'path'

export class Directory {
  /** For people. Not used for I/O with `descriptor`. */
  readonly path: string
  /** -1 when it is closed: its number may be that of another file by then. */
  #fd: number
  readonly #confinement: Confinement

  private constructor (fd: number, path: string, confinement: Confinement) {
    this.#fd = fd
    this.path = path
    this.#confinement = confinement
  }

  /** Opens the root, which may be reached through links: whoever runs us has chosen it. */
  static async root (path: string, confinement: Confinement): Promise<Directory> {
    const directory = new Directory(openSync(path, LOOK), path, confinement)
    if (confinement === 'path') return directory
    try {
      lstatSync(directory.pathOf('.'))
      return directory
    } catch (error) {
      await directory.close()
      throw new ReceiveError('ERR_UNSUPPORTED', 'no /proc: directories cannot be held by descriptor, only by path', { cause: error })
    }
  }

  /** Where the system finds `name`, which is one component, in this very directory. */
  pathOf (name: string): string {
    return this.#confinement === 'descriptor' ? `/proc/self/fd/${this.#fd}/${name}` : join(this.path, name)
  }

  /** Opens a directory in this one, never through a link. `undefined` when it is missing. */
  async enter (name: string): Promise<Directory | undefined> {
    try {
      const fd = openSync(this.pathOf(name), LOOK | constants.O_NOFOLLOW)
      return new Directory(fd, join(this.path, name), this.#confinement)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOENT') return undefined
      if (code === 'ENOTDIR' || code === 'ELOOP') throw await this.#refusal(name, error)
      throw receiveError(error, `open ${this.#shown(name)}`)
    }
  }

  /** The same, made if it is missing, and then durable. */
  async make (name: string, mode: number = 0o777): Promise<Directory> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const there = await this.enter(name)
      if (there != null) return there
      try {
        mkdirSync(this.pathOf(name), { mode })
        await this.sync()
      } catch (error) {
        // Somebody was faster. Whether it is a directory that may be entered is for the next round to see.
        if (systemCode(error) !== 'EEXIST') throw receiveError(error, `make ${this.#shown(name)}`)
      }
    }
    const made = await this.enter(name)
    if (made == null) throw new ReceiveError('ERR_IO', `${this.#shown(name)} is being changed by somebody else`)
    return made
  }

  /** The same directory, to be closed by itself. */
  async again (): Promise<Directory> {
    return new Directory(openSync(this.pathOf('.'), LOOK), this.path, this.#confinement)
  }

  async stat (): Promise<Stats> {
    return fstatSync(this.#fd)
  }

  async utimes (mtimeMs: number): Promise<void> {
    futimesSync(this.#fd, new Date(), new Date(mtimeMs))
  }

  async chmod (mode: number): Promise<void> {
    fchmodSync(this.#fd, mode)
  }

  /** Makes the entries survive loss of power. Those who wait for one folder at the same time share a sync. */
  async sync (): Promise<void> {
    await syncFolder(this.#fd)
  }

  async close (): Promise<void> {
    if (this.#fd === -1) return
    const fd = this.#fd
    this.#fd = -1
    closeSync(fd)
  }

  async #refusal (name: string, cause: unknown): Promise<ReceiveError> {
    const entry = lstatSync(this.pathOf(name), { throwIfNoEntry: false })
    if (entry?.isFile() === true) return new ReceiveError('ERR_NOT_A_DIRECTORY', `${this.#shown(name)} is a file`, { cause })
    return new ReceiveError('ERR_SYMLINK', `${this.#shown(name)} is a symbolic link, or not a directory`, { cause })
  }

  #shown (name: string): string {
    return escapeName(join(this.path, name))
  }
}

const LOOK = constants.O_RDONLY | constants.O_DIRECTORY
