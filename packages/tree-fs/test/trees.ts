/**
 * Trees that tests write.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { chown, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TreeNode, TreePart } from '@ropewalk/interface'
import type { Test } from 'tap'
import { readTree } from '../src/read-tree.ts'
import { folder } from './folder.ts'

export const run = promisify(execFile)

/** What a walk meets, as what is written. */
export async function * partsOf (root: string): AsyncGenerator<TreePart> {
  const open: TreeNode[] = []
  for await (const { node, content } of readTree(root)) {
    while (open.length > 0 && !(open.at(-1)?.path === '' || node.path.startsWith(`${open.at(-1)?.path}/`))) yield { kind: 'leave', node: open.pop() as TreeNode }
    yield { kind: 'node', node }
    if (node.type === 'directory') open.push(node)
    for await (const bytes of content?.() ?? []) yield { kind: 'data', bytes }
  }
  while (open.length > 0) yield { kind: 'leave', node: open.pop() as TreeNode }
}

export async function nodesOf (root: string): Promise<TreeNode[]> {
  const nodes: TreeNode[] = []
  for await (const { node } of readTree(root)) nodes.push(node)
  return nodes
}

export const directory = (path: string): TreePart => ({ kind: 'node', node: { path, type: 'directory', permissions: 0o755 } })
export const leave = (path: string): TreePart => ({ kind: 'leave', node: { path, type: 'directory', permissions: 0o755 } })
export const file = (path: string, text: string = ''): TreePart[] => [
  { kind: 'node', node: { path, type: 'file', permissions: 0o644, size: text.length } }, { kind: 'data', bytes: Buffer.from(text) }
]
export const pointer = (path: string, target: string): TreePart => ({ kind: 'node', node: { path, type: 'symlink', permissions: 0o777, target } })

/** One with everything that whoever is not root can make. */
export async function variedTree (t: Test): Promise<string> {
  const root = await folder(t)
  for (const name of ['deep', 'deep/er', 'empty', 'odd \' "\n$(name)']) await mkdir(join(root, name))
  await writeFile(join(root, 'deep/er/file'), 'text')
  await writeFile(join(root, 'deep/large'), Buffer.concat([Buffer.alloc(2_000_000), Buffer.alloc(300_000, 7)]))
  await writeFile(Buffer.concat([Buffer.from(join(root, 'deep/')), Buffer.of(0xfe, 0x27)]), 'no UTF-8')
  for (let i = 0; i < 60; i++) await writeFile(join(root, 'empty', String(i)), 'x'.repeat(i * 500))
  await symlink('../nowhere', join(root, 'deep/link'))
  await run('mkfifo', [join(root, 'pipe')])
  await run('chmod', ['2711', join(root, 'deep/er')])
  await run('touch', ['-h', '-d', '1999-12-31T23:59:59.999999999Z', join(root, 'deep/link'), join(root, 'deep/er'), join(root, 'deep/er/file')])
  await run('touch', ['-d', '1969-12-31T23:59:57.5Z', join(root, 'pipe')])
  await run('setfattr', ['-n', 'user.rope', '-v', '0x0a0027', join(root, 'deep/er/file')]).catch(() => t.comment('no extended attributes here'))
  return root
}

/** Root may do what others may not: `work` is done as somebody else, whose folder `place` is. */
export async function asNobody (place: string, work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return await work()
  await chown(place, NOBODY, NOBODY)
  process.setegid?.(NOBODY)
  process.seteuid?.(NOBODY)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

const NOBODY = 65534
