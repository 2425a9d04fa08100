import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { LentBytes } from '@ropewalk/interface'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { castr } from '../src/store.ts'
import { folder } from './folder.ts'

const CHUNKS: readonly Uint8Array[] = Array.from({ length: 40 }, (_, i) => patternAt(977 * i, 60_000 + 331 * i))

function idOf (bytes: Uint8Array, digest = 'sha512-256'): string {
  return createHash(digest).update(bytes).digest('hex')
}

const pathIn = (store: string, id: string): string => join(store, id.slice(0, 4), `${id}.cacnk`)

t.test('a chunk is lent as it lies there, until it is given back', async t => {
  const at = join(await folder(t), 'store')
  const writing = castr(at)
  for (const bytes of CHUNKS) await writing.put({ id: idOf(bytes), bytes })
  await writing.close()
  const store = castr(at, { readAtOnce: true })
  const lent = await Promise.all(CHUNKS.map(async bytes => await store.lend(idOf(bytes))))
  for (const [i, bytes] of CHUNKS.entries()) t.ok((await readFile(pathIn(at, idOf(bytes)))).equals(lent[i]?.bytes ?? new Uint8Array()), `chunk ${i} beside the others`)
  const buffers = new Set(lent.map(each => each?.bytes.buffer))
  for (const each of lent) each?.release()
  for (let round = 0; round < 3; round++) {
    for (const bytes of CHUNKS) {
      const again = await store.lend(idOf(bytes))
      t.ok(buffers.has(again?.bytes.buffer), 'memory that was given back')
      t.ok((await readFile(pathIn(at, idOf(bytes)))).equals(again?.bytes ?? new Uint8Array()))
      again?.release()
    }
  }
  await store.close()
})

t.test('what is not as it should be is not lent', async t => {
  const at = join(await folder(t), 'store')
  const [good, bad, short, fat, zipped, bare, other] = CHUNKS as readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const writing = castr(at)
  for (const bytes of [good, bad, short, fat]) await writing.put({ id: idOf(bytes), bytes })
  await writing.put({ id: idOf(other, 'sha256'), bytes: other })
  await writing.close()
  const plain = castr(at, { compress: false })
  await plain.put({ id: idOf(bare), bytes: bare })
  await plain.close()
  for (const bytes of [bad, short, fat]) await chmod(pathIn(at, idOf(bytes)), 0o644)
  await writeFile(pathIn(at, idOf(bad)), await readFile(pathIn(at, idOf(good))))
  await truncate(pathIn(at, idOf(short)), 100)
  await writeFile(pathIn(at, idOf(fat)), Buffer.concat([await readFile(pathIn(at, idOf(fat))), Buffer.alloc(5)]))
  await mkdir(dirname(pathIn(at, idOf(zipped))), { recursive: true })
  await writeFile(pathIn(at, idOf(zipped)), gzipSync(zipped))

  const store = castr(at, { readAtOnce: true })
  for (const [what, id] of [['no such chunk', idOf(patternAt(0, 5))], ['another', idOf(bad)], ['cut short', idOf(short)], ['with something behind it', idOf(fat)], ['gzip', idOf(zipped)], ['as it is', idOf(bare)]] as const) {
    t.equal(await store.lend(id), undefined, what)
  }
  t.ok(await store.lend(idOf(good)))
  t.ok(await store.lend(idOf(other, 'sha256')), 'of the other digest')
  await t.rejects(store.lend('../../x'), { code: 'ERR_BAD_ID' })
  const reason = new Error('enough')
  await t.rejects(store.lend(idOf(good), { signal: AbortSignal.abort(reason) }), reason)
  t.equal(await castr(at, { readAtOnce: true, digest: 'sha512-256' }).lend(idOf(other, 'sha256')), undefined, 'of a digest that is not wanted')
  t.equal(await castr(at, { readAtOnce: true, maxChunkBytes: 1000 }).lend(idOf(good)), undefined, 'longer than it may be')
  t.equal(await castr(at).lend(idOf(good)), undefined, 'others run meanwhile')
})

t.test('there is so much to lend and no more: whoever comes then waits until something is given back, or gives up', async t => {
  const at = join(await folder(t), 'store')
  // Four of them fill the memory for eight.
  const chunks = Array.from({ length: 10 }, () => randomBytes(500_000))
  const writing = castr(at)
  for (const bytes of chunks) await writing.put({ id: idOf(bytes), bytes })
  await writing.close()
  const files = new Map(await Promise.all(chunks.map(async bytes => [idOf(bytes), await readFile(pathIn(at, idOf(bytes)))] as const)))
  const ids = [...files.keys()]
  const store = castr(at, { readAtOnce: true })
  const held: LentBytes[] = []
  const seen = new Set<unknown>()
  let told = 0
  const lend = async (id: string, signal?: AbortSignal): Promise<void> => {
    const lent = await store.lend(id, { signal })
    told++
    t.ok(lent !== undefined && files.get(id)?.equals(lent.bytes) === true)
    if (lent === undefined) return
    seen.add(lent.bytes.buffer)
    held.push(lent)
  }
  const lending = Array.from({ length: 50 }, async (_, i) => { await lend(ids[i % ids.length] as string) })
  // At once as many as one array holds, and then those of six more.
  while (told < 4 + 6 * 4) await new Promise(resolve => { setImmediate(resolve) })
  const enough = new AbortController()
  const given = lend(ids[0] as string, enough.signal)
  enough.abort(new Error('enough'))
  await t.rejects(given, { message: 'enough' })
  t.equal(told, 4 + 6 * 4, 'nobody else has got anything')
  while (told < 50) {
    for (const lent of held.splice(0)) lent.release()
    await new Promise(resolve => { setImmediate(resolve) })
  }
  await Promise.all(lending)
  t.equal(seen.size, 7)

  const waiting = Array.from({ length: 20 }, async () => await store.lend(ids[1] as string))
  await store.close()
  t.ok((await Promise.allSettled(waiting)).some(result => result.status === 'rejected' || result.value === undefined), 'whoever waits when it is closed is told so')
})

