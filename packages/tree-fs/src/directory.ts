/**
 * Folders by descriptor: a path is looked up anew at every call, and somebody may have put a link into it since; a descriptor stays the folder
 * that was opened. On Linux `/proc/self/fd/N/name` is `name` in the folder behind descriptor N, and only the last component can then be a link.
 *
 * @module
 */
import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { systemCode } from './errors.ts'
import { bytesOf, nameOf, pathOf, temporary } from './path.ts'

/** A descriptor that says which folder, and needs none of its permissions. From Linux; Node has no name for it. */
const O_PATH = 0o10000000

export class Directory {
  readonly handle: FileHandle

  constructor (handle: FileHandle) {
    this.handle = handle
  }

  static async open (path: string | Buffer, follow: boolean = false): Promise<Directory> {
    return new Directory(await open(path, constants.O_RDONLY | constants.O_DIRECTORY | (follow ? 0 : constants.O_NOFOLLOW)))
  }

  /** Where the system finds the folder itself. */
  get path (): string {
    return `/proc/self/fd/${this.handle.fd}`
  }

  /** Where the system finds `name` in it, which is one component. */
  at (name: string): string | Buffer {
    const place = pathOf(name)
    return typeof place === 'string' ? `${this.path}/${place}` : Buffer.concat([Buffer.from(`${this.path}/`), bytesOf(name)])
  }

  /** A new folder in it, open to nobody else; with `reuse` the one that is there. */
  async make (name: string, reuse: boolean): Promise<Directory> {
    try {
      await mkdir(this.at(name), 0o700)
    } catch (error) {
      if (!reuse || systemCode(error) !== 'EEXIST') throw error
    }
    return await Directory.open(this.at(name))
  }

  /** The folder `name` that is there, whatever its permissions, if it is ours. */
  async enter (name: string): Promise<Directory> {
    await this.unlock(name, false)
    return await Directory.open(this.at(name))
  }

  /** A new folder in the place of `name`, with those `names` that are in that. */
  async renew (name: string, names: Iterable<string>): Promise<Directory> {
    const [place, old] = [temporary(), await this.enter(name)]
    const fresh = await this.make(place, false)
    try {
      for (const entry of names) {
        await rename(old.at(entry), fresh.at(entry)).catch((error: unknown) => { if (systemCode(error) !== 'ENOENT') throw error })
      }
      await this.remove(name)
      await rename(this.at(place), this.at(name))
      return fresh
    } catch (error) {
      await fresh.close()
      throw error
    } finally {
      await old.close()
    }
  }

  async names (): Promise<string[]> {
    return (await readdir(`${this.path}/.`, { encoding: 'buffer' })).map(nameOf)
  }

  async isFolder (name: string): Promise<boolean> {
    return await lstat(this.at(name)).then(stats => stats.isDirectory(), () => false)
  }

  /** Whatever it is, with all that is in it. */
  async remove (name: string): Promise<void> {
    await rm(this.at(name), { recursive: true, force: true }).catch(async (error: unknown) => {
      // Folders that their owner may not write to keep what is in them.
      if (systemCode(error) !== 'EACCES') throw error
      await this.unlock(name, true)
      await rm(this.at(name), { recursive: true, force: true })
    })
  }

  /** Lets us into the folder `name`, if it is ours, and with `deep` into those in it. Files, which may have other names elsewhere, and what links lead to stay as they are. */
  async unlock (name: string, deep: boolean): Promise<void> {
    const handle = await open(this.at(name), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(() => undefined)
    if (handle === undefined) return
    try {
      const place = `/proc/self/fd/${handle.fd}`
      await chmod(place, (await handle.stat()).mode & 0o7777 | 0o700).catch(() => {})
      if (!deep) return
      const inside = await Directory.open(`${place}/.`)
      try {
        for (const entry of await inside.names()) await inside.unlock(entry, true)
      } finally {
        await inside.close()
      }
    } finally {
      await handle.close()
    }
  }

  async close (): Promise<void> {
    await this.handle.close()
  }
}

/** Of whatever is there, which nobody opens: a link is not followed. */
export async function setMode (path: string | Buffer, mode: number): Promise<void> {
  const place = await open(path, O_PATH | constants.O_NOFOLLOW)
  try {
    await chmod(`/proc/self/fd/${place.fd}`, mode)
  } finally {
    await place.close()
  }
}
