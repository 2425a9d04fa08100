import { chmod, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder, staged, tree } from './folder.ts'

const CONTENT = 'laid into one rope'

t.test('a file that is whole gets the name without a copy, with the permissions that the umask leaves', async t => {
  const { root, outside, open } = await makeFolder(t)
  const receiver = await open()
  const whole = join(outside, 'whole')
  await writeFile(whole, CONTENT)
  await chmod(whole, 0o777)
  t.same(await receiver.adopt(whole, 'a/b', { size: CONTENT.length, mtimeMs: 1_000_000 }), { path: join(root, 'a/b'), name: 'a/b', size: CONTENT.length })
  const [adopted, before] = await Promise.all([stat(join(root, 'a/b')), stat(whole)])
  t.same([adopted.ino, adopted.mode & 0o777, adopted.mtimeMs, adopted.nlink], [before.ino, 0o666, 1_000_000, 2])
  t.same(await staged(root), [])
  t.same(await receiver.adopt(whole, 'a/b', { overwrite: 'rename' }), { path: join(root, 'a/b (1)'), name: 'a/b (1)', size: CONTENT.length })
  await writeFile(join(outside, 'empty'), '')
  t.match(await receiver.adopt(join(outside, 'empty'), 'nothing', { size: 0 }), { size: 0 })
})

t.test('what is refused leaves no name, and the file as it was', async t => {
  const { root, outside, open } = await makeFolder(t)
  const receiver = await open({ maxFileBytes: 100, maxTotalBytes: 150 })
  const whole = join(outside, 'whole')
  await writeFile(whole, CONTENT)
  await writeFile(join(root, 'taken'), 'mine')
  await writeFile(join(outside, 'large'), 'x'.repeat(101))
  await writeFile(join(outside, 'most'), 'x'.repeat(100))
  await symlink(whole, join(outside, 'link'))
  await mkdir(join(outside, 'folder'))
  const aborted = AbortSignal.abort(Object.assign(new Error('enough'), { code: 'MINE' }))
  for (const [path, name, options, code] of [
    [whole, '../x', {}, 'ERR_NAME'], [whole, 'taken', {}, 'ERR_EXISTS'], [whole, 'x', { size: CONTENT.length + 1 }, 'ERR_SIZE'], [whole, 'x', { size: CONTENT.length - 1 }, 'ERR_SIZE'],
    [join(outside, 'large'), 'x', {}, 'ERR_SIZE'], [join(outside, 'link'), 'x', {}, 'ERR_NOT_A_FILE'], [join(outside, 'folder'), 'x', {}, 'ERR_UNSUPPORTED'], [join(outside, 'none'), 'x', {}, 'ERR_IO'],
    [whole, 'x', { signal: aborted }, 'MINE']
  ] as const) {
    await t.rejects(receiver.adopt(path, name, options), { code }, `${path} as ${name}`)
    t.same([await tree(root), await staged(root)], [['taken'], []])
  }
  await receiver.adopt(join(outside, 'most'), 'first')
  await t.rejects(receiver.adopt(join(outside, 'most'), 'second'), { code: 'ERR_QUOTA' })
  t.equal(await readFile(whole, 'utf8'), CONTENT)
  t.same(await tree(root), ['first', 'taken'])
})

t.test('a file of another file system is not copied unasked', async t => {
  const { outside, open } = await makeFolder(t)
  const receiver = await open()
  const elsewhere = await mkdtemp('/dev/shm/adopt-').catch(() => undefined)
  t.teardown(async () => { if (elsewhere !== undefined) await rm(elsewhere, { recursive: true }) })
  const path = join(elsewhere ?? outside, 'whole')
  await writeFile(path, CONTENT)
  const linked = await link(path, join(outside, 'linked')).then(() => true, () => false)
  if (linked) t.match(await receiver.adopt(path, 'x'), { name: 'x' }, 'there is no other file system here')
  else await t.rejects(receiver.adopt(path, 'x'), { code: 'ERR_UNSUPPORTED' })
})
