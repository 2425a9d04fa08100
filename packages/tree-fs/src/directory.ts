/**
 * Folders by descriptor: a path is looked up anew at every call, and somebody may have put a link into it since; a descriptor stays the folder
 * that was opened. On Linux `/proc/self/fd/N/name` is `name` in the folder behind descriptor N, and only the last component can then be a link.
 *
 * Steps that only concern names are taken at once: each is a few microseconds of the system, and a thread would take ten times as long to hand it over.
 * What may take long is not: a sync, and removing a tree.
 *
 * @module
 */
import { chmodSync, closeSync, constants, fstatSync, fsync, lstatSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { systemCode } from './errors.ts'
import { bytesOf, nameOf, pathOf, temporary } from './path.ts'

/** A descriptor that says which folder, and needs none of its permissions. From Linux; Node has no name for it. */
const O_PATH = 0o10000000

export class Directory {
  /** -1 when it is closed: its number may be that of another file by then. */
  #fd: number

  constructor (fd: number) {
    this.#fd = fd
  }

  static open (path: string | Buffer, follow: boolean = false): Directory {
    return new Directory(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | (follow ? 0 : constants.O_NOFOLLOW)))
  }

  get fd (): number {
    return this.#fd
  }

  /** Where the system finds the folder itself. */
  get path (): string {
    return `/proc/self/fd/${this.#fd}`
  }

  /** Where the system finds `name` in it, which is one component. */
  at (name: string): string | Buffer {
    const place = pathOf(name)
    return typeof place === 'string' ? `${this.path}/${place}` : Buffer.concat([Buffer.from(`${this.path}/`), bytesOf(name)])
  }

  /** A new folder in it, open to nobody else; with `reuse` the one that is there. */
  make (name: string, reuse: boolean): Directory {
    try {
      mkdirSync(this.at(name), 0o700)
    } catch (error) {
      if (!reuse || systemCode(error) !== 'EEXIST') throw error
    }
    return Directory.open(this.at(name))
  }

  /** The folder `name` that is there, whatever its permissions, if it is ours. */
  enter (name: string): Directory {
    this.unlock(name, false)
    return Directory.open(this.at(name))
  }

  /** A new folder in the place of `name`, with those `names` that are in that. */
  async renew (name: string, names: Iterable<string>): Promise<Directory> {
    const [place, old] = [temporary(), this.enter(name)]
    const fresh = this.make(place, false)
    try {
      for (const entry of names) {
        try {
          renameSync(old.at(entry), fresh.at(entry))
        } catch (error) {
          if (systemCode(error) !== 'ENOENT') throw error
        }
      }
      await this.remove(name)
      renameSync(this.at(place), this.at(name))
      return fresh
    } catch (error) {
      fresh.close()
      throw error
    } finally {
      old.close()
    }
  }

  names (): string[] {
    return readdirSync(`${this.path}/.`, { encoding: 'buffer' }).map(nameOf)
  }

  isFolder (name: string): boolean {
    try {
      return lstatSync(this.at(name)).isDirectory()
    } catch {
      return false
    }
  }

  /** Whatever it is, with all that is in it. */
  async remove (name: string): Promise<void> {
    await rm(this.at(name), { recursive: true, force: true }).catch(async (error: unknown) => {
      // Folders that their owner may not write to keep what is in them.
      if (systemCode(error) !== 'EACCES') throw error
      this.unlock(name, true)
      await rm(this.at(name), { recursive: true, force: true })
    })
  }

  /** Lets us into the folder `name`, if it is ours, and with `deep` into those in it. Files, which may have other names elsewhere, and what links lead to stay as they are. */
  unlock (name: string, deep: boolean): void {
    let fd: number
    try {
      fd = openSync(this.at(name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    } catch {
      return
    }
    try {
      const place = `/proc/self/fd/${fd}`
      try {
        chmodSync(place, fstatSync(fd).mode & 0o7777 | 0o700)
      } catch {
        // Not ours: whoever goes on is told why he may not.
      }
      if (!deep) return
      const inside = Directory.open(`${place}/.`)
      try {
        for (const entry of inside.names()) inside.unlock(entry, true)
      } finally {
        inside.close()
      }
    } finally {
      closeSync(fd)
    }
  }

  async sync (): Promise<void> {
    await promisify(fsync)(this.#fd)
  }

  close (): void {
    if (this.#fd === -1) return
    closeSync(this.#fd)
    this.#fd = -1
  }
}

/** Of whatever is there, which nobody opens: a link is not followed. */
export function setMode (path: string | Buffer, mode: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode)
  } finally {
    closeSync(fd)
  }
}
