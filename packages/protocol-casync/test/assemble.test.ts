import type { LentBytes } from '@ropewalk/interface'
import fc from 'fast-check'
import { pipe } from 'it-pipe'
import t from 'tap'
import { assemble } from '../src/assemble.ts'
import { chain, type Trouble } from '../src/chain.ts'
import { chunk } from '../src/chunk.ts'
import { fetchChunks } from '../src/fetch-chunks.ts'
import { identify } from '../src/identify.ts'
import { decodeIndex, encodeIndex } from '../src/index-file.ts'
import { lookahead } from '../src/lookahead.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { seed } from '../src/seed.ts'
import { storeMissing } from '../src/store-missing.ts'
import { chunksOf, CountingSource, gather, MemoryBlob, SMALL } from './blobs.ts'
import { counter, input, nodeHash } from './inputs.ts'

const BLOB = input("ctr('blob',3000)+zeros(2000)+ctr('blob',3000)+text(900)")

t.test('make and extract are pipelines', async t => {
  const store = new MemoryStore(nodeHash)
  const index = await gather(pipe([BLOB], chunk(SMALL), identify(nodeHash), storeMissing(store), encodeIndex({ sizes: SMALL })))
  const chunks = await gather(pipe(index, decodeIndex(), fetchChunks(store)))
  t.same(Buffer.concat(chunks.map(({ bytes }) => bytes)), BLOB)
  t.same(chunks.map(({ start }) => start), (await chunksOf(BLOB)).map(({ start }) => start))
})

t.test('a blob comes together from what is there, what it repeats, seeds and the store, each chunk fetched once', async t => {
  const items = await chunksOf(BLOB)
  const source = new CountingSource(items)
  const blob = new MemoryBlob()
  const result = await assemble(items, source, blob, nodeHash)
  t.same(blob.bytes, Uint8Array.from(BLOB))
  t.equal(result.bytes, BLOB.length)
  t.equal(source.asked.length, new Set(items.map(({ id }) => id)).size, 'what comes again is not fetched again')
  t.equal(result.chunks.existing + result.chunks.self + result.chunks.seed + result.chunks.store, items.length)

  const old = input("ctr('other',700)+ctr('blob',3000)")
  const seeded = new CountingSource(items)
  const again = new MemoryBlob()
  const { chunks } = await assemble(items, seeded, again, nodeHash, { seeds: [await seed(new MemoryBlob(old), await chunksOf(old), nodeHash)] })
  t.same(again.bytes, Uint8Array.from(BLOB))
  t.ok(chunks.seed > 5)
  t.ok(seeded.asked.length < source.asked.length)
})

t.test('a seed that changed since it was indexed is not believed', async t => {
  const items = await chunksOf(BLOB)
  const changed = Uint8Array.from(BLOB)
  changed[10] = (changed[10] as number) ^ 1
  const source = new CountingSource(items)
  const blob = new MemoryBlob()
  await assemble(items, source, blob, nodeHash, { seeds: [await seed(new MemoryBlob(changed), items.slice(0, 5), nodeHash), { get: async () => { throw new Error('gone') } }] })
  t.same(blob.bytes, Uint8Array.from(BLOB))
  t.ok(source.asked.includes(items[0]?.id ?? ''))
  for (const { id } of items.slice(1, 5)) t.notOk(source.asked.includes(id))
})

t.test('goes on where it was interrupted: what is in its place is neither fetched nor written', async t => {
  const items = await chunksOf(BLOB)
  const half = new MemoryBlob(BLOB.subarray(0, 4000))
  const source = new CountingSource(items)
  const order: number[] = []
  const { chunks } = await assemble(items, source, half, nodeHash, { existing: true, onChunk: ({ start }) => { order.push(start) } })
  t.same(half.bytes, Uint8Array.from(BLOB))
  const whole = items.filter(({ end }) => end <= 4000)
  t.equal(chunks.existing, whole.length)
  t.equal(half.writes, items.length - whole.length)
  t.notOk(source.asked.some(id => whole.some(item => item.id === id)))
  t.same(order, items.map(({ start }) => start), 'told in order')
  const longer = new MemoryBlob(Buffer.concat([BLOB, BLOB]))
  await assemble(items, source, longer, nodeHash, { existing: true })
  t.equal(longer.bytes.length, BLOB.length, 'what is behind its end goes')
})

