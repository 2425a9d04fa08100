import { execFile } from 'node:child_process'
import { chmod, lutimes, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TreeItem, TreeNode } from '@ropewalk/interface'
import t from 'tap'
import { readTree, type ReadTreeOptions } from '../src/read-tree.ts'
import { folder } from './folder.ts'
import { asNobody } from './trees.ts'

const run = promisify(execFile)

async function items (root: string, options?: ReadTreeOptions): Promise<TreeItem[]> {
  const found: TreeItem[] = []
  for await (const item of readTree(root, options)) found.push(item)
  return found
}

async function paths (root: string, options?: ReadTreeOptions): Promise<string[]> {
  return (await items(root, options)).map(({ node }) => node.path)
}

async function bytesOf (item: TreeItem): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of item.content?.() ?? []) pieces.push(piece)
  return Buffer.concat(pieces)
}

t.test('a tree is walked parents first, names in the order of their bytes', async t => {
  const root = await folder(t)
  await mkdir(join(root, 'b'))
  await mkdir(join(root, 'a'))
  for (const name of ['a/x', 'a.', 'B', 'b/ü', 'b/z', 'b/\u{10000}', 'b/\uffff']) await writeFile(join(root, name), name)
  await writeFile(Buffer.concat([Buffer.from(join(root, 'b/')), Buffer.of(0xff, 0x41)]), '')
  t.same(await paths(root), ['', 'B', 'a', 'a/x', 'a.', 'b', 'b/z', 'b/ü', 'b/\uffff', 'b/\u{10000}', 'b/\udcffA'])
})

t.test('a node has its kind, its permissions, its owner, its time to the nanosecond, and what belongs to it', async t => {
  const root = await folder(t)
  await writeFile(join(root, 'file'), 'twelve bytes')
  await chmod(join(root, 'file'), 0o4751)
  await run('touch', ['-d', '2001-02-03T04:05:06.123456789Z', join(root, 'file')])
  await symlink('nowhere/at all', join(root, 'link'))
  await lutimes(join(root, 'link'), 1, 2)
  await run('mkfifo', ['-m', '640', join(root, 'pipe')])
  const nodes = new Map((await items(root)).map(({ node }) => [node.path, node]))
  const uid = process.getuid?.() ?? 0
  t.match(nodes.get('file'), { type: 'file', size: 12, permissions: 0o4751, mtime: 981173106_123456789n, uid })
  t.match(nodes.get('link'), { type: 'symlink', target: 'nowhere/at all', mtime: 2_000_000_000n })
  t.match(nodes.get('pipe'), { type: 'fifo', permissions: 0o640 })
  t.match(nodes.get(''), { type: 'directory' })
  const user = await run('id', ['-un']).then(({ stdout }) => stdout.trim(), () => undefined)
  t.equal((nodes.get('') as TreeNode).user, user)
})

t.test('content is exactly what was announced, or an error', async t => {
  const root = await folder(t)
  await writeFile(join(root, 'a'), Buffer.alloc(2_500_000, 7))
  await writeFile(join(root, 'b'), 'before')
  const [, a, b] = await items(root)
  t.ok((await bytesOf(a as TreeItem)).equals(Buffer.alloc(2_500_000, 7)))
  await writeFile(join(root, 'b'), 'be')
  await t.rejects(bytesOf(b as TreeItem), { code: 'ERR_TREE_CHANGED', path: 'b' }, 'shorter')
  await writeFile(join(root, 'b'), 'before and after')
  await t.rejects(bytesOf(b as TreeItem), { code: 'ERR_TREE_CHANGED' }, 'longer')
  await run('sh', ['-c', 'rm b; ln -s a b'], { cwd: root })
  await t.rejects(bytesOf(b as TreeItem), { code: 'ERR_SYMLINK' }, 'a link by now')
})

t.test('files of patterns leave out what they name, below their folder', async t => {
  const root = await folder(t)
  for (const name of ['x', 'x/y', 'x/y/ab']) await mkdir(join(root, name))
  await writeFile(join(root, '.leave'), '# a comment\n*.o\n!k.o\n  /z  \n[ab]?\nonly/\nx/y/q\n\\#odd\n')
  await writeFile(join(root, 'x/.leave'), '!l.o\n')
  for (const name of ['k.o', 'l.o', 'z', 'aa', 'ca', 'only', '#odd', 'x/l.o', 'x/m.o', 'x/z', 'x/y/q', 'x/y/r']) await writeFile(join(root, name), '')
  t.same(await paths(root, { excludeFile: '.leave' }), ['', '.leave', 'ca', 'k.o', 'only', 'x', 'x/.leave', 'x/l.o', 'x/y', 'x/y/r', 'x/z'])
  t.equal((await paths(root)).length, 18, 'nobody asked')
})

