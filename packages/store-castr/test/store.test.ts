import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import type { Chunk } from '@ropewalk/interface'
import { nodeFileSystem, type FileSystem } from '../src/file-system.ts'
import { nodeHash } from '../src/hash.ts'
import { castr } from '../src/store.ts'
import { folder, recordedStore } from './folder.ts'

async function chunkOf (bytes: Uint8Array, digest: 'sha256' | 'sha512-256' = 'sha512-256'): Promise<Chunk> {
  return { id: Buffer.from(await nodeHash(digest, bytes)).toString('hex'), bytes }
}

async function gather<T> (source: AsyncIterable<T>): Promise<T[]> {
  const all = []
  for await (const one of source) all.push(one)
  return all
}

for (const [name, chunks] of [['srv', 30], ['gzip', 4], ['xz', 4], ['sha256', 4]] as const) {
  t.test(`reads every chunk of a store that the original wrote: ${name}`, async t => {
    const store = castr(recordedStore(name))
    const ids = await gather(store.list())
    t.equal(ids.length, chunks)
    for (const id of ids) {
      t.equal(await store.has(id), true)
      const chunk = await store.get(id)
      t.ok(chunk?.compressed !== undefined && chunk.bytes.length > 0)
      t.same(await store.get(id, { length: chunk?.bytes.length }), chunk)
      await t.rejects(store.get(id, { length: (chunk?.bytes.length ?? 0) + 1 }), { code: 'ERR_CHUNK_SIZE', id })
    }
  })
}

t.test('keeps chunks under the names that the original uses, read-only, whole and once', async t => {
  const directory = join(await folder(t), 'new', 'default.castr')
  const store = castr(directory)
  const chunk = await chunkOf(patternAt(0, 5000))
  t.equal(await store.has(chunk.id), false)
  t.equal(await store.get(chunk.id), undefined)
  t.equal(await store.put(chunk), true)
  t.equal(await store.has(chunk.id), true, 'before it is durable')
  t.same((await store.get(chunk.id))?.bytes, Buffer.from(chunk.bytes))
  t.equal(await store.put(chunk), false)
  await store.sync()
  t.same(await readdir(directory), [chunk.id.slice(0, 4)])
  t.same(await readdir(join(directory, chunk.id.slice(0, 4))), [`${chunk.id}.cacnk`])
  t.equal((await stat(join(directory, chunk.id.slice(0, 4), `${chunk.id}.cacnk`))).mode & 0o777, 0o444 & ~process.umask())
  t.same(await gather(store.list()), [chunk.id])
  t.equal(await store.remove(chunk.id), true)
  t.equal(await store.remove(chunk.id), false)
  t.same(await gather(store.list()), [])
  await store.close()
  await t.rejects(store.put(chunk), { code: 'ERR_CLOSED' })
})

t.test('what came compressed is kept as it came', async t => {
  const store = castr(await folder(t))
  const [id = ''] = await gather(castr(recordedStore('xz')).list())
  const chunk = await castr(recordedStore('xz')).get(id) as Chunk
  await store.put(chunk)
  await store.sync()
  t.same(await readFile(join(store.directory, id.slice(0, 4), `${id}.cacnk`)), chunk.compressed)
})

t.test('keeps chunks uncompressed where told to, and reads them either way', async t => {
  const directory = await folder(t)
  const chunk = await chunkOf(patternAt(0, 300), 'sha256')
  const plain = castr(directory, { compress: false, digest: 'sha256' })
  await plain.put(chunk)
  t.same(await plain.get(chunk.id), { id: chunk.id, bytes: Buffer.from(chunk.bytes) }, 'before it is durable')
  await plain.close()
  t.same(await readdir(join(directory, chunk.id.slice(0, 4))), [chunk.id])
  t.same((await castr(directory).get(chunk.id))?.bytes, Buffer.from(chunk.bytes))
  t.equal(await castr(directory).put(chunk), false)
})

t.test('takes nothing that does not fit its id, nor too much, nor nothing', async t => {
  const directory = join(await folder(t), 'store')
  const store = castr(directory, { maxChunkBytes: 1000 })
  const chunk = await chunkOf(patternAt(0, 1000))
  await t.rejects(store.put({ ...chunk, bytes: patternAt(1, 1000) }), { code: 'ERR_CHUNK_DAMAGED', id: chunk.id })
  await t.rejects(store.put(await chunkOf(patternAt(0, 1001))), { code: 'ERR_CHUNK_SIZE' })
  await t.rejects(store.put(await chunkOf(new Uint8Array(0))), { code: 'ERR_CHUNK_SIZE' })
  t.same(await gather(store.list()), [])
  await store.put(chunk)
  await store.sync()
  await t.rejects(castr(directory, { maxChunkBytes: 999 }).get(chunk.id), { code: 'ERR_CHUNK_SIZE', id: chunk.id })
  await t.rejects(castr(directory, { digest: 'sha256' }).get(chunk.id), { code: 'ERR_CHUNK_DAMAGED', id: chunk.id })
  t.throws(() => castr(directory, { maxChunkBytes: 128 * 1024 * 1024 + 1 }), RangeError)
})

