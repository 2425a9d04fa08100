import { createHash } from 'node:crypto'
import { lstat, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { formatOf } from '../src/at-once.ts'
import { INTAKE_BATCH_BYTES, MAX_INTAKE_CHUNK_BYTES } from '../src/constants.ts'
import type { Intake, IntakeOptions, KeptChunk } from '../src/intake.ts'
import { Keeping } from '../src/keeping.ts'
import { castr, type CastrStore } from '../src/store.ts'
import { folder } from './folder.ts'

const MAX_BYTES = 70_000

/** Chunks of many lengths, in more batches than there are threads, and some that come again. */
const CHUNKS: readonly Uint8Array[] = Array.from({ length: 360 }, (_, i) => patternAt(i % 5 === 4 ? 0 : 1000 * i, i % 5 === 4 ? 5000 : 1 + 7919 * i % MAX_BYTES))

function idOf (bytes: Uint8Array, digest: string = 'sha512-256'): string {
  return createHash(digest).update(bytes).digest('hex')
}

/** Gives everything through one array, which is written over each time. */
async function takeIn (intake: Intake, chunks: readonly Uint8Array[]): Promise<KeptChunk[]> {
  const told: KeptChunk[] = []
  const lent = new Uint8Array(MAX_BYTES)
  for (const bytes of chunks) {
    const half = bytes.length >> 1
    for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
      lent.set(part)
      intake.push(lent.subarray(0, part.length))
      lent.fill(0)
    }
    if (intake.cut()) await intake.room()
    told.push(...intake.done())
  }
  told.push(...await intake.finish())
  await intake.close()
  return told
}

async function opened (store: CastrStore, options: Partial<IntakeOptions> = {}): Promise<Intake> {
  return await store.intake({ maxChunkBytes: MAX_BYTES, ...options })
}

t.test('all chunks together have a digest, too, where that is wanted', async t => {
  for (const digest of ['sha512-256', 'sha256'] as const) {
    for (const chunks of [CHUNKS, CHUNKS.slice(0, 1), []]) {
      const store = castr(join(await folder(t), 'store'))
      const intake = await opened(store, { digest, whole: true })
      t.equal(intake.digest, undefined)
      const told = await takeIn(intake, chunks)
      t.equal(told.length, chunks.length)
      t.equal(intake.digest, idOf(Buffer.concat(chunks), digest))
    }
  }
  const intake = await opened(castr(join(await folder(t), 'store')))
  await takeIn(intake, CHUNKS.slice(0, 2))
  t.equal(intake.digest, undefined, 'nobody asked')
})

t.test('chunks that threads take in are told in order, once each as new, and are what the store gives', async t => {
  const directory = join(await folder(t), 'new', 'store')
  const store = castr(directory)
  const told = await takeIn(await opened(store), CHUNKS)
  t.same(told.map(({ id, length }) => [id, length]), CHUNKS.map(bytes => [idOf(bytes), bytes.length]))
  t.equal(told.filter(({ fresh }) => fresh).length, new Set(told.map(({ id }) => id)).size)
  for (const bytes of CHUNKS.slice(0, 40)) {
    const chunk = await store.get(idOf(bytes), { length: bytes.length })
    t.same(chunk?.bytes, Buffer.from(bytes))
    t.equal(formatOf(chunk?.compressed ?? new Uint8Array()), 'zstd')
  }
  const names = (await readdir(directory, { recursive: true })).filter(name => name.includes('/'))
  t.equal(names.length, new Set(told.map(({ id }) => id)).size, 'and nothing else is left')
  t.notOk(names.some(name => !name.endsWith('.cacnk')))

  const again = await takeIn(await opened(store), CHUNKS)
  t.same(again.map(({ id }) => id), told.map(({ id }) => id))
  t.equal(again.filter(({ fresh }) => fresh).length, 0)
  t.equal(await store.put({ id: idOf(CHUNKS[0] as Uint8Array), bytes: CHUNKS[0] as Uint8Array }), false)
  await store.close()
  await t.rejects(opened(store), { code: 'ERR_CLOSED' })
})