t.test('what is in a chunk is lent to whoever looks at it, until it is given back', async t => {
  const at = join(await folder(t), 'store')
  const writing = castr(at)
  for (const bytes of CHUNKS) await writing.put({ id: idOf(bytes), bytes })
  await writing.close()
  const reader = castr(at).reader()
  t.teardown(async () => { await reader.close() })
  const lend = async (bytes: Uint8Array): Promise<LentBytes | undefined> => await reader.lend(idOf(bytes), { length: bytes.length })
  const lent = await Promise.all(CHUNKS.map(lend))
  for (const [i, bytes] of CHUNKS.entries()) t.ok(Buffer.from(bytes).equals(lent[i]?.bytes ?? new Uint8Array()), `chunk ${i} beside the others`)
  const buffers = new Set(lent.map(each => each?.bytes.buffer))
  for (const each of lent) each?.release()
  for (let round = 0; round < 3; round++) {
    for (const bytes of CHUNKS) {
      const again = await lend(bytes)
      t.ok(buffers.has(again?.bytes.buffer), 'memory that was given back')
      t.ok(Buffer.from(bytes).equals(again?.bytes ?? new Uint8Array()))
      again?.release()
    }
  }
})

t.test('what is not as it should be is lent to nobody, at once or by a thread', async t => {
  const at = join(await folder(t), 'store')
  const [good, bad, short, zipped, other] = CHUNKS as readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const long = randomBytes(2 * 1024 * 1024 + 1)
  const writing = castr(at)
  for (const bytes of [good, bad, short, long]) await writing.put({ id: idOf(bytes), bytes })
  await writing.put({ id: idOf(other, 'sha256'), bytes: other })
  await writing.close()
  for (const bytes of [bad, short]) await chmod(pathIn(at, idOf(bytes)), 0o644)
  await writeFile(pathIn(at, idOf(bad)), await readFile(pathIn(at, idOf(good))))
  await truncate(pathIn(at, idOf(short)), 100)
  await mkdir(dirname(pathIn(at, idOf(zipped))), { recursive: true })
  await writeFile(pathIn(at, idOf(zipped)), gzipSync(zipped))
  const reader = castr(at).reader()
  t.teardown(async () => { await reader.close() })
  const table = [
    ['no such chunk', idOf(patternAt(0, 5)), 5], ['another', idOf(bad), bad.length], ['another of its own length', idOf(bad), good.length], ['cut short', idOf(short), short.length], ['gzip', idOf(zipped), zipped.length],
    ['of a digest that is not wanted', idOf(other, 'sha256'), other.length], ['longer than it may be', idOf(long), long.length], ['shorter than it is', idOf(good), good.length - 1], ['longer than it is', idOf(good), good.length + 1]
  ] as const
  // More than are read at once.
  for (let round = 0; round < 5; round++) {
    for (const [what, id, length] of table) t.equal(await reader.lend(id, { length }), undefined, `${what}, round ${round}`)
    const lent = await reader.lend(idOf(good), { length: good.length })
    t.ok(Buffer.from(good).equals(lent?.bytes ?? new Uint8Array()))
    lent?.release()
  }
  await t.rejects(reader.lend('../../x', { length: 1 }), { code: 'ERR_BAD_ID' })
  const sha256 = castr(at).reader({ digest: 'sha256' })
  t.ok(await sha256.lend(idOf(other, 'sha256'), { length: other.length }))
  await sha256.close()
})

t.test('whoever waits for something to be given back may give up, and takes nothing with him', async t => {
  const at = join(await folder(t), 'store')
  const chunks = Array.from({ length: 10 }, () => randomBytes(500_000))
  const writing = castr(at)
  for (const bytes of chunks) await writing.put({ id: idOf(bytes), bytes })
  await writing.close()
  const reader = castr(at).reader()
  const held: LentBytes[] = []
  const lend = async (i: number, signal?: AbortSignal): Promise<void> => {
    const bytes = chunks[i % chunks.length] as Buffer
    const lent = await reader.lend(idOf(bytes), { length: bytes.length, signal })
    t.ok(lent !== undefined && bytes.equals(lent.bytes))
    if (lent !== undefined) held.push(lent)
  }
  const enough = new AbortController()
  const given = Array.from({ length: 80 }, async (_, i) => { await lend(i, enough.signal) })
  const settled = Promise.allSettled(given)
  while (held.length < 4) await new Promise(resolve => { setImmediate(resolve) })
  // Some lie ready, a thread is at work on others, and the rest waits.
  enough.abort(new Error('enough'))
  const rejected = (await settled).filter(({ status }) => status === 'rejected')
  t.equal(rejected.length + held.length, 80)
  t.ok(rejected.length >= 80 - 4 - 6 * 4)
  for (const lent of held.splice(0)) lent.release()
  // All the memory is there again.
  const again = Array.from({ length: 24 }, async (_, i) => { await lend(i) })
  await Promise.all(again)
  t.equal(held.length, 24)
  const waiting = Array.from({ length: 20 }, async () => await reader.lend(idOf(chunks[1] as Buffer), { length: 500_000 }))
  await reader.close()
  t.ok((await Promise.allSettled(waiting)).every(result => result.status === 'rejected' || result.value === undefined), 'whoever waits when it is closed is told so')
})
