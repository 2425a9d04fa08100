import { randomBytes } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { AbortOptions, Source, TreeKept, TreeMark, TreeNode, TreePart } from '@ropewalk/interface'
import { Directory } from './directory.ts'
import { TreeError, systemCode, treeError } from './errors.ts'
import { TEMPORARY } from './path.ts'
import { runTool } from './tools.ts'
import { TreeBuilder } from './tree-builder.ts'

export interface WriteTreeOptions extends AbortOptions {
  /** What happens when there is something at the path: refuse, put the new tree in its place, or change the folder that is there until it is the tree. Default `refuse`. */
  existing?: 'refuse' | 'replace' | 'in-place' | undefined
  /** With `in-place`: remove what the tree does not have. Default true. */
  remove?: boolean | undefined
  /** Give nodes their owners: by number, else by name. Default: when we are root. */
  owners?: boolean | undefined
  /** Give nodes their times. Default true. */
  times?: boolean | undefined
  /** Give nodes their extended attributes, lists of access and what `chattr` sets. Default true. */
  attributes?: boolean | undefined
  /** Everything survives loss of power when the promise resolves. Default true. */
  durable?: boolean | undefined
  /**
   * A folder on the same file system, made where it is not there, for what is not whole yet. Whoever is killed leaves it: the next who is given it takes away
   * what is half done, and puts back what was at the path. For one path, and one writer at a time. Default: names beside the path, which a kill leaves for good. Not with `in-place`.
   */
  workspace?: string | undefined
  /**
   * With a workspace, or in place: called with the trace of each mark when all that comes before it is there and a kill cannot take it away; the system may lose it. Marks come in their order.
   * What was begun then stays where it is, whatever ends the run.
   */
  onMark?: ((trace: Uint8Array) => void) | undefined
  /** What the traces that somebody was told of say, who may have been killed since. `parts` go on behind it, and are not asked for anything before. */
  kept?: Source<TreePart | TreeKept> | undefined
  /** In place: when the last of these traces was kept, in nanoseconds since 1970 as file systems have it. Where something was changed later, nothing is believed. */
  keptAt?: bigint | undefined
  /** With `kept`: there is none of it, or for that reason it is of no use, and `parts` have to begin at the beginning. Called before they are asked for anything. */
  onAnew?: ((reason: unknown) => void) | undefined
  /** Told of what could not be set or made; without it, that is an error. */
  onTrouble?: ((error: TreeError) => void) | undefined
  /** Told of each node that is complete. */
  onNode?: ((node: TreeNode) => void) | undefined
}

/** One by one, or several that came together. */
export type GivenParts = Source<TreePart | TreeMark | ReadonlyArray<TreePart | TreeMark>>

export interface WrittenTree {
  readonly nodes: number
  /** Of files. */
  readonly bytes: number
}

/**
 * Makes a tree of what somebody says it is, at `path` and nowhere else. Unless in place, there is the whole tree at the path in the end, or
 * what was there before.
 */
export async function writeTree (parts: GivenParts, path: string, options: WriteTreeOptions = {}): Promise<WrittenTree> {
  const full = resolve(path)
  const { existing = 'refuse' } = options
  const parent = guarded('open', dirname(full), () => Directory.open(dirname(full), true))
  try {
    return existing === 'in-place' ? await change(parts, parent, basename(full), options) : await build(parts, parent, basename(full), options)
  } finally {
    parent.close()
  }
}

async function change (parts: GivenParts, parent: Directory, name: string, options: WriteTreeOptions): Promise<WrittenTree> {
  const builder = await begun(parent, name, options, true)
  const written = await builder.write(parts, builder.isBegun ? undefined : guarded('open', name, () => parent.make(name, true)))
  await builder.seal(parent, name)
  if (!(options.durable ?? true)) return written
  const root = Directory.open(parent.at(name))
  try {
    await syncAll(root)
  } finally {
    root.close()
  }
  await parent.sync()
  return written
}

