import { chmod, lstat, mkdir, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Receiver } from '../src/index.ts'
import { receiveFile } from '../src/index.ts'
import { makeFolder, text, tree } from './folder.ts'

const TIME = 1_600_000_000_000

t.test('P8: an empty folder with its permissions and time: no setuid, setgid, sticky, nothing that the umask takes', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  const before = process.umask(0o022)
  t.teardown(() => process.umask(before))
  t.equal(await receiver.directory('a/b', { mode: 0o7777, mtimeMs: TIME }), true)
  const made = await stat(join(root, 'a/b'))
  t.equal(made.mode & 0o7777, 0o755)
  t.equal(made.mtimeMs, TIME)
  t.equal((await stat(join(root, 'a'))).mode & 0o7777, 0o755)
  await receiver.directory('closed', { mode: 0 })
  t.equal((await stat(join(root, 'closed'))).mode & 0o7777, 0o700, 'the owner can always go in')
})

t.test('P8: a folder that was there keeps its permissions, unless it is taken over', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await mkdir(join(root, 'mine'), { mode: 0o700 })
  await chmod(join(root, 'mine'), 0o750)
  t.equal(await receiver.directory('mine', { mode: 0o777, mtimeMs: TIME }), false)
  t.match(await stat(join(root, 'mine')), { mode: 0o40750 })
  await receiver.directory('mine', { mode: 0o700, mtimeMs: TIME, adopt: true })
  t.match(await stat(join(root, 'mine')), { mode: 0o40700, mtimeMs: TIME })
})

t.test('X10: links that nobody asked for are refused, and nothing at all is made', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await t.rejects(async () => receiver.link('a/b/link', 'x'), { code: 'ERR_SYMLINK', message: /were not asked for/ })
  t.same(await tree(root), [])
})

t.test('P4: asked to keep links in their folder, a receiver takes none that could lead to what is beside it, and none that is in no folder', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open({ links: 'folder' })
  for (const [name, target] of [['l', 'a'], ['l', '.'], ['a/l', '..'], ['a/l', '../a/x'], ['a/b/l', '../../x'], ['a/l', '/a/x'], ['a/l', 'b/..']] as const) {
    await t.rejects(async () => receiver.link(name, target), { code: 'ERR_SYMLINK' }, `${name} -> ${target}`)
  }
  t.same(await tree(root), [])
  for (const [name, target] of [['a/l', 'b'], ['a/m', '.'], ['a/b/l', '../x'], ['a/b/m', '..'], ['a/b/c/l', '../../x']] as const) {
    await receiver.link(name, target)
    t.equal(await readlink(join(root, name)), target)
  }
})

t.test('P4: asked to keep links inside, a receiver takes none that could lead out, not through others either', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open({ links: 'inside' })
  for (const [name, target] of [
    ['l', '/etc/passwd'], ['l', '..'], ['l', '../x'], ['a/l', '../../x'], ['a/b/l', '../../../x'], ['l', 'a/../..'], ['a/l', 'b/../../c'], ['a/l', 'b/..'],
    ['l', 'C:/x'], ['l', '..\\x'], ['l', ''], ['l', 'a\0b'], ['l', '\ud800'], ['l', 'x'.repeat(4096)]
  ] as const) await t.rejects(async () => receiver.link(name, target), { code: 'ERR_SYMLINK' }, `${name} -> ${target.slice(0, 20)}`)
  t.same(await tree(root), [])
  for (const [name, target] of [['l', 'a'], ['a/l', '../x'], ['a/b/c', '../../d/e'], ['m', './a/./b'], ['a/n', '..']] as const) {
    await receiver.link(name, target, { mtimeMs: TIME })
    t.equal(await readlink(join(root, name)), target)
    t.equal((await lstat(join(root, name))).mtimeMs, TIME)
  }
})