t.test('what can be put into its place directly is, from the blob, a seed or the source; all else is looked for as always', async t => {
  const items = await chunksOf(BLOB)
  const blob = new MemoryBlob()
  const old = new MemoryBlob(BLOB.subarray(0, 1500))
  const source = new CountingSource(items)
  const fromSource: string[] = []
  let copies = 0
  const all = Uint8Array.from(BLOB)
  const { chunks, bytes } = await assemble(items, source, blob, nodeHash, {
    seeds: [await seed(old, await chunksOf(BLOB.subarray(0, 1500)), nodeHash)],
    direct: async ({ id, start, end }, from) => {
      await Promise.resolve()
      // The source lets go of every second chunk only, and the seed is never of use.
      if (from?.file === old || (from === undefined && Number.parseInt(id.slice(0, 2), 16) % 2 === 0)) return false
      if (from !== undefined) t.same(blob.bytes.subarray(from.position, from.position + end - start), all.subarray(start, end), 'it is there already')
      if (from === undefined) fromSource.push(id)
      else copies++
      await blob.write(all.subarray(start, end), start)
      return true
    }
  })
  t.same(blob.bytes, all)
  t.equal(bytes, BLOB.length)
  t.equal(new Set(fromSource).size, fromSource.length, 'nothing is moved from the source twice')
  t.notOk(fromSource.some(id => source.asked.includes(id)), 'nor asked for besides')
  t.ok(copies > 0 && chunks.seed > 0 && fromSource.length > 0 && source.asked.length > 0, JSON.stringify(chunks))
  t.equal(chunks.self + chunks.seed + chunks.store, items.length)
  await t.rejects(assemble(items, source, blob, nodeHash, { direct: async () => { throw new RangeError('full') } }), RangeError)
})

t.test('a range fetches what it needs and writes what it says', async t => {
  const items = await chunksOf(BLOB)
  await fc.assert(fc.asyncProperty(fc.nat(BLOB.length), fc.nat(BLOB.length), async (a, b) => {
    const range = { start: Math.min(a, b), end: Math.max(a, b) }
    const blob = new MemoryBlob(new Uint8Array(BLOB.length).fill(7))
    const source = new CountingSource(items)
    const { bytes } = await assemble(items, source, blob, nodeHash, { range })
    t.equal(bytes, range.end - range.start)
    const wanted = new Uint8Array(BLOB.length).fill(7)
    wanted.set(BLOB.subarray(range.start, range.end), range.start)
    t.same(blob.bytes, wanted)
    for (const id of source.asked) t.ok(items.some(item => item.id === id && item.end > range.start && item.start < range.end))
  }), { numRuns: 40 })
})

t.test('bytes on their way are bounded, whatever the size of the blob', async t => {
  const items = await chunksOf(counter('bounded', 100_000))
  const source = new CountingSource(items)
  await assemble(items, source, new MemoryBlob(), nodeHash, { aheadBytes: 2000 })
  t.ok(source.most <= 2000 + SMALL.max, `${source.most} bytes`)
  const few = new CountingSource(items)
  await assemble(items, few, new MemoryBlob(), nodeHash, { ahead: 3 })
  t.ok(few.most <= 3 * SMALL.max)
})

t.test('names what is missing, and what has another length', async t => {
  const items = await chunksOf(BLOB)
  const [first, second] = items as [typeof items[0] & object, typeof items[0] & object]
  const without = new CountingSource(items.filter(({ id }) => id !== second.id))
  await t.rejects(assemble(items, without, new MemoryBlob(), nodeHash), { code: 'ERR_CHUNK_MISSING', id: second.id })
  await t.rejects(gather(fetchChunks(without)(items)), { code: 'ERR_CHUNK_MISSING', id: second.id })
  const lying = { get: async () => ({ id: first.id, bytes: first.bytes.subarray(1) }) }
  await t.rejects(assemble(items, lying, new MemoryBlob(), nodeHash), { code: 'ERR_CHUNK_SIZE', id: first.id })
})

t.test('what is lent is given back when the next is asked for, and what is not is fetched', async t => {
  const items = await chunksOf(BLOB)
  const source = new CountingSource(items)
  let [out, asked, most] = [0, 0, 0]
  const lend = async (id: string, { length }: { readonly length: number }): Promise<LentBytes | undefined> => {
    if (++asked % 3 === 0) return undefined
    const bytes = Uint8Array.from(items.find(item => item.id === id)?.bytes ?? [])
    t.equal(bytes.length, length)
    most = Math.max(most, ++out)
    return {
      bytes,
      release: () => {
        bytes.fill(0xff)
        out--
      }
    }
  }
  let at = 0
  for await (const { bytes, start, end } of fetchChunks(source, { lend, ahead: 5 })(items)) {
    t.equal(start, at)
    at = end
    t.same(Buffer.from(bytes), Buffer.from(BLOB.subarray(start, end)))
  }
  t.equal(at, BLOB.length)
  t.equal(out, 0, 'all of it is given back')
  t.ok(most > 1 && most <= 5, `${most} at a time`)
  t.ok(source.asked.length > 2)
  for await (const { start } of fetchChunks(source, { lend, ahead: 5 })(items)) if (start > 1000) break
  t.equal(out, 0, 'what nobody wants any more is, too')
  let released = 0
  await t.rejects(gather(fetchChunks(source, { lend: async () => ({ bytes: new Uint8Array(1), release: () => { released++ } }), ahead: 1 })(items)), { code: 'ERR_CHUNK_SIZE' })
  t.equal(released, 1)
})

