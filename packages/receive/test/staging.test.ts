import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, readdir, readFile, rename, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { makeFolder, staged, text, tree } from './folder.ts'

const CHILD = fileURLToPath(new URL('staging-child.ts', import.meta.url))
const FOLDER = '.ropewalk-staging'

t.test('P7: what a killed process left is removed by the next, what a living one has is not', async t => {
  const { root, open } = await makeFolder(t)
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, root], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await (await open()).close()
  t.equal((await staged(root)).length, 1, 'while it lives')

  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
  t.equal((await staged(root)).length, 1)
  await (await open()).close()
  t.same(await readdir(root), [])
})

t.test('S2: a process id in use again is not the process that left the files', async t => {
  const { root, open } = await makeFolder(t)
  const receiver = await open()
  await receiver.file('a')
  const [own = ''] = await readdir(join(root, FOLDER))
  const [boot, space, pid, start] = own.split('-')
  const other = `${boot}-${space}-${pid}-${Number(start) - 1}-cafe`
  await mkdir(join(root, FOLDER, other))
  await writeFile(join(root, FOLDER, other, '0.part'), 'x')
  await open()
  const left = await readdir(join(root, FOLDER))
  t.notOk(left.includes(other))
  t.ok(left.includes(own))
})

t.test('what another boot or container has left goes only when it is old', async t => {
  const { root, open } = await makeFolder(t)
  const foreign = join(root, FOLDER, 'beef-1-1-1-cafe')
  await mkdir(foreign, { recursive: true })
  await writeFile(join(foreign, '0.part'), 'x')
  await (await open()).close()
  t.equal((await staged(root)).length, 1)

  const old = new Date(Date.now() - 3_600_000)
  await utimes(join(foreign, '0.part'), old, old)
  await utimes(foreign, old, old)
  await (await open({ staleAfterMs: 7_200_000 })).close()
  t.equal((await staged(root)).length, 1)
  await (await open({ staleAfterMs: 1_800_000 })).close()
  t.same(await readdir(root), [])
})

t.test('P7: clearing away follows no link, enters no folder, and touches no name that is not ours', async t => {
  const { root, outside, open } = await makeFolder(t)
  await writeFile(join(outside, 'keep'), 'keep')
  const stale = join(root, FOLDER, 'beef-1-1-1-cafe')
  await mkdir(join(stale, 'folder'), { recursive: true })
  await writeFile(join(stale, 'folder', 'inside'), 'x')
  await symlink(outside, join(stale, 'link'))
  await symlink(outside, join(root, FOLDER, 'beef-1-1-2-cafe'))
  await mkdir(join(root, FOLDER, 'not ours'))
  await writeFile(join(root, FOLDER, 'not ours', 'file'), 'x')
  const old = new Date(0)
  await utimes(join(stale, 'folder'), old, old)
  await utimes(stale, old, old)

  const receiver = await open({ staleAfterMs: 0 })
  await receiver.close()
  t.same(await tree(outside), ['keep'])
  t.equal(await readFile(join(outside, 'keep'), 'utf8'), 'keep')
  t.same((await readdir(join(root, FOLDER), { recursive: true })).filter(entry => entry.endsWith('inside') || entry.endsWith('file')).sort(), ['beef-1-1-1-cafe/folder/inside', 'not ours/file'])
})

t.test('P5: a staging folder that leads elsewhere is refused, and nothing is written there', async t => {
  const { root, outside, open } = await makeFolder(t)
  await symlink(outside, join(root, FOLDER))
  await t.rejects(open(), { code: 'ERR_SYMLINK' })
  await unlink(join(root, FOLDER))
  await writeFile(join(root, FOLDER), '')
  await t.rejects(open(), { code: 'ERR_NOT_A_DIRECTORY' })
  t.same(await tree(outside), [])
})

t.test('P5: a staging folder of another user is refused, and stays as it was', { skip: process.geteuid?.() !== 0 && 'only root can give folders away' }, async t => {
  const { root, open } = await makeFolder(t)
  await mkdir(join(root, FOLDER), { mode: 0o777 })
  await chown(join(root, FOLDER), 65_534, 65_534)
  await t.rejects(open(), { code: 'ERR_UNSAFE_STAGING', message: /belongs to user 65534, not 0/ })
  t.match(await stat(join(root, FOLDER)), { uid: 65_534 })
  t.same(await readdir(join(root, FOLDER)), [])
})

t.test('P5: a staging folder that is exchanged while it is in use leads nowhere', async t => {
  const { path, root, outside, open } = await makeFolder(t)
  const receiver = await open()
  const first = await receiver.file('a')
  await rename(join(root, FOLDER), join(path, 'moved'))
  await symlink(outside, join(root, FOLDER))
  const second = await receiver.file('b')
  for (const writer of [first, second]) {
    await writer.write(text('x'))
    await writer.finish()
  }
  await receiver.close()
  t.same(await tree(outside), [])
  t.same(await tree(root), ['a', 'b'])
})

t.test('receivers that open and close at once do not take the folder from each other', async t => {
  const { root, open } = await makeFolder(t)
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const receiver = await open()
    const writer = await receiver.file(`f${index}`)
    await writer.write(text('x'))
    await writer.finish()
    await receiver.close()
  }))
  t.equal((await readdir(root)).length, 20)
})
