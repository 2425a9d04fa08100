import { renameSync, symlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Source, TreeKept, TreeMark, TreeNode, TreePart } from '@ropewalk/interface'
import { TURN_MS, WHOLE_FILE_BYTES } from './constants.ts'
import { Directory, setMode } from './directory.ts'
import { assertKept, isMadeByScript, isReplaced } from './kept.ts'
import { systemCode, treeError, TreeError } from './errors.ts'
import { FileWriter } from './file-writer.ts'
import { isInherited, Metadata } from './metadata.ts'
import { OpenFolder } from './open-folder.ts'
import { pathOf, temporary, temporaryOf } from './path.ts'
import { Script } from './script.ts'
import { SmallFile } from './small-file.ts'
import { bind } from './special.ts'
import { Times } from './times.ts'
import type { WriteTreeOptions, WrittenTree } from './write-tree.ts'

interface OpenFile {
  readonly folder: OpenFolder
  readonly name: string
  readonly node: TreeNode
  readonly writer: FileWriter | SmallFile
}

/** Makes nodes in a folder, in the order of an archive. */
export class TreeBuilder {
  readonly #options: WriteTreeOptions
  readonly #inPlace: boolean
  readonly #metadata: Metadata
  readonly #open: OpenFolder[] = []
  readonly #times: Times
  #file: OpenFile | undefined
  /** Marks that wait for the small file before them. */
  #marks: Uint8Array[] = []
  /** Of the root. */
  #permissions = 0o700
  #nodes = 0
  #bytes = 0

  constructor (options: WriteTreeOptions, inPlace: boolean) {
    this.#options = options
    this.#inPlace = inPlace
    this.#metadata = new Metadata(options)
    this.#times = new Times(options)
  }

  get isBegun (): boolean {
    return this.#nodes > 0
  }