t.test('stops everywhere when it is aborted', async t => {
  const items = await chunksOf(BLOB)
  const controller = new AbortController()
  const signals: AbortSignal[] = []
  let closed = false
  async function * watched (): AsyncGenerator<typeof items[0]> {
    try {
      yield * items
    } finally {
      closed = true
    }
  }
  const source = {
    get: async (_id: string, { signal }: { signal?: AbortSignal | undefined } = {}) => await new Promise<undefined>((_resolve, reject) => {
      signals.push(signal as AbortSignal)
      signal?.addEventListener('abort', () => { reject(signal.reason as Error) })
      if (signals.length === 3) controller.abort(new Error('enough'))
    })
  }
  await t.rejects(assemble(watched(), source, new MemoryBlob(), nodeHash, { signal: controller.signal }), { message: 'enough' })
  t.ok(signals.every(signal => signal.aborted))
  t.equal(closed, true)
})

t.test('lookahead keeps the order, the bounds, and the first error', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), async (turns, maxItems) => {
    let under = 0
    const work = async (n: number): Promise<number> => {
      t.ok(++under <= maxItems)
      for (let i = 0; i < n; i++) await new Promise(resolve => { setImmediate(resolve) })
      under--
      return n
    }
    t.same(await gather(lookahead(turns, work, { maxItems })), turns)
  }), { numRuns: 25 })
  const failing = lookahead([1, 2, 3], async n => { if (n > 1) throw new Error(`no ${n}`); return n }, { maxItems: 3 })
  t.same(await failing.next(), { done: false, value: 1 })
  await t.rejects(failing.next(), { message: 'no 2' })
  function * broken (): Generator<number> {
    yield 1
    throw new Error('no more')
  }
  const cut = lookahead(broken(), async n => n, { maxItems: 3 })
  t.same(await cut.next(), { done: false, value: 1 })
  await t.rejects(cut.next(), { message: 'no more' })
})

t.test('a chain fails over, fills its cache and heals what is damaged', async t => {
  const chunks = await chunksOf(BLOB)
  const [one, two, three] = chunks as [typeof chunks[0] & object, typeof chunks[0] & object, typeof chunks[0] & object]
  const damage = Object.assign(new Error('damaged'), { code: 'ERR_CHUNK_DAMAGED' })
  const sick = new MemoryStore(nodeHash)
  const good = new MemoryStore(nodeHash)
  for (const chunk of [one, two, three]) await good.put(chunk)
  let removed = 0
  const limping = {
    get: async (id: string) => { if (id === one.id && removed === 0) throw damage; return await sick.get(id) },
    put: sick.put.bind(sick),
    has: sick.has.bind(sick),
    remove: async () => { removed++; return true }
  }
  const dead = { get: async () => { throw new Error('out of reach') } }
  const cache = new MemoryStore(nodeHash)
  const troubles: Trouble[] = []
  const source = chain([dead, limping, good], { cache, onTrouble: trouble => { troubles.push(trouble) } })

  t.same((await source.get(one.id))?.bytes, one.bytes)
  t.same(troubles.map(({ healed, source }) => [healed, source]), [[false, dead], [true, limping]])
  t.equal(await sick.has(one.id), true)
  t.equal(await cache.has(one.id), true)
  await source.get(one.id)
  t.equal(troubles.length, 2, 'the cache was asked first')
  await source.get(two.id)
  t.equal(await sick.has(two.id), false, 'what was merely absent is not put there')

  await t.rejects(source.get('00'.repeat(32)), { message: 'out of reach' }, 'nobody knows whether it exists')
  t.equal(await chain([good]).get('00'.repeat(32)), undefined)
  await t.rejects(chain([dead, dead]).get(one.id), { code: 'ERR_STORE', id: one.id })
  await t.rejects(chain([{ get: async () => { throw damage } }, dead]).get(one.id), { code: 'ERR_CHUNK_DAMAGED' })
  const aborted = AbortSignal.abort(new Error('enough'))
  await t.rejects(chain([dead, good]).get(one.id, { signal: aborted }), { message: 'enough' })
})

t.test('a store in memory keeps within its bytes, what was used last longest', async t => {
  const chunks = await chunksOf(counter('memory', 20_000))
  const store = new MemoryStore(nodeHash, { maxBytes: 5000 })
  for (const chunk of chunks) {
    await store.put(chunk)
    t.ok(store.byteLength <= 5000)
    await store.get(chunks[0]?.id ?? '')
  }
  t.equal(await store.has(chunks[0]?.id ?? ''), true)
  t.equal(await store.has(chunks[1]?.id ?? ''), false)
  await t.rejects(store.put({ id: chunks[0]?.id.replace(/^./, 'x') ?? '', bytes: new Uint8Array(1) }), { code: 'ERR_CHUNK_DAMAGED' })
  for (const id of await gather(store.list())) t.equal(await store.remove(id), true)
  t.equal(store.byteLength, 0)
})
