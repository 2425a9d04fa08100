import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod as chmodPath, lchown, link, lutimes, open, rename, symlink, type FileHandle } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Source, TreeNode, TreePart } from '@ropewalk/interface'
import { MAX_NAME_BYTES, WHOLE_FILE_BYTES, WRITES_AHEAD, WRITES_AHEAD_BYTES } from './constants.ts'
import { Directory } from './directory.ts'
import { TreeError, treeError } from './errors.ts'
import { bytesOf, pathOf } from './path.ts'
import { Script } from './script.ts'
import { FileWriter } from './file-writer.ts'
import { runTool } from './tools.ts'
import { Names } from './users.ts'
import type { WriteTreeOptions, WrittenTree } from './write-tree.ts'

interface OpenFolder {
  readonly node: TreeNode
  readonly prefix: string
  readonly directory: Directory
  readonly script: Script
  /** In place: the names that the tree has. */
  readonly names: Set<string>
  /** Files that are being written. */
  readonly writing: Set<Promise<void>>
}

/** Makes nodes in the folder `root`, in the order of an archive. */
export class TreeBuilder {
  readonly #root: Directory
  readonly #options: WriteTreeOptions
  readonly #inPlace: boolean
  readonly #owners: boolean
  readonly #users = new Names('passwd')
  readonly #groups = new Names('group')
  readonly #open: OpenFolder[] = []
  /** What makes a node unchangeable comes when nothing changes any more. */
  readonly #last = new Script()
  #file: { readonly folder: OpenFolder, readonly name: string, readonly writer: FileWriter } | undefined
  #pending = 0
  #pendingBytes = 0
  #failure: { error: unknown } | undefined
  #nodes = 0
  #bytes = 0

  constructor (root: Directory, options: WriteTreeOptions, inPlace: boolean) {
    this.#root = root
    this.#options = options
    this.#inPlace = inPlace
    this.#owners = options.owners ?? process.geteuid?.() === 0
  }

