import { closeSync, constants, linkSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { lutimes, readdir, readlink, symlink, unlink } from 'node:fs/promises'
import { ALLOWED_MODE, MAX_RENAME_ATTEMPTS, OWNER_FOLDER_MODE } from './constants.ts'
import type { Directory } from './directory.ts'
import { ReceiveError, receiveError, systemCode } from './errors.ts'
import { escapeName } from './escape.ts'
import { collisionKey, numberedName } from './name.ts'

/** What to do when the name is taken. */
export type Overwrite = 'refuse' | 'replace' | 'rename'

/** A file that is to get its name. */
export interface Placing {
  /** Where it is. */
  readonly staged: string
  readonly name: string
  readonly overwrite: Overwrite
  /** It may have that name besides, until somebody removes it. By default it has it no more. */
  readonly stays?: boolean | undefined
}

/** Walks a checked name below a root and puts files there, one component and one descriptor at a time. */
export class Placement {
  readonly #root: Directory
  readonly #refuseCollisions: boolean
  /** The names of the directory used last, by collision key: a folder of many files is read once, not once a file. */
  #known: { path: string, names: Map<string, string> } | undefined
  /** The folder that was looked into last, in which the next file is likely to be. */
  #looked: { readonly folder: string, readonly directory: Directory } | undefined

  #tail: Promise<unknown> = Promise.resolve()

  constructor (root: Directory, refuseCollisions: boolean) {
    this.#root = root
    this.#refuseCollisions = refuseCollisions
  }

  /** Refuses early what `place` would refuse in the end. Makes nothing. */
  async look (name: string, overwrite: Overwrite): Promise<void> {
    if (!this.#refuseCollisions && await this.#isFree(name)) return
    await this.#within(name, false, async (directory, component) => {
      const entry = lstatSync(directory.pathOf(component), { throwIfNoEntry: false })
      if (entry == null) {
        if (overwrite !== 'rename') await this.#checkCollision(directory, component)
      } else if (overwrite === 'refuse') {
        throw taken(name)
      } else if (overwrite === 'replace' && entry.isDirectory()) {
        throw new ReceiveError('ERR_NOT_A_FILE', `"${escapeName(name)}" is a directory`)
      }
    })
  }

  /** Gives the files their names, which are durable when this resolves: to what each got, or why it got none. A folder is entered and synced once. */
  async place (files: readonly Placing[]): Promise<Array<PromiseSettledResult<string>>> {
    const folders = Map.groupBy(files, ({ name }) => folderOf(name))
    const results = new Map<Placing, PromiseSettledResult<string>>()
    const placing = Array.from(folders, ([folder, inside]) => {
      if (!this.#refuseCollisions) return this.#place(folder, inside, results)
      // Between the look for names that differ in case and the link, no other of ours may come.
      const placed = this.#tail.then(() => this.#place(folder, inside, results))
      this.#tail = placed
      return placed
    })
    await Promise.all(placing)
    return files.map(file => results.get(file) as PromiseSettledResult<string>)
  }

  /** Nothing is used after this. */
  async close (): Promise<void> {
    const looked = this.#looked
    this.#looked = undefined
    await looked?.directory.close()
  }

  /** Whether anything has that name. */
  async exists (name: string): Promise<boolean> {
    let found = false
    await this.#within(name, false, async (directory, component) => { found = lstatSync(directory.pathOf(component), { throwIfNoEntry: false }) != null })
    return found
  }

  /** The folder `name` and those it is in. True when it was not there; `look` gets it either way. */
  async directory (name: string, look: (directory: Directory, made: boolean) => Promise<void>): Promise<boolean> {
    let made = false
    // A component more, which is never looked at: the folder is what that would be in.
    await this.#within(`${name}/.`, true, async directory => { await look(directory, made) }, () => { made = true })
    return made
  }

  /** A symbolic link. Its target is not looked at. `staged` is a free name to make one at that takes the place of another. */
  async link (name: string, target: string, mtimeMs: number | undefined, overwrite: Exclude<Overwrite, 'rename'>, staged: string): Promise<void> {
    await this.#within(name, true, async (directory, component) => {
      await this.#checkCollision(directory, component)
      const path = overwrite === 'replace' ? staged : directory.pathOf(component)
      try {
        await symlink(target, path)
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error
        // The very link is there, perhaps from an earlier life.
        if (await readlink(path).catch(() => undefined) !== target) throw taken(name)
      }
      if (mtimeMs != null) await lutimes(path, new Date(), new Date(mtimeMs))
      if (overwrite === 'replace') await replace(staged, directory.pathOf(component), name).catch(async (error: unknown) => { await unlink(staged); throw error })
      this.#known?.names.set(collisionKey(component), component)
      await directory.sync()
    })
  }

  /** Never rejects: `results` gets what became of each. */
  async #place (folder: string, files: readonly Placing[], results: Map<Placing, PromiseSettledResult<string>>): Promise<void> {
    try {
      await this.#within(`${folder}.`, true, async directory => {
        for (const file of files) {
          try {
            results.set(file, { status: 'fulfilled', value: folder + await this.#placeIn(directory, file) })
          } catch (error) {
            results.set(file, { status: 'rejected', reason: receiveError(error, `receive "${escapeName(file.name)}"`) })
          }
        }
        await directory.sync()
      })
    } catch (reason) {
      // Where the folder is not synced, no name lasts.
      for (const file of files) if (results.get(file)?.status !== 'rejected') results.set(file, { status: 'rejected', reason })
    }
  }

  async #placeIn (directory: Directory, { staged, name, overwrite, stays = false }: Placing): Promise<string> {
    const component = name.slice(folderOf(name).length)
    let placed = component
    if (overwrite === 'replace') {
      await this.#checkCollision(directory, component)
      await replace(staged, directory.pathOf(component), name)
    } else {
      placed = await this.#placeNew(staged, directory, component, overwrite, stays)
    }
    this.#known?.names.set(collisionKey(placed), placed)
    return placed
  }

  /** False where that is not known. Makes nothing, so that a folder which has been exchanged since costs no more than a late refusal. */
  async #isFree (name: string): Promise<boolean> {
    const folder = folderOf(name)
    if (this.#looked?.folder !== folder) {
      await this.#within(`${folder}.`, false, async directory => {
        const again = await directory.again()
        await this.close()
        this.#looked = { folder, directory: again }
      })
    }
    // Others may have looked elsewhere meanwhile.
    return this.#looked?.folder === folder && lstatSync(this.#looked.directory.pathOf(name.slice(folder.length)), { throwIfNoEntry: false }) === undefined
  }

  async #placeNew (staged: string, directory: Directory, component: string, overwrite: Overwrite, stays: boolean): Promise<string> {
    for (let attempt = 0; attempt <= MAX_RENAME_ATTEMPTS; attempt++) {
      const candidate = attempt === 0 ? component : numberedName(component, attempt)
      const collides = await this.#collision(directory, candidate)
      if (overwrite === 'refuse' && collides != null) throw collision(candidate, collides)
      if (collides == null && await linkNew(staged, directory.pathOf(candidate), stays)) return candidate
      if (overwrite === 'refuse') break
    }
    throw taken(component)
  }

  /** Calls `work` with the directory that `name` is in and its last component. Without `make`, not when the directory is missing. */
  async #within (name: string, make: boolean, work: (directory: Directory, component: string) => Promise<void>, made?: (component: string) => void): Promise<void> {
    const components = name.split('/')
    const last = components.pop() as string
    let directory = this.#root

    try {
      for (const component of components) {
        let next = await directory.enter(component)
        if (next == null) {
          await this.#checkCollision(directory, component)
          if (!make) return
          next = await directory.make(component)
          made?.(component)
        }
        if (directory !== this.#root) await directory.close()
        directory = next
      }
      await work(directory, last)
    } catch (error) {
      throw receiveError(error, `receive "${escapeName(name)}"`)
    } finally {
      if (directory !== this.#root) await directory.close()
    }
  }

  async #checkCollision (directory: Directory, component: string): Promise<void> {
    const collides = await this.#collision(directory, component)
    if (collides != null) throw collision(component, collides)
  }

  /** A name in the directory that is another one here and the same where case does not count. */
  async #collision (directory: Directory, component: string): Promise<string | undefined> {
    if (!this.#refuseCollisions) return undefined
    if (this.#known?.path !== directory.path) {
      const names = await readdir(directory.pathOf('.'))
      this.#known = { path: directory.path, names: new Map(names.map(name => [collisionKey(name), name])) }
    }
    const found = this.#known.names.get(collisionKey(component))
    return found === component ? undefined : found
  }
}