t.test('with another digest, another compression, or none', async t => {
  const some = CHUNKS.slice(0, 20)
  for (const [options, compress, format] of [[{ digest: 'sha256', format: 'gzip' }, true, 'gzip'], [{ digest: 'sha256' }, false, undefined]] as const) {
    const store = castr(await folder(t), { compress })
    await takeIn(await opened(store, options), some)
    for (const bytes of some) {
      const chunk = await store.get(idOf(bytes, 'sha256'))
      t.same(chunk?.bytes, Buffer.from(bytes))
      t.equal(chunk?.compressed === undefined ? undefined : formatOf(chunk.compressed), format)
    }
  }
})

t.test('a chunk that is found under a lease is made young', async t => {
  const directory = await folder(t)
  const bytes = patternAt(0, 5000)
  await takeIn(await opened(castr(directory)), [bytes])
  const path = join(directory, idOf(bytes).slice(0, 4), `${idOf(bytes)}.cacnk`)
  await utimes(path, 1000, 1000)
  await takeIn(await opened(castr(directory)), [bytes])
  t.equal((await lstat(path)).mtimeMs, 1_000_000)
  const store = castr(directory, { lease: true })
  await takeIn(await opened(store), [bytes])
  t.ok((await lstat(path)).mtimeMs > Date.now() - 60_000)
  t.equal((await readdir(join(directory, '.leases'))).length, 1)
  await store.close()
  t.equal((await readdir(join(directory, '.leases'))).length, 0)
})

t.test('its buffers are bounded: longer chunks are refused, and nothing comes while there is no room', async t => {
  const store = castr(await folder(t))
  await t.rejects(opened(store, { maxChunkBytes: MAX_INTAKE_CHUNK_BYTES + 1 }), { code: 'ERR_CHUNK_SIZE' })
  const intake = await opened(store)
  intake.push(new Uint8Array(MAX_BYTES))
  t.throws(() => { intake.push(new Uint8Array(1)) }, { code: 'ERR_CHUNK_SIZE' })
  intake.cut()
  let cuts = 1
  t.throws(() => {
    for (;;) {
      intake.push(patternAt(cuts, MAX_BYTES))
      intake.cut()
      cuts++
    }
  }, TypeError)
  t.ok(cuts * MAX_BYTES <= 8 * (INTAKE_BATCH_BYTES + MAX_BYTES), `${cuts} chunks`)
  await intake.room()
  intake.push(new Uint8Array(1))
  intake.cut()
  await intake.finish()
  await intake.close()
})

t.test('a store that cannot be written to says so, whoever waits', async t => {
  const path = join(await folder(t), 'file')
  await writeFile(path, '')
  const intake = await opened(castr(join(path, 'store')))
  intake.push(patternAt(0, 100))
  intake.cut()
  await t.rejects(intake.finish(), { code: 'ERR_IO' })
  await t.rejects(intake.room(), { code: 'ERR_IO' })
  await intake.close()
})

t.test('nothing has its name before it was synced, with the program sync and without it', async t => {
  const path = process.env['PATH']
  t.teardown(() => { process.env['PATH'] = path })
  for (const found of [true, false]) {
    if (!found) process.env['PATH'] = ''
    const root = await folder(t)
    const keeping = new Keeping({ root, suffix: undefined, digest: 'sha512-256', format: 'zstd', durable: true, lease: undefined })
    const bytes = patternAt(0, 5000)
    const { id } = keeping.keep(bytes)
    const named = async (): Promise<string[]> => await readdir(join(root, id.slice(0, 4)))
    t.match(await named(), [/\.tmp$/])
    t.same(keeping.keep(bytes), { id, fresh: false })
    keeping.sync()
    t.same(await named(), [`${id}.cacnk`])
    t.same(keeping.keep(bytes), { id, fresh: false })
    keeping.sync()
  }
})
