import { fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from 'node:fs'
import type { TreeNode } from '@ropewalk/interface'
import { setMode } from './directory.ts'
import type { OpenFolder } from './open-folder.ts'
import { Script } from './script.ts'
import { Names } from './users.ts'
import type { WriteTreeOptions } from './write-tree.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Owners, permissions, attributes and times. What Node has no call for is gathered, for each folder and for the end of the tree. */
export class Metadata {
  /** What makes a node unchangeable comes when nothing changes any more. */
  readonly last: Script = new Script()
  readonly #options: WriteTreeOptions
  readonly #owners: boolean
  readonly #users = new Names('passwd')
  readonly #groups = new Names('group')

  constructor (options: WriteTreeOptions) {
    this.#options = options
    this.#owners = options.owners ?? process.geteuid?.() === 0
  }

  /** Whose the node shall be, at once where it says so by number; undefined where that is not for us to say. */
  owner (node: TreeNode): Owner | undefined | Promise<Owner> {
    if (!this.#owners) return undefined
    const { uid, gid } = node
    return uid !== undefined && gid !== undefined ? { uid, gid } : this.#named(node)
  }

  /** Owner before permissions, which it would take away from; times last. `fd` is that of a file. */
  dress ({ directory, script }: OpenFolder, name: string, node: TreeNode, owner: Owner | undefined, fd?: number): void {
    const path = directory.at(name)
    if (owner !== undefined) {
      if (fd === undefined) lchownSync(path, owner.uid, owner.gid)
      else fchownSync(fd, owner.uid, owner.gid)
    }
    if (fd !== undefined) fchmodSync(fd, node.permissions)
    else if (node.type !== 'symlink') setMode(path, node.permissions)
    const seconds = this.gather(script, name, node)
    if (seconds === undefined) return
    if (fd === undefined) lutimesSync(path, seconds, seconds)
    else futimesSync(fd, seconds, seconds)
  }

  /** The same for the folder itself, in which nothing changes any more. `run` runs its script. */
  async finish ({ node, directory, script }: OpenFolder, run: () => Promise<unknown>): Promise<void> {
    const owner = await this.owner(node)
    if (owner !== undefined) fchownSync(directory.fd, owner.uid, owner.gid)
    const seconds = this.gather(script, '.', node)
    if (!script.isEmpty) await run()
    // Whoever may not enter it any more has no more to do in it.
    fchmodSync(directory.fd, node.permissions)
    if (seconds !== undefined) futimesSync(directory.fd, seconds, seconds)
  }

  /** What needs a script goes there. The time, where Node can set it. */
  gather (script: Script, name: string, node: TreeNode): number | undefined {
    if (this.#options.attributes ?? true) {
      script.xattrs(name, node)
      script.attributes(name, node, letter => !UNCHANGEABLE.has(letter))
      this.last.attributes(node.path === '' ? '.' : node.path, node, letter => UNCHANGEABLE.has(letter))
    }
    const { mtime } = node
    if (!(this.#options.times ?? true) || mtime === undefined) return undefined
    const seconds = exactSeconds(mtime)
    if (seconds === undefined) script.time(name, mtime)
    return seconds
  }

  async #named ({ uid, gid, user, group }: TreeNode): Promise<Owner> {
    return { uid: await this.#number(this.#users, uid, user), gid: await this.#number(this.#groups, gid, group) }
  }

  async #number (names: Names, id: number | undefined, name: string | undefined): Promise<number> {
    if (id !== undefined) return id
    return (name === undefined ? undefined : await names.numberOf(name)) ?? 0
  }
}

/** Letters of what nobody can change any more. */
const UNCHANGEABLE: ReadonlySet<string> = new Set(['i', 'a'])

/** True of a folder that hands on to what is made in it what it has itself. */
export function isInherited ({ defaultAcl, attributes = [], project }: TreeNode): boolean {
  return defaultAcl !== undefined || attributes.length > 0 || project !== undefined
}

/** The time as Node takes it, where that is the time. */
function exactSeconds (mtime: bigint): number | undefined {
  const seconds = Number(mtime) / 1e9
  const whole = Math.floor(seconds)
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.trunc((seconds - whole) * 1e9)) === mtime && mtime >= 0n ? seconds : undefined
}
