import { mkdir, readdir, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chunk, ChunkDigest } from '@ropewalk/interface'
import t from 'tap'
import { nodeCompression } from '../src/compression.ts'
import { nodeFileSystem, type FileSystem } from '../src/file-system.ts'
import { nodeHash } from '../src/hash.ts'
import { castr } from '../src/store.ts'
import { folder } from './folder.ts'

const MARK = 'de'.repeat(6)
const DAY = 24 * 60 * 60
const { compress } = nodeCompression()

async function chunkOf (bytes: Uint8Array, digest: ChunkDigest = 'sha512-256'): Promise<Chunk> {
  return { id: Buffer.from(await nodeHash(digest, bytes)).toString('hex'), bytes }
}

/** What somebody on another machine, which was silent for too long, was writing when he was heard of last. */
async function leave (directory: string, files: ReadonlyArray<readonly [id: string, content: Uint8Array]>, begunSecondsAgo: number = 2 * DAY, heardSecondsAgo: number = 2 * DAY): Promise<string[]> {
  const lease = join(directory, '.leases', `0-0-1-1-${MARK}`)
  await mkdir(join(directory, '.leases'), { recursive: true })
  await writeFile(lease, '')
  await utimes(lease, Date.now() / 1000 - heardSecondsAgo, Date.now() / 1000 - begunSecondsAgo)
  return await Promise.all(files.map(async ([id, content]) => {
    const path = join(directory, id.slice(0, 4), `${id}.${MARK}0123456789abcdef.tmp`)
    await mkdir(join(directory, id.slice(0, 4)), { recursive: true })
    await writeFile(path, content)
    return path
  }))
}

t.test('whoever takes over asks for no limit, digest or form of his own', async t => {
  const directory = await folder(t)
  const long = await chunkOf(Buffer.alloc(50_000, 'a chunk that is longer than what is made now'))
  const other = await chunkOf(Buffer.from('of the other digest'), 'sha256')
  const plain = await chunkOf(Buffer.from('as it is'))
  await leave(directory, [[long.id, long.bytes], [other.id, await compress(other.bytes)], [plain.id, plain.bytes]])
  await using store = castr(directory, { lease: true, maxChunkBytes: 1000, digest: 'sha512-256' })
  t.equal(await store.put(await chunkOf(Buffer.from('mine'))), true)
  t.same(Uint8Array.from((await store.get(plain.id))?.bytes ?? []), Uint8Array.from(plain.bytes), 'while it has no name yet')
  await store.sync()
  const later = castr(directory)
  for (const { id, bytes } of [long, other, plain]) t.same(Uint8Array.from((await later.get(id))?.bytes ?? []), Uint8Array.from(bytes))
  t.match(await later.survey(), { chunks: 4, temporaries: 0 })
})

t.test('what is no chunk is in nobody’s way', async t => {
  const directory = await folder(t)
  const [huge, odd] = await Promise.all(['huge', 'odd'].map(async text => await chunkOf(Buffer.from(text)))) as [Chunk, Chunk]
  const [path = ''] = await leave(directory, [[huge.id, Buffer.from('huge')]])
  await truncate(path, 140 * 1024 * 1024)
  await mkdir(join(directory, odd.id.slice(0, 4), `${odd.id}.${MARK}0123456789abcdef.tmp`), { recursive: true })
  await using store = castr(directory, { lease: true })
  t.equal(await store.put(await chunkOf(Buffer.from('mine'))), true)
  t.equal(await store.has(huge.id), false)
  await store.sync()
  t.match(await store.survey(), { chunks: 1 })
})

t.test('where the lease of the dead cannot be looked after, nothing is held, and it goes another time', async t => {
  const directory = await folder(t)
  const left = await chunkOf(Buffer.from('left'))
  await leave(directory, [[left.id, await compress(left.bytes)]])
  let broken = true
  const fs: FileSystem = {
    ...nodeFileSystem,
    readdir: (async (path: string) => {
      if (broken && path === directory) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      return await nodeFileSystem.readdir(path)
    }) as FileSystem['readdir']
  }
  const store = castr(directory, { lease: true, fs })
  await t.rejects(store.put(await chunkOf(Buffer.from('mine'))), { name: 'CastrError', code: 'ERR_IO' })
  t.equal((await readdir(join(directory, '.leases'))).length, 1, 'that of the dead')
  broken = false
  t.equal(await store.has(left.id), true)
  await store.close()
  t.same(await readdir(join(directory, '.leases')), [])

  const failing = castr(directory, { lease: true, fs: { ...fs, readdir: (async () => { throw Object.assign(new Error('EIO'), { code: 'EIO' }) }) as FileSystem['readdir'] } })
  await leave(directory, [])
  await t.rejects(failing.has(left.id), { code: 'ERR_IO' })
  await failing.close()
})

t.test('a collection leaves the lease of the dead for a day after they were heard of, however long ago they began', async t => {
  const directory = await folder(t)
  const left = await chunkOf(Buffer.from('left'))
  await leave(directory, [[left.id, await compress(left.bytes)]], 2 * DAY, DAY / 2)
  await castr(directory).collect(() => [left.id])
  await using store = castr(directory, { lease: true })
  t.equal(await store.has(left.id), true)
})

t.test('a collection that only says what it would do leaves the leases of the dead', async t => {
  const directory = await folder(t)
  await leave(directory, [])
  const store = castr(directory)
  await store.collect(() => [], { dryRun: true })
  t.equal((await readdir(join(directory, '.leases'))).length, 1)
  await store.collect(() => [])
  t.same(await readdir(join(directory, '.leases')), [])
})