t.test('extended attributes are there where the machine has a program that says them, else that is said', async t => {
  const root = await folder(t)
  await writeFile(join(root, 'odd \\ name\n'), '')
  const path = process.env['PATH']
  process.env['PATH'] = '/nowhere'
  const unknown: string[] = []
  const found = await items(root, { onUnknown: what => unknown.push(what) }).finally(() => { process.env['PATH'] = path })
  t.same(unknown, ['xattrs', 'attributes'])
  t.equal(found.length, 2)
  const able = await run('setfattr', ['-n', 'user.rope', '-v', '0x00ff', join(root, 'odd \\ name\n')]).then(() => true, () => false)
  if (!able) return t.comment('no setfattr, or a file system without attributes')
  const [, file] = await items(root)
  t.same(file?.node.xattrs?.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]), [['user.rope', '00ff']])
})

t.test('a program that may be in a folder of PATH that nobody else may search is as one that is not there', async t => {
  const place = await folder(t)
  await mkdir(join(place, 'tree'))
  await mkdir(join(place, 'hidden'), { mode: 0o000 })
  await asNobody(place, async () => {
    const { PATH } = process.env
    process.env['PATH'] = join(place, 'hidden')
    try {
      t.same(await paths(join(place, 'tree')), [''])
    } finally {
      process.env['PATH'] = PATH
    }
  })
})

t.test('what is lent is in memory that is used again, and what is not is in its own', async t => {
  const root = await folder(t)
  await writeFile(join(root, 'a'), Buffer.alloc(2_500_000, 7))
  for (const name of ['b', 'c']) await writeFile(join(root, name), name)
  for (const lend of [true, false]) {
    const buffers: unknown[] = []
    const bytes: string[] = []
    for await (const { content } of readTree(root, { lend })) {
      for await (const piece of content?.() ?? []) {
        buffers.push(piece.buffer)
        bytes.push(`${piece.length} of ${piece[0]}`)
      }
    }
    t.same(bytes, ['1048576 of 7', '1048576 of 7', '402848 of 7', '1 of 98', '1 of 99'])
    t.equal(new Set(buffers).size, lend ? 1 : 5)
  }
})

t.test('whoever reads and never waits does not keep anybody from being heard', async t => {
  const root = await folder(t)
  for (let i = 0; i < 100; i++) await writeFile(join(root, String(i)), 'x'.repeat(200_000))
  let heard = 0
  const hear = (): void => {
    heard++
    turn = setImmediate(hear)
  }
  let turn = setImmediate(hear)
  const began = performance.now()
  // So long that there have to be several turns.
  for (let files = 0; files < 100 || performance.now() - began < 100;) {
    for await (const item of readTree(root, { xattrs: false, attributes: false, names: false })) files += (await bytesOf(item)).length > 0 ? 1 : 0
  }
  clearImmediate(turn)
  t.ok(heard > 3, `${heard} times`)
})

t.test('the root has attributes of its own, and nothing of what is above it', async t => {
  const above = await folder(t)
  const root = join(above, 'root')
  await mkdir(join(root, 'in', 'it'), { recursive: true })
  await writeFile(join(root, 'in', 'it', 'file'), '')
  const able = await run('chattr', ['+A', root]).then(() => true, () => false)
  if (!able) return t.comment('no chattr, or a file system without attributes')
  await run('chattr', ['+S', above])
  await run('chattr', ['+d', join(root, 'in', 'it')])
  await run('chattr', ['-A', join(root, 'in')])
  for (const path of [root, `${root}/`, `${above}/./root`]) {
    const found = (await items(path)).map(({ node }) => [node.path, node.attributes ?? []])
    t.same(found, [['', ['noatime']], ['in', []], ['in/it', ['nodump']], ['in/it/file', []]], path)
  }
})

t.test('what is no folder is no tree, and an abort ends the walk', async t => {
  const root = await folder(t)
  await writeFile(join(root, 'file'), '')
  await symlink('.', join(root, 'link'))
  await t.rejects(items(join(root, 'file')), { code: 'ERR_SYMLINK' })
  await t.rejects(items(join(root, 'link')), { code: 'ERR_SYMLINK' })
  await t.rejects(items(join(root, 'nothing')), { code: 'ERR_IO' })
  await t.rejects(items(root, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
})
