import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TreePart } from '@ropewalk/interface'
import t from 'tap'
import type { TreeError } from '../src/errors.ts'
import { writeTree, type WriteTreeOptions } from '../src/write-tree.ts'
import { folder } from './folder.ts'
import { asNobody, directory, file, leave, nodesOf, partsOf, pointer, run, variedTree } from './trees.ts'

t.test('what is written is what was read, to the nanosecond', async t => {
  const from = await variedTree(t)
  const to = join(await folder(t), 'tree')
  const { nodes, bytes } = await writeTree(partsOf(from), to)
  const wanted = await nodesOf(from)
  t.same(await nodesOf(to), wanted)
  t.equal(nodes, wanted.length)
  t.equal(bytes, wanted.reduce((sum, { size = 0 }) => sum + size, 0))
  t.ok((await readFile(join(to, 'deep/large'))).equals(await readFile(join(from, 'deep/large'))))
  t.ok((await lstat(join(to, 'deep/large'))).blocks < 1500, 'zeros are a hole')
  t.same(await readdir(join(to, '..')), ['tree'], 'nothing is left beside it')
})

t.test('what exists stays, is exchanged as a whole, or is changed until it is the tree', async t => {
  const from = await variedTree(t)
  const place = await folder(t)
  const to = join(place, 'tree')
  await mkdir(join(to, 'deep/er/file'), { recursive: true })
  await writeFile(join(to, 'mine'), '')
  await writeFile(join(to, 'empty'), 'a file where a folder comes')
  await t.rejects(writeTree(partsOf(from), to), { code: 'ERR_EXISTS' })
  t.same(await readdir(to), ['deep', 'empty', 'mine'])
  await writeTree(partsOf(from), to, { existing: 'in-place', remove: false })
  t.ok((await readdir(to)).includes('mine'))
  await writeTree(partsOf(from), to, { existing: 'in-place' })
  t.same(await nodesOf(to), await nodesOf(from))
  await writeFile(join(to, 'mine'), '')
  await writeTree(partsOf(from), to, { existing: 'replace' })
  t.same(await nodesOf(to), await nodesOf(from))
  t.same(await readdir(place), ['tree'])
})

t.test('nothing is written outside, whatever the names', async t => {
  const place = await folder(t)
  const outside = join(place, 'outside')
  await mkdir(outside)
  const table: ReadonlyArray<readonly [what: string, parts: TreePart[]]> = [
    ['the parent', [directory(''), ...file('..')]],
    ['a path through the parent', [directory(''), ...file('../outside/x')]],
    ['an absolute path', [directory(''), ...file('/etc/x')]],
    ['the folder itself', [directory(''), ...file('.')]],
    ['an empty name', [directory(''), directory('a'), ...file('a/')]],
    ['a NUL', [directory(''), ...file('a\0b')]],
    ['a name of 256 bytes', [directory(''), ...file('a'.repeat(256))]],
    ['a path below a link', [directory(''), pointer('a', '../outside'), ...file('a/x')]],
    ['a folder where a link is', [directory(''), pointer('a', '../outside'), directory('a'), ...file('a/x')]],
    ['a file where a link is', [directory(''), pointer('a', '../outside/x'), ...file('a')]],
    ['a name twice', [directory(''), ...file('a'), ...file('a')]],
    ['no root', [directory('a')]],
    ['a root that is a file', file('')],
    ['no end', [directory(''), ...file('a')]],
    ['an end too many', [directory(''), leave(''), leave('')]],
    ['more bytes than announced', [directory(''), ...file('a'), { kind: 'data', bytes: Buffer.from('x') }, leave('')]],
    ['fewer bytes than announced', [directory(''), { kind: 'node', node: { path: 'a', type: 'file', permissions: 0o644, size: 5 } }, leave('')]]
  ]
  for (const [what, parts] of table) {
    for (const existing of ['refuse', 'in-place'] as const) {
      const to = join(place, existing)
      if (existing === 'in-place') await mkdir(to, { recursive: true })
      await t.rejects(writeTree(parts, to, { existing, durable: false }), { code: 'ERR_TREE_NAME', remote: true }, `${what}, ${existing}`)
    }
    t.same(await readdir(outside), [])
  }
  t.same(await readdir(place), ['in-place', 'outside'])
})