t.test('gives out nothing that is damaged, and says which chunk it is', async t => {
  const directory = await folder(t)
  const store = castr(directory)
  const chunk = await chunkOf(patternAt(7, 2000))
  await store.put(chunk)
  await store.sync()
  const path = join(directory, chunk.id.slice(0, 4), `${chunk.id}.cacnk`)
  const whole = await readFile(path)
  await chmod(path, 0o644)
  for (let at = 0; at < whole.length; at += 7) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] as number) ^ 1 << at % 8
    await writeFile(path, flipped)
    await t.rejects(store.get(chunk.id), { code: /^ERR_CHUNK_(DAMAGED|SIZE)$/, id: chunk.id }, `byte ${at}`)
  }
  await writeFile(path, new Uint8Array(0))
  await t.rejects(store.get(chunk.id), { code: 'ERR_CHUNK_DAMAGED', id: chunk.id })
})

t.test('a link or a folder where a chunk should be is no chunk', async t => {
  const directory = await folder(t)
  const store = castr(directory)
  const chunk = await chunkOf(patternAt(0, 100))
  const shard = join(directory, chunk.id.slice(0, 4))
  await mkdir(shard)
  await writeFile(join(directory, 'elsewhere'), chunk.bytes)
  await symlink('../elsewhere', join(shard, `${chunk.id}.cacnk`))
  await mkdir(join(shard, chunk.id))
  t.equal(await store.has(chunk.id), false)
  t.equal(await store.get(chunk.id), undefined)
})

t.test('makes paths of ids only', async t => {
  const store = castr(await folder(t))
  for (const id of ['', '../../etc/passwd', 'AB'.repeat(32), 'ab'.repeat(31), `${'ab'.repeat(31)}/.`]) {
    await t.rejects(store.get(id), { code: 'ERR_BAD_ID' })
    await t.rejects(store.has(id), { code: 'ERR_BAD_ID' })
    await t.rejects(store.remove(id), { code: 'ERR_BAD_ID' })
    await t.rejects(store.put({ id, bytes: new Uint8Array(1) }, { verified: true }), { code: 'ERR_BAD_ID' })
  }
  t.throws(() => castr('x', { suffix: '/../y' }), RangeError)
})

/** Writes down what happens to files, in order. */
function watched (log: string[], fail?: (what: string) => boolean): FileSystem {
  const note = (what: string): void => {
    log.push(what)
    if (fail?.(what) === true) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
  }
  return {
    ...nodeFileSystem,
    rename: async (from, to) => {
      note(`rename ${String(to).slice(-12)}`)
      await nodeFileSystem.rename(from, to)
    },
    open: async (path, flags, mode) => {
      const handle = await nodeFileSystem.open(path, flags, mode)
      const sync = handle.sync.bind(handle)
      handle.sync = async () => {
        note(`sync ${path.endsWith('.tmp') ? 'chunk' : 'folder'}`)
        await sync()
      }
      return handle
    }
  }
}

t.test('chunks are synced before they are renamed, and folders after, in groups', async t => {
  const log: string[] = []
  const store = castr(await folder(t), { fs: watched(log) })
  for (let i = 0; i < 200; i++) await store.put(await chunkOf(patternAt(i, 50)))
  await store.sync()
  t.equal(log.filter(line => line === 'sync chunk').length, 200)
  t.equal(log.filter(line => line.startsWith('rename')).length, 200)
  let synced = 0
  let renamed = 0
  for (const line of log) {
    if (line === 'sync chunk') synced++
    if (line.startsWith('rename')) renamed++
    t.ok(renamed <= synced && (renamed === 0 || renamed % 64 === 0 || synced === 200 || synced - renamed <= 64 + 64))
  }
  t.equal(log.at(-1), 'sync folder')
  t.equal((await gather(store.list())).length, 200)
})

t.test('when the disk is full no part of a chunk stays, and the store says so from then on', async t => {
  const store = castr(await folder(t), { fs: watched([], what => what === 'sync chunk') })
  const chunk = await chunkOf(patternAt(0, 50))
  await store.put(chunk)
  await t.rejects(store.sync(), { code: 'ERR_NO_SPACE' })
  await t.rejects(store.sync(), { code: 'ERR_NO_SPACE' })
  t.same(await readdir(join(store.directory, chunk.id.slice(0, 4))), [])
  t.equal(await store.has(chunk.id), false)
})

t.test('many putting the same chunk put it once', async t => {
  const store = castr(await folder(t), { durable: false })
  const chunk = await chunkOf(patternAt(0, 50_000))
  const news = await Promise.all(Array.from({ length: 10 }, () => store.put(chunk)))
  t.equal(news.filter(Boolean).length, 1)
  t.equal((await readdir(join(store.directory, chunk.id.slice(0, 4)))).length, 1)
})