/** Permissions of a folder that was just made, on its descriptor: what the umask left is the most that it may have. */
export async function sealFolder (directory: Directory, mode: number | undefined, mtimeMs: number | undefined): Promise<void> {
  if (mode != null) await directory.chmod((mode & (await directory.stat()).mode & ALLOWED_MODE) | OWNER_FOLDER_MODE)
  if (mtimeMs != null) await directory.utimes(mtimeMs)
}

/** With the slash at its end; empty for the root. */
function folderOf (name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1)
}

/** False when the name is taken. Linking is the only step that both makes the name and refuses to take one away. */
async function linkNew (staged: string, path: string, stays: boolean): Promise<boolean> {
  try {
    linkSync(staged, path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return false
    if (code == null || !WITHOUT_LINKS.has(code)) throw error
    return await reserve(staged, path)
  }
  if (!stays) unlinkSync(staged)
  return true
}

/** For file systems without links: an empty file takes the name, and the whole one takes its place. */
async function reserve (staged: string, path: string): Promise<boolean> {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600))
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
  try {
    renameSync(staged, path)
  } catch (error) {
    await unlink(path).catch(() => {})
    throw error
  }
  return true
}

/** A symbolic link of that name is replaced, not followed. */
async function replace (staged: string, path: string, name: string): Promise<void> {
  try {
    renameSync(staged, path)
  } catch (error) {
    if (systemCode(error) !== 'EISDIR') throw error
    throw new ReceiveError('ERR_NOT_A_FILE', `"${escapeName(name)}" is a directory`, { cause: error })
  }
}

function taken (name: string): ReceiveError {
  return new ReceiveError('ERR_EXISTS', `"${escapeName(name)}" exists`)
}

function collision (name: string, existing: string): ReceiveError {
  return new ReceiveError('ERR_COLLISION', `"${escapeName(name)}" is the same as "${escapeName(existing)}" where case does not count`)
}

/** What systems say where a file system has no links. */
export const WITHOUT_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])