t.test('a link that stands where a folder or a file comes is replaced, not followed', async t => {
  const place = await folder(t)
  await mkdir(join(place, 'outside'))
  await writeFile(join(place, 'outside/file'), 'before')
  await mkdir(join(place, 'to'))
  await symlink('../outside', join(place, 'to/folder'))
  await symlink('../outside/file', join(place, 'to/file'))
  await link(join(place, 'outside/file'), join(place, 'to/hard'))
  const parts = [directory(''), ...file('file', 'after'), directory('folder'), ...file('folder/file', 'after'), leave('folder'), ...file('hard', 'after'), leave('')]
  await writeTree(parts, join(place, 'to'), { existing: 'in-place' })
  t.equal(await readFile(join(place, 'outside/file'), 'utf8'), 'before')
  for (const name of ['file', 'folder/file', 'hard']) t.equal(await readFile(join(place, 'to', name), 'utf8'), 'after')
})

t.test('in a workspace, what a kill has left is cleared up by the next one, and what was at the path is put back', async t => {
  const from = await variedTree(t)
  const place = await folder(t)
  const [to, workspace] = [join(place, 'tree'), join(place, 'work')]
  await run('mkdir', ['-p', join(to, 'mine')])
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', fileURLToPath(new URL('write-child.ts', import.meta.url)), from, to, '20', workspace], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  t.same(await readdir(to), ['mine'])
  t.same(await readdir(workspace), ['new'])
  // Killed between the two renames: there is nothing at the path.
  await rename(to, join(workspace, 'old'))
  await run('chmod', ['500', join(workspace, 'new')])
  await t.rejects(writeTree([directory(''), ...file('..')], to, { existing: 'replace', workspace, durable: false }), { code: 'ERR_TREE_NAME' })
  t.same(await readdir(to), ['mine'], 'a run that fails, too, leaves what was there')
  t.same(await readdir(workspace), [])
  await rename(to, join(workspace, 'old'))
  await writeTree(partsOf(from), to, { existing: 'replace', workspace, durable: false })
  t.same(await nodesOf(to), await nodesOf(from))
  t.same(await readdir(workspace), [])
  t.same((await readdir(place)).sort(), ['tree', 'work'])
})

t.test('where the new tree cannot get its place, what was there has it again', async t => {
  const place = await folder(t)
  const [to, workspace] = [join(place, 'tree'), join(place, 'work')]
  await mkdir(join(to, 'mine'), { recursive: true })
  async function * parts (): AsyncGenerator<TreePart> {
    yield * [directory(''), leave('')]
    await rm(join(workspace, 'new'), { recursive: true })
  }
  await t.rejects(writeTree(parts(), to, { existing: 'replace', workspace, durable: false }), { name: 'TreeError', message: /put in place/ })
  t.same(await readdir(to), ['mine'])
  t.same(await readdir(workspace), [])
})

for (const workspaced of [false, true]) {
  t.test(`folders that nobody may write to are replaced${workspaced ? ' through a workspace' : ''}, and what has other names or is linked to stays as it is`, async t => {
    const place = await folder(t)
    await asNobody(place, async () => {
      const to = join(place, 'tree')
      await mkdir(join(to, 'within'), { recursive: true })
      await mkdir(join(place, 'outside'))
      await writeFile(join(to, 'within', 'file'), 'before')
      await link(join(to, 'within', 'file'), join(place, 'other name'))
      await symlink(join(place, 'outside'), join(to, 'within', 'link'))
      await chmod(join(place, 'other name'), 0o400)
      for (const path of ['outside', 'tree/within', 'tree']) await chmod(join(place, path), 0o500)
      await writeTree([directory(''), ...file('new'), leave('')], to, { existing: 'replace', durable: false, ...workspaced && { workspace: join(place, 'work') } })
      t.same(await readdir(to), ['new'])
      t.same((await readdir(place)).sort(), ['other name', 'outside', 'tree', ...workspaced ? ['work'] : []])
      t.same(workspaced ? await readdir(join(place, 'work')) : [], [])
      t.equal((await stat(join(place, 'other name'))).mode & 0o777, 0o400)
      t.equal((await stat(join(place, 'outside'))).mode & 0o777, 0o500)
    })
  })
}

