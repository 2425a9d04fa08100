import { renameSync, symlinkSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { Source, TreeKept, TreeMark, TreeNode, TreePart } from '@ropewalk/interface'
import { TURN_MS, WHOLE_FILE_BYTES } from './constants.ts'
import { Directory, setMode } from './directory.ts'
import { assertKept, isMadeByScript, isReplaced } from './kept.ts'
import { systemCode, treeError, TreeError } from './errors.ts'
import { FileWriter } from './file-writer.ts'
import { isInherited, Metadata, type Owner } from './metadata.ts'
import { OpenFolder } from './open-folder.ts'
import { pathOf, temporary, temporaryOf } from './path.ts'
import { Script } from './script.ts'
import { SmallFile } from './small-file.ts'
import { bind } from './special.ts'
import { Times } from './times.ts'
import type { GivenParts, WriteTreeOptions, WrittenTree } from './write-tree.ts'

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
  /** The folder that was left last, while its script runs; the next one waits for it. */
  #finishing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  /** Marks that wait for that folder, and behind them those that wait for the small file that is being given. */
  readonly #marks: Uint8Array[] = []
  readonly #inside: Uint8Array[] = []
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
  async write (parts: GivenParts, root: Directory | undefined): Promise<WrittenTree> {
    const { signal } = this.#options
    let turned = performance.now()
    try {
      for await (const given of parts) {
        for (const part of 'kind' in given ? [given] : given) {
          signal?.throwIfAborted()
          const waited = this.#take(part, root)
          if (waited !== undefined) await waited
          if (part.kind !== 'node' || performance.now() - turned < TURN_MS) continue
          await setImmediate()
          turned = performance.now()
        }
      }
      if (this.#open.length > 0 || this.#nodes === 0) throw new TreeError('ERR_TREE_NAME', 'the tree ends inside a folder', { remote: true })
      await this.#settle()
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
    await this.#finishing
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

  /** Whatever is of small files at once: a promise for each of their parts would take longer than the system does. */
  #take (part: TreePart | TreeMark, root: Directory | undefined): Promise<void> | undefined {
    if (part.kind === 'data') return this.#data(part.bytes)
    if (part.kind === 'mark') return this.#mark(part.trace)
    if (this.#failure !== undefined) throw this.#failure.error
    const begin = (): Promise<void> | undefined => part.kind === 'node' ? this.#node(part.node, root) : this.#leave()
    const ended = this.#endFile()
    return ended === undefined ? begin() : ended.then(begin)
  }

  #node (node: TreeNode, root: Directory | undefined): Promise<void> | undefined {
    const folder = this.#open.at(-1)
    if (folder === undefined) {
      this.#beginRoot(node)
      this.#nodes++
      this.#open.push(new OpenFolder(node, root))
      return undefined
    }
    const name = folder.add(node.path)
    this.#nodes++
    if (node.type !== 'file' || (node.size ?? 0) > WHOLE_FILE_BYTES) return this.#make(folder, name, node)
    this.#file = { folder, name, node, writer: new SmallFile(folder.directory, this.#inPlace ? temporary() : name, node.size ?? 0) }
    return undefined
  }

  async #make (folder: OpenFolder, name: string, node: TreeNode): Promise<void> {
    try {
      if (node.type === 'directory') {
        if (this.#inPlace && !folder.directory.isFolder(name)) await folder.directory.remove(name)
        this.#open.push(new OpenFolder(node, folder.directory.make(name, this.#inPlace)))
      } else if (node.type === 'file') {
        // What is marked within it has to be noted before it gets its name: whoever goes on tells by that which came first.
        await this.#settle()
        const writer = new FileWriter(folder.directory, this.#inPlace ? temporaryOf(node.path) : name, node.size ?? 0)
        this.#file = { folder, name, node, writer }
        if (this.#inPlace) await folder.directory.remove(writer.name)
        await writer.open()
      } else {
        await this.#special(folder, name, node)
        this.#options.onNode?.(node)
      }
    } catch (error) {
      throw treeError(error, 'make', node.path)
    }
  }

  #data (bytes: Uint8Array): Promise<void> | undefined {
    if (this.#file === undefined) throw new TreeError('ERR_TREE_NAME', 'bytes of no file', { remote: true })
    this.#bytes += bytes.length
    const { writer, node } = this.#file
    const wrong = (error: unknown): never => { throw treeError(error, 'write', node.path) }
    if (!(writer instanceof SmallFile)) return writer.write(bytes).catch(wrong)
    try {
      writer.write(bytes)
    } catch (error) {
      wrong(error)
    }
    return undefined
  }

  /** Told when everything before it is written; a small file is when all of it is, of which more may come behind the mark. */
  #mark (trace: Uint8Array): undefined {
    if (this.#file?.writer instanceof SmallFile) this.#inside.push(trace)
    else if (this.#finishing !== undefined) this.#marks.push(trace)
    else this.#options.onMark?.(trace)
  }

  /** The file that came last is complete. */
  #endFile (): Promise<void> | undefined {
    const file = this.#file
    if (file === undefined) return undefined
    this.#file = undefined
    const { folder, name, node, writer } = file
    const owner = this.#metadata.owner(node)
    if (!(writer instanceof SmallFile) || this.#inPlace || owner instanceof Promise) return this.#finish(file, owner)
    try {
      this.#metadata.dress(folder, name, node, owner, writer.finish())
      writer.close()
    } catch (error) {
      writer.abort()
      throw treeError(error, 'write', node.path)
    }
    return this.#complete(node)
  }

  async #finish ({ folder, name, node, writer }: OpenFile, owner: Owner | undefined | Promise<Owner>): Promise<void> {
    try {
      this.#metadata.dress(folder, name, node, await owner, await writer.finish())
      await writer.close()
      if (this.#inPlace) await this.#exchange(folder.directory, writer.name, name)
    } catch (error) {
      await writer.abort(false)
      throw treeError(error, 'write', node.path)
    }
    this.#complete(node)
  }

  #complete (node: TreeNode): undefined {
    this.#options.onNode?.(node)
    for (const trace of this.#inside.splice(0)) this.#mark(trace)
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
    await this.#settle()
    const folder = this.#open.pop()
    if (folder === undefined) throw new TreeError('ERR_TREE_NAME', 'the end of a folder where none is open', { remote: true })
    this.#finishing = this.#finishFolder(folder).then(() => {
      this.#finishing = undefined
      for (const trace of this.#marks.splice(0)) this.#options.onMark?.(trace)
    }).catch((error: unknown) => { this.#failure = { error } })
  }

  async #finishFolder (folder: OpenFolder): Promise<void> {
    const { node, directory, script, names } = folder
    try {
      if (this.#inPlace && (this.#options.remove ?? true)) {
        for (const name of directory.names()) if (!names.has(name)) await directory.remove(name)
      }
      await this.#metadata.finish(folder, async () => await this.#run(script, directory, node.path))
    } catch (error) {
      throw treeError(error, 'finish', node.path)
    } finally {
      folder.close()
    }
    this.#options.onNode?.(node)
  }

  /** Nothing is on its way any more. */
  async #settle (): Promise<void> {
    await this.#finishing
    if (this.#failure !== undefined) throw this.#failure.error
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