  /** Makes all of `parts` in `root`, or goes on after `resume`. */
  async write (parts: Source<TreePart | TreeMark>, root: Directory | undefined): Promise<WrittenTree> {
    const { signal } = this.#options
    let turned = performance.now()
    try {
      for await (const part of parts) {
        signal?.throwIfAborted()
        if (part.kind === 'data') await this.#data(part.bytes)
        else if (part.kind === 'mark') this.#mark(part.trace)
        else {
          await this.#endFile()
          if (performance.now() - turned > TURN_MS) {
            await setImmediate()
            turned = performance.now()
            signal?.throwIfAborted()
          }
          if (part.kind === 'node') await this.#node(part.node, root)
          else await this.#leave()
        }
      }
      if (this.#open.length > 0 || this.#nodes === 0) throw new TreeError('ERR_TREE_NAME', 'the tree ends inside a folder', { remote: true })
      this.#times.close()
      return { nodes: this.#nodes, bytes: this.#bytes }
    } catch (error) {
      await this.close()
      if (this.#nodes === 0) root?.close()
      signal?.throwIfAborted()
      throw error
    }
  }

  /**
   * Becomes what a builder was that was killed in the folder `name` after it was given `parts`, and clears away what it had begun behind them.
   * False where there were none; whatever is not as they say is an error. In place, what was changed since then is.
   */
  async resume (parts: Source<TreePart | TreeKept>, above: Directory, name: string): Promise<boolean> {
    let file: { readonly folder: OpenFolder, readonly name: string, readonly node: TreeNode, received: number } | undefined
    const recall = async (folder: OpenFolder, entry: string, node: TreeNode): Promise<void> => {
      if (this.#inPlace) await assertKept(above.at(node.path === '' ? name : `${name}/${node.path}`), node, this.#options.keptAt ?? 0n)
      this.#metadata.gather(folder.script, entry, node)
      this.#options.onNode?.(node)
    }
    for await (const part of parts) {
      if (part.kind === 'data') throw new TreeError('ERR_TREE_NAME', 'bytes of a file that were written before')
      if (part.kind === 'kept') {
        if (file === undefined) throw new TreeError('ERR_TREE_NAME', 'bytes of no file')
        file.received += part.bytes
        this.#bytes += part.bytes
        continue
      }
      if (file !== undefined) await recall(file.folder, file.name, file.node)
      file = undefined
      const folder = this.#open.at(-1)
      if (part.kind === 'leave') {
        const left = this.#open.pop()
        if (left !== undefined) await recall(left, '.', left.node)
        continue
      }
      const { node } = part
      const added = folder === undefined ? this.#beginRoot(node) : folder.add(node.path)
      this.#nodes++
      if (node.type === 'directory') this.#open.push(new OpenFolder(node))
      else if (folder !== undefined && node.type === 'file') file = { folder, name: added, node, received: 0 }
      else if (folder !== undefined) {
        if (isMadeByScript(node)) folder.unsure++
        await recall(folder, added, node)
      }
    }
    if (this.#nodes === 0) return false
    let outer = above
    for (const folder of this.#open) {
      const entry = outer === above ? name : folder.node.path.slice(folder.node.path.lastIndexOf('/') + 1)
      // It may have been finished: then what is made in it would get what it has itself.
      const directory = !this.#inPlace && isInherited(folder.node) ? await outer.renew(entry, folder.names) : outer.enter(entry)
      folder.enter(directory)
      if (!this.#inPlace) await folder.clear()
      outer = directory
    }
    if (file !== undefined) await this.#reopen(file.folder, file.name, file.node, file.received)
    return true
  }

  async #reopen (folder: OpenFolder, name: string, node: TreeNode, received: number): Promise<void> {
    const { size = 0 } = node
    const open = async (place: string, whole: boolean): Promise<void> => {
      const writer = new FileWriter(folder.directory, place, size)
      this.#file = { folder, name, node, writer }
      await writer.reopen(received, whole)
    }
    if (size <= WHOLE_FILE_BYTES) return await open(name, true)
    if (!this.#inPlace) return await open(name, false)
    await open(temporaryOf(node.path), false).catch(async (error: unknown) => {
      if (systemCode(error) !== 'ENOENT' || !await isReplaced(folder.directory.at(name), node, this.#options.keptAt ?? 0n)) throw error
      await open(name, true)
    })
  }

  /** What was begun is let go of. */
  async close (): Promise<void> {
    await this.#file?.writer.abort(this.#options.onMark !== undefined)
    for (const folder of this.#open.splice(0).reverse()) folder.close()
    this.#times.close()
  }

  /** Everything is in its place: the last of what makes it the tree. True where much of it may have changed. */
  async seal (parent: Directory, name: string): Promise<boolean> {
    // Whoever may not write to a folder cannot move it.
    if (!this.#inPlace) setMode(parent.at(name), this.#permissions)
    const { last } = this.#metadata
    if (last.isEmpty) return false
    const root = Directory.open(parent.at(name))
    try {
      await this.#run(last, root, '')
      return true
    } finally {
      root.close()
      this.#times.close()
    }
  }

  #beginRoot ({ path, type, permissions }: TreeNode): '' {
    if (path !== '' || type !== 'directory' || this.#nodes > 0) throw new TreeError('ERR_TREE_NAME', 'a tree begins with its root', { path, remote: true })
    this.#permissions = permissions
    return ''
  }

  async #node (node: TreeNode, root: Directory | undefined): Promise<void> {
    const folder = this.#open.at(-1)
    if (folder === undefined) {
      this.#beginRoot(node)
      this.#nodes++
      this.#open.push(new OpenFolder(node, root))
      return
    }
    const name = folder.add(node.path)
    this.#nodes++
    try {
      if (node.type === 'directory') {
        if (this.#inPlace && !folder.directory.isFolder(name)) await folder.directory.remove(name)
        this.#open.push(new OpenFolder(node, folder.directory.make(name, this.#inPlace)))
      } else if (node.type === 'file') {
        const { size = 0 } = node
        if (size <= WHOLE_FILE_BYTES) {
          this.#file = { folder, name, node, writer: new SmallFile(folder.directory, this.#inPlace ? temporary() : name, size) }
          return
        }
        const place = this.#inPlace ? temporaryOf(node.path) : name
        const writer = new FileWriter(folder.directory, place, size)
        this.#file = { folder, name, node, writer }
        if (this.#inPlace) await folder.directory.remove(place)
        await writer.open()
      } else {
        await this.#special(folder, name, node)
        this.#options.onNode?.(node)
      }
    } catch (error) {
      throw treeError(error, 'make', node.path)
    }
  }

  async #data (bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw new TreeError('ERR_TREE_NAME', 'bytes of no file', { remote: true })
    this.#bytes += bytes.length
    try {
      await this.#file.writer.write(bytes)
    } catch (error) {
      throw treeError(error, 'write', this.#file.node.path)
    }
  }

  /** Told when everything before it is written; a small file is when all of it is, of which more may come behind the mark. */
  #mark (trace: Uint8Array): void {
    if (this.#file?.writer instanceof SmallFile) this.#marks.push(trace)
    else this.#options.onMark?.(trace)
  }

  /** The file that came last is complete. */
  async #endFile (): Promise<void> {
    if (this.#file === undefined) return
    const { folder, name, node, writer } = this.#file
    this.#file = undefined
    try {
      const owner = this.#metadata.owner(node)
      const [whose, fd] = [owner instanceof Promise ? await owner : owner, writer instanceof SmallFile ? writer.finish() : await writer.finish()]
      this.#metadata.dress(folder, name, node, whose, fd)
      if (writer instanceof SmallFile) writer.close()
      else await writer.close()
      if (this.#inPlace) await this.#exchange(folder.directory, writer.name, name)
      this.#options.onNode?.(node)
    } catch (error) {
      await writer.abort(false)
      throw treeError(error, 'write', node.path)
    }
    for (const trace of this.#marks.splice(0)) this.#options.onMark?.(trace)
  }

  async #special (folder: OpenFolder, name: string, node: TreeNode): Promise<void> {
    const { directory } = folder
    const place = this.#inPlace ? temporary() : name
    if (node.type === 'symlink') {
      symlinkSync(pathOf(node.target ?? ''), directory.at(place))
    } else if (node.type === 'socket') {
      await bind(directory, place)
    } else {
      const script = new Script()
      script.mknod(place, node)
      if (!await this.#run(script, directory, node.path)) return
    }
    if (this.#inPlace) await this.#exchange(directory, place, name)
    this.#metadata.dress(folder, name, node, await this.#metadata.owner(node))
  }

  async #exchange (directory: Directory, from: string, name: string): Promise<void> {
    if (directory.isFolder(name)) await directory.remove(name)
    renameSync(directory.at(from), directory.at(name))
  }

  async #leave (): Promise<void> {
    const folder = this.#open.at(-1)
    if (folder === undefined) throw new TreeError('ERR_TREE_NAME', 'the end of a folder where none is open', { remote: true })
    const { node, directory, script, names } = folder
    try {
      if (this.#inPlace && (this.#options.remove ?? true)) {
        for (const name of directory.names()) if (!names.has(name)) await directory.remove(name)
      }
      await this.#metadata.finish(folder, async () => await this.#run(script, directory, node.path))
    } catch (error) {
      throw treeError(error, 'finish', node.path)
    }
    this.#open.pop()
    folder.close()
    this.#options.onNode?.(node)
  }

  /** False when something went wrong and somebody was told. */
  async #run (script: Script, directory: Directory, path: string): Promise<boolean> {
    const complaint = await script.run(directory.path, this.#times, this.#options)
    if (complaint === '') return true
    const error = new TreeError('ERR_UNSUPPORTED', `${JSON.stringify(path)}: ${complaint}`, { path })
    if (this.#options.onTrouble === undefined) throw error
    this.#options.onTrouble(error)
    return false
  }
}
