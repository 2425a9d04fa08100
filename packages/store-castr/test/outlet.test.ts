import { createHash } from 'node:crypto'
import { chmod, open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { patternAt } from '@ropewalk/testing'
import t from 'tap'
import { MAX_THREADS, OUTLET_BATCH_CHUNKS } from '../src/constants.ts'
import { identifier } from '../src/identifier.ts'
import { placer } from '../src/placer.ts'
import { Placing, type Place } from '../src/placing.ts'
import { castr } from '../src/store.ts'
import { WantedChunks } from '../src/wanted.ts'
import { folder } from './folder.ts'

const CHUNKS: readonly Uint8Array[] = Array.from({ length: 150 }, (_, i) => patternAt(977 * i, 20_000 + 331 * i))

function idOf (bytes: Uint8Array): string {
  return createHash('sha512-256').update(bytes).digest('hex')
}

t.test('chunks of the store, and of a file, are written to their places, in any order', async t => {
  const at = await folder(t)
  const store = castr(join(at, 'store'))
  for (const bytes of CHUNKS) await store.put({ id: idOf(bytes), bytes })
  await store.sync()
  const other = await open(join(at, 'other'), 'w+')
  await other.write(patternAt(5, 5000), 0, 5000, 300)
  const output = await open(join(at, 'output'), 'w+')
  const outlet = store.outlet({ file: output.fd })
  const starts = CHUNKS.map((_, i) => CHUNKS.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  const placed = await Promise.all(CHUNKS.map(async (bytes, i) => await outlet.place(idOf(bytes), bytes.length, starts[i] as number)).reverse())
  t.same(placed, CHUNKS.map(() => true))
  const all = Buffer.concat(CHUNKS)
  t.equal(await outlet.place(idOf(patternAt(5, 5000)), 5000, all.length, { file: other.fd, position: 300 }), true)
  // What is in place already is as good a source as any.
  t.equal(await outlet.place(idOf(CHUNKS[3] as Uint8Array), (CHUNKS[3] as Uint8Array).length, all.length + 5000, { file: output.fd, position: starts[3] as number }), true)
  await outlet.close()
  t.ok((await readFile(join(at, 'output'))).equals(Buffer.concat([all, patternAt(5, 5000), CHUNKS[3] as Uint8Array])))
  await Promise.all([other.close(), output.close()])
})

t.test('threads that were begun early do what they are asked later, and end when they are not asked', async t => {
  const at = await folder(t)
  const [bytes] = CHUNKS as [Uint8Array]
  const output = await open(join(at, 'output'), 'w+')
  const outlet = placer({ file: output.fd })
  outlet.begin()
  outlet.begin()
  t.equal(await outlet.unpack(idOf(bytes), bytes.length, 7, { data: bytes, compressed: false }), undefined)
  t.same((await readFile(join(at, 'output'))).subarray(7), Buffer.from(bytes))
  await outlet.close()
  outlet.begin()
  await t.rejects(outlet.place(idOf(bytes), bytes.length, 0), { code: 'ERR_CLOSED' })
  const idle = placer({ file: output.fd })
  idle.begin()
  await idle.close()
  await output.close()
})

t.test('what is not there, or is not what it should be, is not written, and left to get', async t => {
  const at = await folder(t)
  const store = castr(join(at, 'store'))
  const plain = castr(join(at, 'store'), { compress: false })
  const [good, bad, short, bare, fat] = CHUNKS as readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  for (const bytes of [good, bad, short, fat]) await store.put({ id: idOf(bytes), bytes })
  await plain.put({ id: idOf(bare), bytes: bare })
  await Promise.all([store.sync(), plain.sync()])
  const pathOf = (bytes: Uint8Array): string => join(at, 'store', idOf(bytes).slice(0, 4), `${idOf(bytes)}.cacnk`)
  const flipped = await readFile(pathOf(bad))
  flipped.set([(flipped[flipped.length - 5] as number) ^ 1], flipped.length - 5)
  for (const bytes of [bad, short, fat]) await chmod(pathOf(bytes), 0o644)
  await writeFile(pathOf(bad), flipped)
  await truncate(pathOf(short), 100)
  await writeFile(pathOf(fat), Buffer.concat([await readFile(pathOf(fat)), Buffer.alloc(100_000)]))
  const output = await open(join(at, 'output'), 'w+')
  const outlet = castr(join(at, 'store')).outlet({ file: output.fd })
  t.equal(await outlet.place(idOf(patternAt(0, 77)), 77, 0), false, 'no such chunk')
  t.equal(await outlet.place(idOf(bad), bad.length, 0), false, 'damaged')
  t.equal(await outlet.place(idOf(short), short.length, 0), false, 'cut short')
  t.equal(await outlet.place(idOf(fat), fat.length, 0), false, 'longer than it may be')
  t.equal(await outlet.place(idOf(bare), bare.length, 0), false, 'not compressed')
  t.equal(await outlet.place(idOf(good), good.length + 1, 0), false, 'of another length')
  t.equal(await outlet.place(idOf(good), 3 * 1024 * 1024, 0), false, 'longer than threads take')
  t.equal(await outlet.place(idOf(good), good.length, 0, { file: output.fd, position: 0 }), false, 'nothing is in the file')
  t.equal((await output.stat()).size, 0, 'nothing was written')
  t.equal(await outlet.place(idOf(good), good.length, 0), true)
  await t.rejects(outlet.place('../../x', 5, 0), { code: 'ERR_BAD_ID' })
  await outlet.close()
  await output.close()
})

t.test('what lies one behind the other is written in one stroke, but for what is not as it should be', async t => {
  const at = await folder(t)
  const store = castr(join(at, 'store'))
  for (const bytes of CHUNKS.slice(0, 20)) await store.put({ id: idOf(bytes), bytes })
  await store.sync()
  const output = await open(join(at, 'output'), 'w+')
  const marks = Buffer.alloc(1_000_000, 0xee)
  await output.write(marks, 0, marks.length, 0)
  const placing = new Placing({ root: join(at, 'store'), suffix: undefined, file: output.fd, digest: 'sha512-256' })
  const expected = Buffer.from(marks)
  let position = 100
  const places: Place[] = []
  for (const [i, bytes] of CHUNKS.slice(0, 20).entries()) {
    const gone = i === 7 || i === 19
    places.push({ id: gone ? idOf(patternAt(i, 5)) : idOf(bytes), length: bytes.length, position })
    if (!gone) expected.set(bytes, position)
    // A gap, and one that goes back over what was written before.
    position += bytes.length + (i === 12 ? 1000 : i === 15 ? -100 : 0)
  }
  t.same(placing.place(places), places.map((_, i) => i !== 7 && i !== 19))
  t.ok((await readFile(join(at, 'output'))).equals(expected))
  const large = patternAt(9, 2 * 1024 * 1024)
  const many = Array.from({ length: 4 }, (_, i): Place => ({ id: idOf(large), length: large.length, position: i * large.length, from: { at: 0, bytes: large.length, compressed: false } }))
  t.same(placing.place(many, large), many.map(() => true), 'more than one stroke')
  t.ok((await readFile(join(at, 'output'))).equals(Buffer.concat(many.map(() => large))))
  await output.close()
})

t.test('what came from elsewhere is copied, verified and written to its place', async t => {
  const at = await folder(t)
  const output = await open(join(at, 'output'), 'w+')
  const outlet = placer({ file: output.fd })
  const starts = CHUNKS.map((_, i) => CHUNKS.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  const lent = new Uint8Array(100_000)
  const left = await Promise.all(CHUNKS.map((bytes, i) => {
    // Every third as it is, and all of them out of the same memory.
    const data = i % 3 === 0 ? bytes : zstdCompressSync(bytes)
    lent.set(data)
    const unpacked = outlet.unpack(idOf(bytes), bytes.length, starts[i] as number, { data: lent.subarray(0, data.length), compressed: i % 3 !== 0 })
    lent.fill(0)
    return unpacked
  }))
  t.same(left, CHUNKS.map(() => undefined))
  const long = patternAt(3, 1_500_000)
  t.equal(await outlet.unpack(idOf(long), long.length, 0, { data: long, compressed: false }), undefined, 'longer than what goes together')
  const all = Buffer.concat(CHUNKS)
  all.set(long)
  await outlet.close()
  t.ok((await readFile(join(at, 'output'))).equals(all))
  await output.close()
})

t.test('what came from elsewhere and is not what it should be comes back, and is not written', async t => {
  const at = await folder(t)
  const output = await open(join(at, 'output'), 'w+')
  const outlet = placer({ file: output.fd })
  const [bytes, other] = CHUNKS as readonly [Uint8Array, Uint8Array]
  const packed = zstdCompressSync(bytes)
  const back = async (data: Uint8Array, compressed = true, length = bytes.length): Promise<Uint8Array | undefined> => await outlet.unpack(idOf(bytes), length, 0, { data, compressed })
  for (const [what, data, compressed] of [['another', zstdCompressSync(other), true], ['another, as it is', other, false], ['another of that length', zstdCompressSync(patternAt(5, bytes.length)), true], ['another of that length, as it is', patternAt(5, bytes.length), false], ['cut short', packed.subarray(0, -5), true], ['gzip', gzipSync(bytes), true], ['far too long', new Uint8Array(200_000), true]] as const) {
    const [good, bad, again] = await Promise.all([back(packed), back(data, compressed), back(packed)])
    t.same([good, again], [undefined, undefined], `beside: ${what}`)
    t.ok(bad !== undefined && Buffer.compare(bad, data) === 0, what)
    t.not(bad?.buffer, data.buffer, 'a copy')
  }
  await output.truncate(0)
  t.same(await back(packed, true, bytes.length + 1), new Uint8Array(packed), 'of another length')
  t.same(await back(packed, true, 3 * 1024 * 1024), new Uint8Array(packed), 'longer than threads take')
  t.equal(await outlet.place(idOf(bytes), bytes.length, 0), false, 'there is no store')
  t.equal((await output.stat()).size, 0, 'nothing was written')
  await t.rejects(outlet.unpack('../../x', 5, 0, { data: packed, compressed: true }), { code: 'ERR_BAD_ID' })
  await outlet.close()
  await output.close()
})

t.test('a file that cannot be written to says so', async t => {
  const at = await folder(t)
  const store = castr(join(at, 'store'))
  const bytes = patternAt(0, 5000)
  await store.put({ id: idOf(bytes), bytes })
  await store.sync()
  await writeFile(join(at, 'output'), '')
  const output = await open(join(at, 'output'), 'r')
  const outlet = store.outlet({ file: output.fd })
  await t.rejects(outlet.place(idOf(bytes), bytes.length, 0), { code: 'ERR_IO', id: idOf(bytes) })
  await outlet.close()
  await t.rejects(outlet.place(idOf(bytes), bytes.length, 0), { code: 'ERR_CLOSED' })
  await output.close()
})

t.test('whoever waits behind what cannot be written is told as well, and so is whoever waits when the outlet is closed', async t => {
  const at = await folder(t)
  await writeFile(join(at, 'output'), '')
  const output = await open(join(at, 'output'), 'r')
  const outlet = placer({ file: output.fd })
  const bytes = patternAt(0, 20)
  const wanted = (): Promise<Uint8Array | undefined> => outlet.unpack(idOf(bytes), bytes.length, 0, { data: bytes, compressed: false })
  const whole = MAX_THREADS * OUTLET_BATCH_CHUNKS
  const told = await Promise.allSettled(Array.from({ length: whole + 5 }, wanted))
  t.ok(told.every(({ status }) => status === 'rejected'))

  const last = Promise.allSettled(Array.from({ length: whole + 5 }, wanted))
  await outlet.close()
  t.match((await last).at(-1), { status: 'rejected', reason: { code: 'ERR_CLOSED' } })
  await output.close()
})

t.test('an identifier names chunks and keeps none', async t => {
  const threads = identifier({ maxChunkBytes: 100_000 })
  for (const bytes of CHUNKS) {
    threads.push(bytes)
    if (threads.cut()) await threads.room()
  }
  t.same((await threads.finish()).map(({ id }) => id), CHUNKS.map(idOf))
  await threads.close()
})

t.test('an identifier writes what a file lacks to its place, once, and says so', async t => {
  const at = await folder(t)
  const output = await open(join(at, 'output'), 'w+')
  const all = Buffer.concat(CHUNKS)
  const starts = CHUNKS.map((_, i) => CHUNKS.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  const lacks = (i: number): boolean => i % 7 < 4 && i !== 9
  const wanted = new WantedChunks(CHUNKS.length)
  for (const [i, bytes] of CHUNKS.entries()) if (lacks(i)) wanted.add(idOf(bytes), starts[i] as number, bytes.length)
  const told: Array<readonly [number, number]> = []
  const threads = identifier({ maxChunkBytes: 100_000, onto: { file: output.fd, wanted, placed: (place, length) => { told.push([place, length]) } } })
  // Twice, and one chunk between whose place is far away.
  for (const bytes of [...CHUNKS.slice(0, 20), CHUNKS[140] as Uint8Array, ...CHUNKS.slice(20), ...CHUNKS]) {
    threads.push(bytes)
    if (threads.cut()) await threads.room()
  }
  t.equal((await threads.finish()).length, 2 * CHUNKS.length + 1)
  await threads.close()
  const placed = CHUNKS.flatMap((bytes, i) => lacks(i) ? [[starts[i] as number, bytes.length] as const] : [])
  t.same(told.sort(([a], [b]) => a - b), placed)
  const expected = Buffer.alloc(Math.max(...placed.map(([start, length]) => start + length)))
  for (const [start, length] of placed) all.copy(expected, start, start, start + length)
  t.ok((await readFile(join(at, 'output'))).equals(expected), 'and nothing else')
  await output.close()
})

t.test('an identifier that cannot write says so', async t => {
  const [bytes] = CHUNKS as [Uint8Array]
  const output = await open('/dev/null', 'r')
  const wanted = new WantedChunks(1)
  wanted.add(idOf(bytes), 0, bytes.length)
  const threads = identifier({ maxChunkBytes: 100_000, onto: { file: output.fd, wanted, placed: () => { t.fail('nothing was written') } } })
  threads.push(bytes)
  threads.cut()
  await t.rejects(threads.finish(), { code: 'ERR_IO', message: /write at 0/ })
  await threads.close()
  await output.close()
})
