import type { TreeNode } from '@ropewalk/interface'
import { MAX_NAME_BYTES } from './constants.ts'
import type { Directory } from './directory.ts'
import { TreeError } from './errors.ts'
import { bytesOf } from './path.ts'
import { Script } from './script.ts'

/** A folder of which more may come. */
export class OpenFolder {
  readonly node: TreeNode
  /** What paths in it begin with. */
  readonly prefix: string
  readonly script: Script = new Script()
  /** Those that the tree has. */
  readonly names: Set<string> = new Set()
  /** Names that were there before we were, and may be of what could not be made. */
  unsure = 0
  #directory: Directory | undefined

  constructor (node: TreeNode, directory?: Directory) {
    this.node = node
    this.prefix = node.path === '' ? '' : `${node.path}/`
    this.#directory = directory
  }

  get directory (): Directory {
    if (this.#directory === undefined) throw new TypeError(`${this.node.path} is not open`)
    return this.#directory
  }

  enter (directory: Directory): void {
    this.#directory = directory
  }

  /** Of a folder that is nobody's but ours: what whoever was killed has noted may not lack, and what he has not goes. */
  async clear (): Promise<void> {
    const { directory } = this
    let found = 0
    for (const name of directory.names()) {
      if (this.names.has(name)) found++
      else await directory.remove(name)
    }
    if (found + this.unsure < this.names.size) throw new TreeError('ERR_TREE_CHANGED', `${JSON.stringify(this.node.path)}: ${found} of ${this.names.size} names are there`, { path: this.node.path })
  }

  /** Takes in the name that `path` ends with, one component that is new here. */
  add (path: string): string {
    const name = path.slice(this.prefix.length)
    const bad = !path.startsWith(this.prefix) || name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || isLong(name)
    if (bad || this.names.has(name)) throw new TreeError('ERR_TREE_NAME', `${JSON.stringify(path)} is no new name in "${this.prefix}"`, { path, remote: true })
    this.names.add(name)
    return name
  }

  close (): void {
    this.#directory?.close()
  }
}

/** No character of a string has more than three bytes. */
function isLong (name: string): boolean {
  return 3 * name.length > MAX_NAME_BYTES && bytesOf(name).length > MAX_NAME_BYTES
}
