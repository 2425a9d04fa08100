import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, rename, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Chunk, ChunkId } from '@ropewalk/interface'
import fc from 'fast-check'
import t from 'tap'
import { nodeFileSystem, type FileSystem } from '../src/file-system.ts'
import { nodeHash } from '../src/hash.ts'
import { IdSet } from '../src/id-set.ts'
import { castr } from '../src/store.ts'
import { folder } from './folder.ts'

async function chunkOf (text: string): Promise<Chunk> {
  const bytes = Buffer.from(text)
  return { id: Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex'), bytes }
}

const fileOf = (directory: string, id: ChunkId): string => join(directory, id.slice(0, 4), `${id}.cacnk`)

/** A store with chunks that have lain there for years. */
async function oldStore (directory: string, count: number): Promise<Chunk[]> {
  const chunks = await Promise.all(Array.from({ length: count }, (_, i) => chunkOf(`chunk ${i}`)))
  const store = castr(directory, { durable: false })
  for (const chunk of chunks) {
    await store.put(chunk)
    await utimes(fileOf(directory, chunk.id), 1, 1)
  }
  await store.close()
  return chunks
}

t.test('takes away what nobody names, and says so before it does', async t => {
  const directory = await folder(t)
  const chunks = await oldStore(directory, 20)
  const store = castr(directory)
  t.match(await store.survey(), { chunks: 20, temporaries: 0, others: 0 })
  const keep = (): ChunkId[] => chunks.slice(0, 5).map(({ id }) => id)
  const told: ChunkId[] = []
  const wanted = { kept: 5, spared: 0, removed: 15 }
  t.match(await store.collect(keep, { dryRun: true, onRemove: id => told.push(id) }), wanted)
  t.equal(told.length, 15)
  t.equal((await store.survey()).chunks, 20)
  t.match(await store.collect(keep), wanted)
  t.match(await store.collect(keep), { kept: 5, removed: 0 })
  for (const [i, { id }] of chunks.entries()) t.equal(await store.has(id), i < 5)
  t.equal((await store.survey()).chunks, 5)
})

t.test('a collection beside makers never takes what they need', async t => {
  const directory = await folder(t)
  const chunks = await oldStore(directory, 400)
  let making = 4
  let collections = 0
  let removed = 0
  const indexes: ChunkId[][] = []
  const collector = async (): Promise<void> => {
    const store = castr(directory)
    do {
      const counts = await store.collect(() => indexes.flat())
      removed += counts.removed
      collections++
    } while (making > 0)
  }
  const maker = async (start: number): Promise<void> => {
    const store = castr(directory, { lease: true, durable: false })
    const index: ChunkId[] = []
    // Of the old ones every third, and some that are new.
    for (let i = 0; i < 100; i++) {
      const chunk = i % 5 === 4 ? await chunkOf(`new ${start} ${i}`) : chunks[(start * 37 + i * 3) % chunks.length] as Chunk
      await store.put(chunk)
      index.push(chunk.id)
    }
    await store.sync()
    indexes.push(index)
    await store.close()
    making--
  }
  await Promise.all([collector(), collector(), ...[1, 2, 3, 4].map(maker)])
  const store = castr(directory)
  for (const index of indexes) for (const id of index) if (await store.get(id) === undefined) t.fail(`${id} is gone`)
  await store.collect(() => indexes.flat())
  t.ok(removed > 0 && collections > 1, `${removed} chunks went in ${collections} collections`)
  t.equal((await store.survey()).chunks, new Set(indexes.flat()).size, 'and nothing else is there in the end')
})

t.test('a chunk that somebody finds while it is being taken away is put back', async t => {
  const directory = await folder(t)
  const [chunk] = await oldStore(directory, 1) as [Chunk]
  const fs: FileSystem = {
    ...nodeFileSystem,
    async rename (from, to) {
      if (String(to).includes('.collected')) await utimes(from, Date.now() / 1000, Date.now() / 1000)
      await nodeFileSystem.rename(from, to)
    }
  }
  t.match(await castr(directory, { fs }).collect(() => []), { spared: 1, removed: 0 })
  t.ok((await stat(fileOf(directory, chunk.id))).isFile())
})

t.test('a lease protects as long as it is held, and not when its process is dead', async t => {
  const directory = await folder(t)
  const chunk = await chunkOf('found long ago')
  const holder = castr(directory, { lease: true })
  await holder.put(chunk)
  await holder.sync()
  const [name = ''] = await readdir(join(directory, '.leases'))
  const now = Date.now() / 1000
  await utimes(join(directory, '.leases', name), now - 100, now - 100)
  await utimes(fileOf(directory, chunk.id), now - 50, now - 50)
  const store = castr(directory)
  t.match(await store.collect(() => []), { spared: 1, removed: 0 })
  await holder.close()
  t.match(await store.collect(() => [], { youngerThanMs: 60_000 }), { spared: 1, removed: 0 }, 'without a lease, when younger than somebody said')

  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', fileURLToPath(new URL('lease-child.ts', import.meta.url)), directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  t.match(await store.collect(() => []), { removed: 1 }, 'older than the lease')
  await holder.close()
  const ids = []
  for await (const id of store.list()) ids.push(id)
  t.equal(ids.length, 1)
  for (const id of ids) await utimes(fileOf(directory, id), now - 50, now - 50)
  for (const lease of await readdir(join(directory, '.leases'))) await utimes(join(directory, '.leases', lease), now - 100, now - 100)
  t.match(await store.collect(() => []), { spared: 1, removed: 0 }, 'the child lives')
  child.kill('SIGKILL')
  await once(child, 'close')
  t.match(await store.collect(() => []), { spared: 0, removed: 1 }, 'the child is dead')
  for (const lease of await readdir(join(directory, '.leases'))) await utimes(join(directory, '.leases', lease), 1, 1)
  await store.collect(() => [])
  t.same(await readdir(join(directory, '.leases')), [], 'and after a day nobody comes for what it was writing')
})

t.test('what a maker that was killed had written is taken over by the next ones, and by one of them', async t => {
  const directory = await folder(t)
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', fileURLToPath(new URL('lease-child.ts', import.meta.url)), directory, '40'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const living = castr(directory, { lease: true })
  await living.put(await chunkOf('of somebody alive'))
  child.kill('SIGKILL')
  await once(child, 'close')
  t.match(await castr(directory).survey(), { chunks: 1, temporaries: 41 }, 'nothing of the last group has its name')
  const chunks = await Promise.all(Array.from({ length: 40 }, (_, i) => chunkOf(`written by the child ${i}`)))
  // One of them was not whole yet.
  const torn = (await readdir(join(directory, (chunks[7] as Chunk).id.slice(0, 4)))).find(name => name.startsWith((chunks[7] as Chunk).id)) as string
  await chmod(join(directory, torn.slice(0, 4), torn), 0o644)
  await truncate(join(directory, torn.slice(0, 4), torn), 5)

  const stores = [castr(directory, { lease: true }), castr(directory, { lease: true }), castr(directory, { lease: true })]
  t.same(await Promise.all(stores.map(async store => await store.put(await chunkOf('mine')).catch(String))).then(results => results.filter(result => typeof result === 'string')), [])
  for (const store of stores) await store.sync()
  for (const [i, { id, bytes }] of chunks.entries()) t.same((await stores[0]?.get(id))?.bytes, i === 7 ? undefined : bytes)
  t.match(await castr(directory).survey(), { chunks: 1 + 39 + 1, temporaries: 1 }, 'that of somebody alive stays his')
  await Promise.all([living, ...stores].map(async store => { await store.close() }))
  t.match(await castr(directory).survey(), { chunks: 42, temporaries: 0 })
  t.same(await readdir(join(directory, '.leases')), [])
})

t.test('what a killed collection had in its hands is found all the same, and put back', async t => {
  const directory = await folder(t)
  const [chunk] = await oldStore(directory, 1) as [Chunk]
  await mkdir(join(directory, '.collected'))
  await rename(fileOf(directory, chunk.id), join(directory, '.collected', `${chunk.id}.cacnk`))
  const store = castr(directory, { lease: true })
  t.same((await store.get(chunk.id))?.bytes, chunk.bytes)
  t.equal(await store.has(chunk.id), false, 'whoever makes an index puts it anew')
  await store.close()
  t.ok((await stat(fileOf(directory, chunk.id))).isFile())
})

t.test('what is being written stays for a day, and names of others for ever', async t => {
  const directory = await folder(t)
  const [chunk] = await oldStore(directory, 1) as [Chunk]
  const shard = join(directory, chunk.id.slice(0, 4))
  for (const name of ['young.tmp', 'old.tmp', 'note.txt']) await writeFile(join(shard, name), '')
  await utimes(join(shard, 'old.tmp'), 1, 1)
  await utimes(join(shard, 'note.txt'), 1, 1)
  const named = `${chunk.id.slice(0, 4)}${'0'.repeat(60)}.cacnk`
  for (const name of ['folder.tmp', named]) {
    await mkdir(join(shard, name))
    await utimes(join(shard, name), 1, 1)
  }
  const store = castr(directory)
  t.match(await store.survey(), { temporaries: 3, others: 1 })
  t.match(await store.collect(() => []), { removed: 1 })
  t.same((await readdir(shard)).sort(), [named, 'folder.tmp', 'note.txt', 'young.tmp'].sort(), 'a folder is nothing that could be removed')
})

t.test('ids to keep are remembered in 32 bytes each at most, and so many', async t => {
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[0-3]{8}0{56}$/), { maxLength: 3000 }), fc.array(fc.stringMatching(/^[0-3]{8}0{56}$/)), (added, asked) => {
    const set = new IdSet(10_000)
    for (const id of added) set.add(id)
    const naive = new Set(added)
    return [...added, ...asked].every(id => set.has(id) === naive.has(id))
  }), { numRuns: 30 })
  const small = new IdSet(2)
  small.add('1'.repeat(64))
  small.add('1'.repeat(64))
  small.add('2'.repeat(64))
  t.throws(() => { small.add('3'.repeat(64)) }, { code: 'ERR_TOO_MANY_CHUNKS' })
})

t.test('an abort ends a collection', async t => {
  const directory = await folder(t)
  await oldStore(directory, 3)
  const store = castr(directory)
  await t.rejects(store.collect(() => [], { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  t.equal((await store.survey()).chunks, 3)
})