  async write (parts: Source<TreePart>): Promise<WrittenTree> {
    const { signal } = this.#options
    try {
      for await (const part of parts) {
        signal?.throwIfAborted()
        if (part.kind === 'data') await this.#data(part.bytes)
        else {
          await this.#endFile()
          if (part.kind === 'node') await this.#node(part.node)
          else await this.#leave()
        }
        if (this.#failure !== undefined) throw this.#failure.error
      }
      if (this.#open.length > 0 || this.#nodes === 0) throw new TreeError('ERR_TREE_NAME', 'the tree ends inside a folder', { remote: true })
      return { nodes: this.#nodes, bytes: this.#bytes }
    } catch (error) {
      await this.#file?.writer.abort()
      if (this.#nodes === 0) await this.#root.close()
      for (const folder of this.#open.reverse()) {
        await Promise.allSettled(folder.writing)
        await folder.directory.close()
      }
      signal?.throwIfAborted()
      throw error
    }
  }

  /** Everything is in place: makes it durable, and unchangeable what shall be. */
  async finish (parent: Directory, name: string): Promise<void> {
    const root = await Directory.open(parent.at(name))
    try {
      if (!this.#last.isEmpty) await this.#run(this.#last, root, '')
      if (this.#options.durable ?? true) {
        const synced = await runTool('sync', ['-f', '.'], { cwd: root.path, maxBytes: 65536 })
        if (synced?.code !== 0) throw new TreeError('ERR_UNSUPPORTED', `sync -f: ${synced?.stderr ?? 'not installed'}`)
        await parent.handle.sync()
      }
    } finally {
      await root.close()
    }
  }

  async #node (node: TreeNode): Promise<void> {
    const folder = this.#open.at(-1)
    if (folder === undefined) {
      if (node.path !== '' || node.type !== 'directory' || this.#nodes > 0) throw new TreeError('ERR_TREE_NAME', 'a tree begins with its root', { path: node.path, remote: true })
      this.#nodes++
      this.#push(node, this.#root)
      return
    }
    const name = this.#check(folder, node.path)
    this.#nodes++
    folder.names.add(name)
    try {
      if (node.type === 'directory') {
        if (this.#inPlace && !await folder.directory.isFolder(name)) await folder.directory.remove(name)
        this.#push(node, await folder.directory.make(name, this.#inPlace))
      } else if (node.type === 'file') {
        const writer = new FileWriter(folder.directory, this.#inPlace ? temporary() : name, node.size ?? 0)
        this.#file = { folder, name, writer }
        if ((node.size ?? 0) > WHOLE_FILE_BYTES) await writer.open()
        this.#current = node
      } else {
        await this.#special(folder, name, node)
        this.#options.onNode?.(node)
      }
    } catch (error) {
      throw treeError(error, 'make', node.path)
    }
  }

  #current: TreeNode | undefined

  #push (node: TreeNode, directory: Directory): void {
    this.#open.push({ node, prefix: node.path === '' ? '' : `${node.path}/`, directory, script: new Script(), names: new Set(), writing: new Set() })
  }

  /** The one component that the path has below the folder. */
  #check ({ prefix, names }: OpenFolder, path: string): string {
    const name = path.slice(prefix.length)
    const bad = !path.startsWith(prefix) || name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || bytesOf(name).length > MAX_NAME_BYTES
    if (bad || names.has(name)) throw new TreeError('ERR_TREE_NAME', `${JSON.stringify(path)} is no new name in "${prefix}"`, { path, remote: true })
    return name
  }

  async #data (bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw new TreeError('ERR_TREE_NAME', 'bytes of no file', { remote: true })
    this.#bytes += bytes.length
    try {
      await this.#file.writer.write(bytes)
    } catch (error) {
      throw treeError(error, 'write', this.#current?.path ?? '')
    }
  }

  /** The file that came last is complete. Small ones are written side by side. */
  async #endFile (): Promise<void> {
    if (this.#file === undefined) return
    const { folder, name, writer } = this.#file
    const node = this.#current as TreeNode
    this.#file = undefined
    const work = this.#finishFile(folder, name, writer, node)
    if (writer.isOpen) return await work
    const weight = node.size ?? 0
    this.#pending++
    this.#pendingBytes += weight
    const settled = work.catch((error: unknown) => { this.#failure ??= { error } }).finally(() => {
      this.#pending--
      this.#pendingBytes -= weight
      folder.writing.delete(settled)
    })
    folder.writing.add(settled)
    while (this.#pending >= WRITES_AHEAD || this.#pendingBytes >= WRITES_AHEAD_BYTES) await Promise.race(this.#open.flatMap(({ writing }) => [...writing]))
  }

  async #finishFile (folder: OpenFolder, name: string, writer: FileWriter, node: TreeNode): Promise<void> {
    try {
      const handle = await writer.finish()
      try {
        await this.#dress(folder, name, node, handle)
      } finally {
        await handle.close()
      }
      if (this.#inPlace) await this.#exchange(folder.directory, writer.name, name)
      this.#options.onNode?.(node)
    } catch (error) {
      await writer.abort()
      throw treeError(error, 'write', node.path)
    }
  }

  async #special (folder: OpenFolder, name: string, node: TreeNode): Promise<void> {
    const { directory } = folder
    const place = this.#inPlace ? temporary() : name
    if (node.type === 'symlink') {
      await symlink(pathOf(node.target ?? ''), directory.at(place))
    } else if (node.type === 'socket') {
      await bind(directory, place)
    } else {
      const script = new Script()
      script.mknod(place, node)
      if (!await this.#run(script, directory, node.path)) return
    }
    if (this.#inPlace) await this.#exchange(directory, place, name)
    await this.#dress(folder, name, node)
  }

  async #exchange (directory: Directory, from: string, name: string): Promise<void> {
    if (await directory.isFolder(name)) await directory.remove(name)
    await rename(directory.at(from), directory.at(name))
  }

  /** Owner before permissions, which it would take away from; times last. */
  async #dress ({ directory, script }: OpenFolder, name: string, node: TreeNode, handle?: FileHandle): Promise<void> {
    const path = directory.at(name)
    if (this.#owners) {
      const { uid, gid } = await this.#owner(node)
      if (handle === undefined) await lchown(path, uid, gid)
      else await handle.chown(uid, gid)
    }
    if (node.type !== 'symlink') await chmod(handle, path, node.permissions)
    this.#describe(script, name, node)
    const seconds = this.#exactTime(script, name, node)
    if (seconds === undefined) return
    if (handle === undefined) await lutimes(path, seconds, seconds)
    else await handle.utimes(seconds, seconds)
  }

  /** What needs the script. */
  #describe (script: Script, name: string, node: TreeNode): void {
    if (!(this.#options.attributes ?? true)) return
    script.xattrs(name, node)
    script.attributes(name, node, letter => !UNCHANGEABLE.has(letter))
    this.#last.attributes(node.path === '' ? '.' : node.path, node, letter => UNCHANGEABLE.has(letter))
  }

  /** The time that Node can set; what it cannot goes to the script. */
  #exactTime (script: Script, name: string, { mtime }: TreeNode): number | undefined {
    if (!(this.#options.times ?? true) || mtime === undefined) return undefined
    const seconds = exactSeconds(mtime)
    if (seconds === undefined) script.time(name, mtime)
    return seconds
  }

  async #leave (): Promise<void> {
    const folder = this.#open.at(-1)
    if (folder === undefined) throw new TreeError('ERR_TREE_NAME', 'the end of a folder where none is open', { remote: true })
    const { node, directory, script, names, writing } = folder
    await Promise.all(writing)
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      if (this.#inPlace && (this.#options.remove ?? true)) {
        for (const name of await directory.names()) if (!names.has(name)) await directory.remove(name)
      }
      if (this.#owners) {
        const { uid, gid } = await this.#owner(node)
        await directory.handle.chown(uid, gid)
      }
      this.#describe(script, '.', node)
      const seconds = this.#exactTime(script, '.', node)
      if (!script.isEmpty) await this.#run(script, directory, node.path)
      // Whoever may not enter it any more has no more to do in it.
      await directory.handle.chmod(node.permissions)
      if (seconds !== undefined) await directory.handle.utimes(seconds, seconds)
    } catch (error) {
      throw treeError(error, 'finish', node.path)
    }
    this.#open.pop()
    await directory.close()
    this.#options.onNode?.(node)
  }

  async #owner ({ uid, gid, user, group }: TreeNode): Promise<{ uid: number, gid: number }> {
    return { uid: await this.#number(this.#users, uid, user), gid: await this.#number(this.#groups, gid, group) }
  }

  async #number (names: Names, id: number | undefined, name: string | undefined): Promise<number> {
    if (id !== undefined) return id
    return (name === undefined ? undefined : await names.numberOf(name)) ?? 0
  }

  /** False when something went wrong and somebody was told. */
  async #run (script: Script, directory: Directory, path: string): Promise<boolean> {
    const complaint = await script.run(directory.path, this.#options)
    if (complaint === '') return true
    const error = new TreeError('ERR_UNSUPPORTED', `${JSON.stringify(path)}: ${complaint}`, { path })
    if (this.#options.onTrouble === undefined) throw error
    this.#options.onTrouble(error)
    return false
  }
}

/** Letters of what nobody can change any more. */
const UNCHANGEABLE: ReadonlySet<string> = new Set(['i', 'a'])

function temporary (): string {
  return `.ropewalk-${randomBytes(8).toString('hex')}`
}

/** The time as Node takes it, where that is the time. */
function exactSeconds (mtime: bigint): number | undefined {
  const seconds = Number(mtime) / 1e9
  const whole = Math.floor(seconds)
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.trunc((seconds - whole) * 1e9)) === mtime && mtime >= 0n ? seconds : undefined
}

/** By descriptor, or of a device, a pipe or a socket, which nobody opens. */
async function chmod (handle: FileHandle | undefined, path: string | Buffer, mode: number): Promise<void> {
  if (handle !== undefined) return await handle.chmod(mode)
  const place = await open(path, O_PATH | constants.O_NOFOLLOW)
  try {
    await chmodPath(`/proc/self/fd/${place.fd}`, mode)
  } finally {
    await place.close()
  }
}

/** Of Linux. */
const O_PATH = 0o10000000

/** A socket's name goes with whoever listens; another name of it stays. */
async function bind (directory: Directory, name: string): Promise<void> {
  const first = temporary()
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(`${directory.path}/${first}`, resolve)
  })
  try {
    await link(`${directory.path}/${first}`, directory.at(name))
  } finally {
    await new Promise(resolve => { server.close(resolve) })
  }
}
