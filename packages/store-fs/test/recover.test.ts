import { appendFile, lstat, mkdir, readdir, readFile, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FragmentInfo, FragmentStore } from '@ropewalk/interface'
import t from 'tap'
import { makeFolder, type Folder } from './folder.ts'

const A = 'aa'.repeat(16)
const B = 'bb'.repeat(16)
const C = 'cc'.repeat(16)

t.test('unfinished objects are kept to go on with', async t => {
  const folder = await prepared(t)
  t.same(await listed(await folder.open()), [
    { id: A, size: 100, committed: true },
    { id: B, size: 100, committed: false }
  ])
})

t.test('unfinished objects can be done without', async t => {
  const folder = await prepared(t)
  t.same(await listed(await folder.open({ unfinished: 'remove' })), [{ id: A, size: 100, committed: true }])
  t.same(await readdir(join(folder.path, 'partial')), [])
})

t.test('unfinished objects that are too old go', async t => {
  const folder = await prepared(t)
  const hourAgo = new Date(Date.now() - 3_600_000)
  await utimes(join(folder.path, 'partial', B), hourAgo, hourAgo)
  const store = await folder.open({ maxUnfinishedAgeMs: 7_200_000 })
  t.same(await store.stat(B), { id: B, size: 100, committed: false })
  await store.close()
  await utimes(join(folder.path, 'partial', B), hourAgo, hourAgo)
  t.equal(await (await folder.open({ maxUnfinishedAgeMs: 1_800_000 })).stat(B), undefined)
})

t.test('S3: after a loss of power an unfinished object has the bytes that were synced, not those that merely arrived', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const store = await folder.open()
  const writer = await store.write(B, 0)
  await writer.write(Buffer.alloc(60, 1))
  await writer.sync()
  await writer.write(Buffer.alloc(40, 2))
  await writer.sync()
  await store.close()
  // What the file may look like when power went before the next sync: its full length, and zeros for an end.
  await appendFile(join(folder.path, 'partial', B), Buffer.alloc(500))
  await writeFile(join(folder.path, 'partial', C), Buffer.alloc(500))

  const same = await folder.open()
  t.same(await listed(same), [{ id: B, size: 600, committed: false }, { id: C, size: 500, committed: false }], 'the machine ran on: every byte counts')
  const again = await same.write(B, 600)
  await again.close()
  await same.close()
  await powerLoss(folder)
  t.same(await listed(await folder.open()), [{ id: B, size: 600, committed: false }, { id: C, size: 500, committed: false }], 'closing has synced them')
})

t.test('S3: cut back to the marker, or removed where there is none', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const store = await folder.open()
  const writer = await store.write(B, 0)
  await writer.write(Buffer.alloc(60, 1))
  await writer.sync()
  await store.close()
  await appendFile(join(folder.path, 'partial', B), Buffer.alloc(500))
  await writeFile(join(folder.path, 'partial', C), Buffer.alloc(500))
  await powerLoss(folder)

  const after = await folder.open()
  t.same(await listed(after), [{ id: B, size: 60, committed: false }])
  await after.commit(B)
  const reader = await after.read(B)
  const content = Buffer.alloc(60)
  await reader.read(content, 0)
  await reader.close()
  t.same(content, Buffer.alloc(60, 1))
  await after.close()
  t.equal((await readFile(join(folder.path, 'boot'), 'latin1')).length, 36, 'the new boot is noted')
})

t.test('S3: a marker never vouches for an object that was started over', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const store = await folder.open()
  const writer = await store.write(B, 0)
  await writer.write(Buffer.alloc(60, 1))
  await writer.sync()
  await writer.close()
  const again = await store.write(B, 0)
  await again.write(Buffer.alloc(100, 2))
  t.same(await readdir(join(folder.path, 'partial')), [B])
})

t.test('of two markers the greater counts, and the other goes', async t => {
  const folder = await prepared(t)
  await writeFile(join(folder.path, 'partial', `${B}.synced-7`), '')
  await powerLoss(folder)
  t.same(await listed(await folder.open()), [{ id: A, size: 100, committed: true }, { id: B, size: 100, committed: false }])
  t.same(await readdir(join(folder.path, 'partial')), [B, `${B}.synced-100`])
})

