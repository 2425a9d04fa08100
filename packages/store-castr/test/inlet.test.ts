import { createHash } from 'node:crypto'
import { readdir, readFile, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { Keeping } from '../src/keeping.ts'
import { castr } from '../src/store.ts'
import { folder } from './folder.ts'

const CHUNKS: readonly Uint8Array[] = Array.from({ length: 150 }, (_, i) => patternAt(977 * i, 20_000 + 331 * i))

function idOf (bytes: Uint8Array): string {
  return createHash('sha512-256').update(bytes).digest('hex')
}

const pathIn = (store: string, id: string): string => join(store, id.slice(0, 4), `${id}.cacnk`)

t.test('chunks that come packed are kept as they came, once, and are durable after sync', async t => {
  const at = join(await folder(t), 'new', 'store')
  const store = castr(at, { lease: true })
  const inlet = await store.inlet()
  const lent = new Uint8Array(100_000)
  const packed = CHUNKS.map((bytes, i) => i % 3 === 0 ? bytes : zstdCompressSync(bytes, { params: {} }))
  // All of them out of the same memory, and some twice.
  const left = await Promise.all([...CHUNKS.keys(), 0, 1, 2, 3].map(i => {
    const [bytes, data] = [CHUNKS[i], packed[i]] as [Uint8Array, Uint8Array]
    lent.set(data)
    const unpacked = inlet.unpack(idOf(bytes), bytes.length, { data: lent.subarray(0, data.length), compressed: i % 3 !== 0 })
    lent.fill(0)
    return unpacked
  }))
  t.same(left, left.map(() => undefined))
  await inlet.sync()
  for (const [i, bytes] of CHUNKS.entries()) {
    if (i % 3 !== 0) t.ok((await readFile(pathIn(at, idOf(bytes)))).equals(packed[i] as Uint8Array), `chunk ${i} as it came`)
    t.same((await store.get(idOf(bytes), { length: bytes.length }))?.bytes, Buffer.from(bytes))
  }
  const names = (await readdir(at, { recursive: true })).filter(name => /^[0-9a-f]{4}\//.test(name))
  t.equal(names.length, CHUNKS.length, 'and nothing else is left')
  for (const bytes of CHUNKS) await utimes(pathIn(at, idOf(bytes)), 1, 1)
  const before = await stat(pathIn(at, idOf(CHUNKS[1] as Uint8Array)))
  t.equal(await inlet.unpack(idOf(CHUNKS[1] as Uint8Array), (CHUNKS[1] as Uint8Array).length, { data: packed[1] as Uint8Array, compressed: true }), undefined)
  const after = await stat(pathIn(at, idOf(CHUNKS[1] as Uint8Array)))
  t.equal(after.ino, before.ino, 'what is there is not written again')
  t.ok(after.mtimeMs > 1e12, 'and is made young for whoever collects')
  await inlet.close()
  await t.rejects(inlet.unpack(idOf(CHUNKS[1] as Uint8Array), 5, { data: new Uint8Array(5), compressed: false }), { code: 'ERR_CLOSED' })
  await store.close()
  await t.rejects(store.inlet(), { code: 'ERR_CLOSED' })
})

t.test('what is not the chunk comes back, and is not kept', async t => {
  const at = join(await folder(t), 'store')
  const store = castr(at)
  const inlet = await store.inlet({ digest: 'sha512-256' })
  const [bytes, other] = CHUNKS as readonly [Uint8Array, Uint8Array]
  const good = zstdCompressSync(bytes)
  const cases: Array<[string, Uint8Array, boolean, number]> = [
    ['another', zstdCompressSync(other), true, bytes.length], ['another, as it is', other, false, bytes.length], ['cut short', good.subarray(0, -5), true, bytes.length],
    ['another of that length', zstdCompressSync(patternAt(5, bytes.length)), true, bytes.length], ['another of that length, as it is', patternAt(5, bytes.length), false, bytes.length],
    ['gzip', gzipSync(bytes), true, bytes.length], ['far too long', new Uint8Array(200_000), true, bytes.length], ['of another length', good, true, bytes.length + 1],
    ['longer than threads take', good, true, 3 * 1024 * 1024]
  ]
  for (const [what, data, compressed, length] of cases) {
    const back = await inlet.unpack(idOf(bytes), length, { data, compressed })
    t.ok(back !== undefined && Buffer.compare(back, data) === 0, what)
  }
  await inlet.sync()
  t.match(await store.survey(), { chunks: 0, temporaries: 0, others: 0 })
  await t.rejects(inlet.unpack('../../x', 5, { data: good, compressed: true }), { code: 'ERR_BAD_ID' })
  await inlet.close()
  await store.close()
})

t.test('a store that keeps chunks as they are takes them apart, and a disk that fails says so', async t => {
  const at = join(await folder(t), 'store')
  const [bytes, other] = CHUNKS as readonly [Uint8Array, Uint8Array]
  const plain = new Keeping({ root: at, suffix: undefined, digest: 'sha512-256', format: undefined, durable: true, lease: undefined })
  t.equal(plain.keepPacked(idOf(bytes), bytes.length, zstdCompressSync(bytes), true), true)
  plain.sync()
  t.ok((await readFile(pathIn(at, idOf(bytes)).slice(0, -'.cacnk'.length))).equals(bytes))
  const nowhere = new Keeping({ root: '/dev/null/store', suffix: undefined, digest: 'sha512-256', format: 'zstd', durable: true, lease: undefined })
  t.throws(() => nowhere.keepPacked(idOf(other), other.length, other, false), { message: new RegExp(`put ${idOf(other)}`) })
})
