import { randomBytes } from 'node:crypto'
import { mkdir, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { AbortOptions, Source, TreeNode, TreePart } from '@ropewalk/interface'
import { Directory } from './directory.ts'
import { TreeError, systemCode, treeError } from './errors.ts'
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
  /** Told of what could not be set or made; without it, that is an error. */
  onTrouble?: ((error: TreeError) => void) | undefined
  /** Told of each node that is complete. */
  onNode?: ((node: TreeNode) => void) | undefined
}

export interface WrittenTree {
  readonly nodes: number
  /** Of files. */
  readonly bytes: number
}

/**
 * Makes a tree of what somebody says it is, at `path` and nowhere else. Unless in place, there is the whole tree at the path in the end, or
 * what was there before.
 */
export async function writeTree (parts: Source<TreePart>, path: string, options: WriteTreeOptions = {}): Promise<WrittenTree> {
  const full = resolve(path)
  const { existing = 'refuse' } = options
  const parent = await Directory.open(dirname(full), true).catch((error: unknown) => { throw treeError(error, 'open', dirname(full)) })
  try {
    return existing === 'in-place' ? await change(parts, parent, basename(full), options) : await build(parts, parent, basename(full), options)
  } finally {
    await parent.close()
  }
}

async function change (parts: Source<TreePart>, parent: Directory, name: string, options: WriteTreeOptions): Promise<WrittenTree> {
  const root = await parent.make(name, true).catch((error: unknown) => { throw treeError(error, 'open', name) })
  const builder = new TreeBuilder(root, options, true)
  const written = await builder.write(parts)
  await builder.finish(parent, name)
  return written
}

async function build (parts: Source<TreePart>, parent: Directory, name: string, options: WriteTreeOptions): Promise<WrittenTree> {
  const staging = await prepare(parent, name, options)
  const { directory, fresh, old } = staging
  try {
    const there = (await parent.names()).includes(name)
    if (there && options.existing !== 'replace') throw new TreeError('ERR_EXISTS', `${JSON.stringify(name)} exists`, { path: '' })
    const builder = new TreeBuilder(await directory.make(fresh, false), options, false)
    let written: WrittenTree
    try {
      written = await builder.write(parts)
      await exchange(parent, name, staging, there)
    } catch (error) {
      await directory.remove(fresh)
      throw error
    }
    await builder.finish(parent, name).finally(() => directory.remove(old))
    return written
  } finally {
    if (directory !== parent) await directory.close()
  }
}

interface Staging {
  readonly directory: Directory
  /** What is being built, and what was at the path. */
  readonly fresh: string
  readonly old: string
}

/** Where the tree is built. What somebody who was killed has left in a workspace is put back or removed. */
async function prepare (parent: Directory, name: string, { workspace }: WriteTreeOptions): Promise<Staging> {
  if (workspace === undefined) {
    const prefix = `.${name.slice(0, 64)}.${randomBytes(8).toString('hex')}`
    return { directory: parent, fresh: `${prefix}.new`, old: `${prefix}.old` }
  }
  const staging: Staging = { directory: await enter(workspace), fresh: 'new', old: 'old' }
  const { directory, fresh, old } = staging
  try {
    const left = await directory.names()
    if (left.includes(old) && !(await parent.names()).includes(name)) await place(directory.at(old), parent, name)
    for (const half of [fresh, old]) if (left.includes(half)) await directory.remove(half)
    return staging
  } catch (error) {
    await directory.close()
    throw treeError(error, 'clear', workspace)
  }
}

async function enter (workspace: string): Promise<Directory> {
  try {
    await mkdir(workspace, { mode: 0o700 }).catch((error: unknown) => { if (systemCode(error) !== 'EEXIST') throw error })
    return await Directory.open(workspace)
  } catch (error) {
    throw treeError(error, 'open', workspace)
  }
}

/** Puts what was built at the path, and what was there aside. Where that fails it is there again. */
async function exchange (parent: Directory, name: string, { directory, fresh, old }: Staging, there: boolean): Promise<void> {
  const aside = there && await putAside(parent, name, directory, old)
  try {
    await place(directory.at(fresh), parent, name)
  } catch (error) {
    if (aside) await place(directory.at(old), parent, name)
    throw error
  }
}

/** False where it is gone. */
async function putAside (parent: Directory, name: string, directory: Directory, old: string): Promise<boolean> {
  const move = async (): Promise<void> => { await rename(parent.at(name), directory.at(old)) }
  try {
    await move().catch(async (error: unknown) => {
      // A folder that comes into another has to be one that we may write to.
      if (systemCode(error) !== 'EACCES') throw error
      await parent.unlock(name, false)
      await move()
    })
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw treeError(error, 'put aside', '')
  }
}

/** An empty folder that appeared meanwhile is no loss; anything else stays. */
async function place (from: string | Buffer, parent: Directory, name: string): Promise<void> {
  try {
    await rename(from, parent.at(name))
  } catch (error) {
    throw treeError(error, 'put in place', join('.', name))
  }
}