t.test('what does not belong is removed from the unfinished, and never served', async t => {
  const folder = await prepared(t)
  const { path } = folder
  const secret = join(path, 'secret')
  await writeFile(secret, 'not yours')
  await writeFile(join(path, 'partial', `${C}.tmp`), 'x')
  await writeFile(join(path, 'partial', `${C}.synced-5`), '')
  await symlink(secret, join(path, 'partial', C))
  await mkdir(join(path, 'objects', 'cc'))
  await mkdir(join(path, 'objects', 'dd'))
  await symlink(secret, join(path, 'objects', 'cc', C))
  await mkdir(join(path, 'objects', 'dd', 'dd'.repeat(16)))
  await writeFile(join(path, 'objects', 'dd', 'readme.txt'), 'x')

  const store = await folder.open({ maxBytes: 1e6 })
  t.same(await listed(store), [{ id: A, size: 100, committed: true }, { id: B, size: 100, committed: false }])
  t.same(await readdir(join(path, 'partial')), [B, `${B}.synced-100`])
  for (const id of [C, 'dd'.repeat(16)]) await t.rejects(store.read(id), { code: 'ERR_NOT_FOUND' })
  t.equal(await readFile(secret, 'utf8'), 'not yours')
})

t.test('a committed file that has lost its content is not served as an empty object, and can be written again', async t => {
  const folder = await prepared(t)
  await truncate(join(folder.path, 'objects', 'aa', A), 0)
  const store = await folder.open()
  t.equal(await store.stat(A), undefined)
  await t.rejects(store.read(A), { code: 'ERR_NOT_FOUND' })
  await (await store.write(A, 0)).close()
  await store.commit(A)
  t.same(await store.stat(A), { id: A, size: 0, committed: true })
  t.same(await listed(store), [{ id: A, size: 0, committed: true }, { id: B, size: 100, committed: false }])
})

t.test('a file that is cut short under a reader is an error, not an early end', async t => {
  const folder = await prepared(t)
  const store = await folder.open()
  const reader = await store.read(A)
  await truncate(join(folder.path, 'objects', 'aa', A), 50)
  t.equal(await reader.read(new Uint8Array(50), 0), 50)
  await t.rejects(reader.read(new Uint8Array(100), 0), { code: 'ERR_IO', message: /50 < 100 bytes/ })
  await reader.close()
})

t.test('an object that is both committed and unfinished is committed', async t => {
  const folder = await prepared(t)
  await writeFile(join(folder.path, 'partial', A), 'x')
  t.same((await listed(await folder.open()))[0], { id: A, size: 100, committed: true })
  t.notOk((await readdir(join(folder.path, 'partial'))).includes(A))
})

t.test('nobody else may look into the store', async t => {
  const folder = await prepared(t)
  for (const name of ['objects', 'objects/aa', 'partial', 'lock']) t.equal((await lstat(join(folder.path, name))).mode & 0o777, 0o700, name)
  for (const name of [`objects/aa/${A}`, `partial/${B}`]) t.equal((await lstat(join(folder.path, name))).mode & 0o777, 0o600, name)
})

/** A closed store with A committed and B unfinished, 100 bytes each. */
async function prepared (t: { teardown: (dispose: () => Promise<void>) => unknown }): Promise<Folder> {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const store = await folder.open()
  for (const id of [A, B]) {
    const writer = await store.write(id, 0)
    await writer.write(Buffer.alloc(100, id))
    await writer.close()
  }
  await store.commit(A)
  await store.close()
  return folder
}

/** The store was last open under another boot. */
async function powerLoss (folder: Folder): Promise<void> {
  await writeFile(join(folder.path, 'boot'), '00000000-0000-0000-0000-000000000000')
}

async function listed (store: FragmentStore): Promise<FragmentInfo[]> {
  const infos: FragmentInfo[] = []
  for await (const info of store.list()) infos.push(info)
  return infos.sort((a, b) => a.id < b.id ? -1 : 1)
}
