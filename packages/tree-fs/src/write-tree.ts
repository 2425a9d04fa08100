import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
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
  const there = (await parent.names()).includes(name)
  if (there && options.existing !== 'replace') throw new TreeError('ERR_EXISTS', `${JSON.stringify(name)} exists`, { path: '' })
  const staging = `.${name.slice(0, 64)}.${randomBytes(8).toString('hex')}`
  const root = await parent.make(`${staging}.new`, false)
  try {
    const builder = new TreeBuilder(root, options, false)
    const written = await builder.write(parts)
    if (there) await rename(parent.at(name), parent.at(`${staging}.old`)).catch(ifGone)
    await place(parent, `${staging}.new`, name)
    await builder.finish(parent, name)
    return written
  } catch (error) {
    await parent.remove(`${staging}.new`)
    throw error
  } finally {
    await parent.remove(`${staging}.old`)
  }
}

/** An empty folder that appeared meanwhile is no loss; anything else stays. */
async function place (parent: Directory, staging: string, name: string): Promise<void> {
  try {
    await rename(parent.at(staging), parent.at(name))
  } catch (error) {
    throw treeError(error, 'put in place', join('.', name))
  }
}

function ifGone (error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw treeError(error, 'put aside', '')
}