t.test('a link that cannot be removed is an error, and what it leads to stays as it is', async t => {
  const place = await folder(t)
  await mkdir(join(place, 'tree', 'within'), { recursive: true })
  await symlink(join(place, 'outside'), join(place, 'tree', 'within', 'link'))
  await asNobody(place, async () => {
    await mkdir(join(place, 'outside'), 0o500)
    const parts = [directory(''), directory('within'), leave('within'), leave('')]
    await t.rejects(writeTree(parts, join(place, 'tree'), { existing: 'in-place', durable: false }), { code: 'ERR_PERMISSION' })
    t.equal((await stat(join(place, 'outside'))).mode & 0o777, 0o500)
  })
})

t.test('after a kill there is the whole tree, or what was there before', async t => {
  const from = await variedTree(t)
  const place = await folder(t)
  const wanted = await nodesOf(from)
  const rounds = Number(process.env['ROPEWALK_ROUNDS'] ?? 3)
  for (let round = 0; round < rounds; round++) {
    const to = join(place, `tree-${round}`)
    const child = spawn(process.execPath, ['--conditions=@ropewalk/source', fileURLToPath(new URL('write-child.ts', import.meta.url)), from, to, String(round * 7)], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const there = await lstat(to).then(() => true, () => false)
    if (there) t.same(await nodesOf(to), wanted)
    else t.pass('nothing there')
    await writeTree(partsOf(from), to, { existing: 'replace' })
    t.same(await nodesOf(to), wanted, 'and it can be written again')
  }
})

t.test('an abort leaves nothing, and trouble is an error or is told', async t => {
  const place = await folder(t)
  const controller = new AbortController()
  const parts = async function * (): AsyncGenerator<TreePart> {
    yield directory('')
    yield * file('a', 'text')
    controller.abort(new Error('enough'))
    yield * file('b', 'text')
  }
  await t.rejects(writeTree(parts(), join(place, 'to'), { signal: controller.signal }), /enough/)
  t.same(await readdir(place), [])
  const odd: TreePart[] = [directory(''), { kind: 'node', node: { path: 'a', type: 'file', permissions: 0o644, size: 0, xattrs: [{ name: 'nobody.knows', value: Buffer.of(1) }] } }, leave('')]
  await t.rejects(writeTree(odd, join(place, 'to')), { code: 'ERR_UNSUPPORTED' })
  const troubles: TreeError[] = []
  await writeTree(odd, join(place, 'to'), { onTrouble: error => troubles.push(error) })
  t.match(troubles, [{ code: 'ERR_UNSUPPORTED', path: '' }])
  const plain: WriteTreeOptions = { existing: 'replace', attributes: false, times: false, owners: false, durable: false }
  t.match(await writeTree([...odd.slice(0, 2), pointer('b', 'a'), leave('')], join(place, 'to'), plain), { nodes: 3 })
  t.equal(await readlink(join(place, 'to/b')), 'a')
})

t.test('a source that never waits does not keep anybody from being heard', async t => {
  const place = await folder(t)
  const controller = new AbortController()
  let given = 0
  function * parts (): Generator<TreePart> {
    yield directory('')
    setImmediate(() => { controller.abort(new Error('enough')) })
    while (given < MANY) yield * file(String(given++))
    yield leave('')
  }
  await t.rejects(writeTree(parts(), join(place, 'to'), { durable: false, signal: controller.signal }), /enough/)
  t.ok(given < MANY, `${given} of ${MANY}`)
  t.same(await readdir(place), [])
})

/** More than can be made in the turn of whoever has to be heard. */
const MANY = 20_000