t.test('P4: of a chain that was received a file never goes through, whatever the links are', async t => {
  const { root, outside, open } = await makeFolder(t)
  const receiver = await open({ links: 'any' })
  await receiver.link('out', outside)
  await receiver.link('hop', 'out')
  await t.rejects(receiveFile(receiver, 'out/x', [text('x')]), { code: 'ERR_SYMLINK' })
  await t.rejects(receiveFile(receiver, 'hop/x', [text('x')], { overwrite: 'replace' }), { code: 'ERR_SYMLINK' })
  await t.rejects(receiver.directory('hop/d'), { code: 'ERR_SYMLINK' })
  await t.rejects(receiver.directory('out', { mode: 0o777, adopt: true }), { code: 'ERR_SYMLINK' })
  await t.rejects(receiver.link('hop/l', 'x'), { code: 'ERR_SYMLINK' })
  t.same(await readdir(outside), [])
  t.same(await tree(root), ['hop', 'out'])
})

t.test('a link takes no name away unasked, and on request the name, never what it leads to', async t => {
  const { root, outside, open } = await makeFolder(t)
  const receiver = await open({ links: 'any' })
  await writeFile(join(outside, 'keep'), 'keep')
  await symlink(join(outside, 'keep'), join(root, 'l'))
  await writeFile(join(root, 'f'), 'f')
  await mkdir(join(root, 'd'))
  await t.rejects(receiver.link('l', 'x'), { code: 'ERR_EXISTS' })
  await t.rejects(receiver.link('f', 'x'), { code: 'ERR_EXISTS' })
  await receiver.link('l', join(outside, 'keep'))
  for (const name of ['l', 'f']) await receiver.link(name, 'x', { overwrite: 'replace' })
  await t.rejects(receiver.link('d', 'x', { overwrite: 'replace' }), { code: 'ERR_NOT_A_FILE' })
  t.same([await readlink(join(root, 'l')), await readlink(join(root, 'f'))], ['x', 'x'])
  t.same(await readdir(outside), ['keep'])
})

t.test('P10: a link collides as a file does', async t => {
  const { open } = await makeFolder(t)
  const receiver = await open({ links: 'any', collisions: 'refuse' })
  await receiver.directory('Folder')
  await receiver.link('Folder/One', 'x')
  await t.rejects(receiver.link('Folder/one', 'y'), { code: 'ERR_COLLISION' })
  await t.rejects(receiver.directory('folder'), { code: 'ERR_COLLISION' })
})

t.test('X8: bytes and entries have a quota, checked before anything is written', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open({ maxTotalBytes: 100, maxEntries: 3, links: 'any' })
  await t.rejects(receiver.file('a', { size: 101 }), { code: 'ERR_QUOTA', message: /101 > 100 bytes/ })
  const first = await receiver.file('a', { size: 60 })
  await t.rejects(receiver.file('b', { size: 41 }), { code: 'ERR_QUOTA' }, 'what is announced is set aside')
  await t.rejects(receiver.transfer('t', { bytes: 41 }), { code: 'ERR_QUOTA' })
  await t.rejects(receiver.transfer('t', { entries: 3 }), { code: 'ERR_QUOTA' })
  const second = await receiver.file('b')
  await second.write(new Uint8Array(40))
  await t.rejects(second.write(new Uint8Array(1)), { code: 'ERR_QUOTA' })
  await second.abort()
  await first.abort()
  await receiveFile(receiver, 'c', [new Uint8Array(100)])
  await t.rejects(receiveFile(receiver, 'd', [new Uint8Array(1)]), { code: 'ERR_QUOTA' }, 'what is there stays counted')
  await receiver.directory('e')
  await receiver.link('f', 'x')
  await t.rejects(receiver.directory('g'), { code: 'ERR_QUOTA', message: /4 > 3 entries/ })
  t.same(await tree(root), ['c', 'e', 'f'])
})

t.test('the caller’s mistakes are not the sender’s', async t => {
  const { open } = await makeFolder(t)
  const receiver: Receiver = await open({ links: 'any' })
  await t.rejects(async () => receiver.directory('a', { mode: -1 }), { name: 'RangeError' })
  await t.rejects(async () => receiver.directory('a', { mtimeMs: NaN }), { name: 'RangeError' })
  await t.rejects(async () => receiver.link('a', 'b', { mtimeMs: Infinity }), { name: 'RangeError' })
  await t.rejects(async () => receiver.link('a', 'b', { overwrite: 'rename' as 'refuse' }), { name: 'TypeError' })
  await t.rejects(receiver.transfer('t', { bytes: -1 }), { name: 'RangeError' })
  await t.rejects(open({ maxTotalBytes: -1 }), { name: 'RangeError' })
})