async function build (parts: GivenParts, parent: Directory, name: string, options: WriteTreeOptions): Promise<WrittenTree> {
  const durable = options.durable ?? true
  const staging = await prepare(parent, name, options)
  const { directory, fresh, old } = staging
  try {
    const there = parent.names().includes(name)
    if (there && options.existing !== 'replace') throw new TreeError('ERR_EXISTS', `${JSON.stringify(name)} exists`, { path: '' })
    let written: WrittenTree
    let builder: TreeBuilder
    try {
      builder = await begun(directory, fresh, options, false)
      if (!builder.isBegun) await directory.remove(fresh)
      written = await builder.write(parts, builder.isBegun ? undefined : directory.make(fresh, false))
      // Whoever is killed meanwhile has only this to do again.
      if (durable) await syncAll(directory)
      exchange(parent, name, staging, there)
    } catch (error) {
      if (options.workspace === undefined || options.onMark === undefined) await directory.remove(fresh)
      throw error
    }
    try {
      const changed = await builder.seal(parent, name)
      if (durable) await (changed ? syncAll(parent) : parent.sync())
    } finally {
      await directory.remove(old)
    }
    return written
  } finally {
    if (directory !== parent) directory.close()
  }
}

/** The file system that the folder is in. */
async function syncAll ({ path }: Directory): Promise<void> {
  const synced = await runTool('sync', ['-f', '.'], { cwd: path, maxBytes: 65536 })
  if (synced?.code !== 0) throw new TreeError('ERR_UNSUPPORTED', `sync -f: ${synced?.stderr ?? 'not installed'}`)
}

interface Staging {
  readonly directory: Directory
  /** What is being built, and what was at the path. */
  readonly fresh: string
  readonly old: string
}

/** A builder that is where whoever was killed has left it, or a new one. */
async function begun (above: Directory, name: string, options: WriteTreeOptions, inPlace: boolean): Promise<TreeBuilder> {
  const { kept, onAnew, signal } = options
  let reason: unknown
  if (kept !== undefined && above.names().includes(name)) {
    const builder = new TreeBuilder(options, inPlace)
    try {
      if (await builder.resume(kept, above, name)) return builder
    } catch (error) {
      await builder.close()
      signal?.throwIfAborted()
      reason = error
    }
  }
  onAnew?.(reason)
  return new TreeBuilder(options, inPlace)
}

/** Where the tree is built. What somebody who was killed has left in a workspace is put back or removed. */
async function prepare (parent: Directory, name: string, { workspace, kept }: WriteTreeOptions): Promise<Staging> {
  if (workspace === undefined) {
    const prefix = `.${name.slice(0, 64)}.${randomBytes(8).toString('hex')}`
    return { directory: parent, fresh: `${prefix}.new`, old: `${prefix}.old` }
  }
  const staging: Staging = { directory: enter(workspace), fresh: 'new', old: 'old' }
  const { directory, fresh, old } = staging
  try {
    const left = directory.names()
    if (left.includes(old) && !parent.names().includes(name)) place(directory, old, parent, name)
    for (const half of left) {
      if (half === old || (half === fresh && kept === undefined) || half.startsWith(TEMPORARY)) await directory.remove(half)
    }
    return staging
  } catch (error) {
    directory.close()
    throw treeError(error, 'clear', workspace)
  }
}

function enter (workspace: string): Directory {
  return guarded('open', workspace, () => {
    try {
      mkdirSync(workspace, { mode: 0o700 })
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    return Directory.open(workspace)
  })
}

function guarded<T> (doing: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw treeError(error, doing, path)
  }
}

/** Puts what was built at the path, and what was there aside. Where that fails it is there again. */
function exchange (parent: Directory, name: string, { directory, fresh, old }: Staging, there: boolean): void {
  const aside = there && putAside(parent, name, directory, old)
  try {
    place(directory, fresh, parent, name)
  } catch (error) {
    if (aside) place(directory, old, parent, name)
    throw error
  }
}

/** False where it is gone. */
function putAside (parent: Directory, name: string, directory: Directory, old: string): boolean {
  try {
    move(parent, name, directory, old)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw treeError(error, 'put aside', '')
  }
}

/** An empty folder that appeared meanwhile is no loss; anything else stays. */
function place (directory: Directory, half: string, parent: Directory, name: string): void {
  try {
    move(directory, half, parent, name)
  } catch (error) {
    throw treeError(error, 'put in place', join('.', name))
  }
}

function move (from: Directory, name: string, to: Directory, as: string): void {
  try {
    renameSync(from.at(name), to.at(as))
  } catch (error) {
    // A folder that comes into another has to be one that we may write to.
    if (systemCode(error) !== 'EACCES') throw error
    from.unlock(name, false)
    renameSync(from.at(name), to.at(as))
  }
}
