/** Two real nodes with each other. */
import { collect, counting, link, pattern, patternAt, settle, verify } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { acceptNode, commit, connectNode, lock, put, putChunk, query, remove, reserve, retrieve, serve, StorageNode, upload } from '../src/index.ts'
import { SEED } from '../src/codec.ts'
import { MemoryStore } from '@ropewalk/store-memory'
import { DIALER_ID, nodes, type Nodes } from './nodes.ts'

type Tap = Pick<typeof t, 'equal' | 'same'>

function same (t: Tap, came: Uint8Array, wanted: Uint8Array, message: string): void {
  t.equal(came.length, wanted.length, message)
  t.equal(Buffer.compare(came, wanted), 0, message)
}

/** Nothing is held for anybody. */
async function clean (t: Tap, { node, store, client }: Nodes): Promise<void> {
  await settle(() => client.size + node.locks.size + node.usage.uploads + node.usage.reservations)
  const { uploads, reservations, reservedBytes } = node.usage
  t.same([node.locks.size, uploads, reservations, reservedBytes, store.openReaders, store.openWriters], [0, 0, 0, 0, 0, 0])
}

const wire = fc.record({
  attach: fc.boolean(),
  chunkBytes: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
  capacityBytes: fc.integer({ min: 1, max: 100_000 }),
  serveFragment: fc.integer({ min: 1, max: 700 }),
  serveWindow: fc.integer({ min: 1, max: 64 }),
  seed: fc.boolean()
})
const step = fc.record({
  kind: fc.constantFrom('put', 'put', 'durable', 'get', 'get', 'range', 'query', 'remove', 'lock'),
  which: fc.nat(5),
  size: fc.oneof(fc.constantFrom(0, 1), fc.nat(4000)),
  fragmentBytes: fc.integer({ min: 1, max: 900 }),
  window: fc.integer({ min: 1, max: 16 }),
  piece: fc.integer({ min: 1, max: 1500 }),
  from: fc.nat(4000),
  length: fc.nat(4000),
  access: fc.boolean()
})

t.test('whatever is stored comes back, in any pieces, fragments and windows, against a map of bytes', async t => {
  await fc.assert(fc.asyncProperty(wire, fc.array(step, { minLength: 1, maxLength: 12 }), async (wire, steps) => {
    const { attach, chunkBytes, capacityBytes, serveFragment, serveWindow, seed } = wire
    const it = await nodes({
      attach,
      capacityBytes,
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
      wire: seed ? { profile: SEED } : {},
      serve: { fragmentBytes: serveFragment, window: serveWindow }
    })
    const { client, store, node } = it
    const model = new Map<string, Uint8Array>()
    for (const [seedOfBytes, { kind, which, size, fragmentBytes, window, piece, from, length, access }] of steps.entries()) {
      const [id, content] = [...model][which] ?? ['f'.repeat(32), undefined]
      const options = { size, fragmentBytes }
      switch (kind) {
        case 'put': {
          const bytes = patternAt(0, size, seedOfBytes)
          const reader = { read: async (into: Uint8Array, position: number) => { into.set(bytes.subarray(position, position + into.length)); return Math.min(into.length, bytes.length - position) } }
          const { chunkId } = await put(client, access ? reader : pattern(size, seedOfBytes, piece), options)
          model.set(chunkId, bytes)
          break
        }
        case 'durable': {
          if (seed) break
          const chunkId = await reserve(client, size, { durable: true })
          const half = Math.floor(size / 2)
          // What is announced is more than what comes: interrupted where it is, and resumed there.
          await putChunk(client, chunkId, pattern(half, seedOfBytes, piece), options).catch(() => {})
          const there = (await query(client, chunkId))?.size as number
          t.ok(there <= size)
          if (there < size) await putChunk(client, chunkId, [patternAt(there, size - there, seedOfBytes)], { ...options, size: size - there, append: true })
          await commit(client, chunkId)
          model.set(chunkId, patternAt(0, size, seedOfBytes))
          break
        }
        case 'get':
          if (content === undefined) await t.rejects(collect(retrieve(client, id, { window })), { code: 'ERR_NOT_FOUND' })
          else same(t, await collect(retrieve(client, id, { window, ...(seed ? { size: content.length } : {}) })), content, `${kind} ${id}`)
          break
        case 'range': {
          if (content === undefined || seed) break
          const range = { start: Math.min(from, content.length), end: Math.min(from, content.length) + length }
          same(t, await collect(retrieve(client, id, { window, range })), content.subarray(range.start, range.end), kind)
          break
        }
        case 'query':
          if (!seed) t.equal((await query(client, id))?.size, content?.length)
          break
        case 'remove':
          await remove(client, id)
          model.delete(id)
          break
        case 'lock': {
          if (content === undefined) break
          // Locks are tried, not waited for: the one of a retrieval may be on its way out.
          await settle(() => node.locks.size + node.usage.uploads)
          const held = await lock(client, id, 'write')
          await t.rejects(lock(client, id, 'read'), { code: 'ERR_NOT_AVAILABLE' })
          held.release()
        }
      }
    }
    // In the seed profile nothing tells when an empty upload, which is but a close, has arrived.
    await settle(() => node.usage.uploads)
    t.same([...store.objects].map(([id, { committed }]) => [id, committed]).sort(), [...model.keys()].map(id => [id, true]).sort())
    await clean(t, it)
    await client.close()
    t.equal(await it.served, undefined)
  }), { numRuns: 60 })
})

t.test('32 uploads and 32 retrievals at once on one connection', async t => {
  const it = await nodes({ attach: true, node: { maxBytes: 100_000_000 } })
  const sizes = Array.from({ length: 32 }, (_, index) => index === 0 ? 0 : 1 + index * 11_111)
  const stored = await Promise.all(sizes.map((size, index) => put(it.client, pattern(size, index, 10_000), { size, fragmentBytes: 1000 + index * 997 })))
  t.equal(new Set(stored.map(({ chunkId }) => chunkId)).size, 32)
  await Promise.all([
    ...stored.map(({ chunkId, size }, index) => verify(retrieve(it.client, chunkId), size, index)),
    ...sizes.map((size, index) => put(it.client, [patternAt(0, size, index)], { size }))
  ])
  t.equal(it.store.objects.size, 64)
  t.equal(it.node.usage.usedBytes, 2 * sizes.reduce((sum, size) => sum + size, 0))
  await clean(t, it)
  await it.client.close()
})

t.test('transfers that are given up at any moment leave nothing, and disturb nobody', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ size: fc.integer({ min: 1, max: 30_000 }), after: fc.nat(12), get: fc.boolean() }), { minLength: 1, maxLength: 8 }), fc.boolean(), async (transfers, attach) => {
    const it = await nodes({ attach, capacityBytes: 5000, serve: { fragmentBytes: 1000 } })
    const { client, store } = it
    const steady = put(client, pattern(50_000, 99, 777), { size: 50_000, fragmentBytes: 1000 })
    await Promise.all(transfers.map(async ({ size, after, get }, index) => {
      const controller = new AbortController()
      let steps = 0
      const tick = (): void => { if (steps++ === after) controller.abort(new Error('given up')) }
      const id = index.toString(16).padStart(32, '0')
      if (get) store.plant(id, patternAt(0, size, index))
      const outcome = get
        ? verify(retrieve(client, id, { signal: controller.signal, onEvent: tick }), size, index)
        : put(client, pattern(size, index, 500), { size, fragmentBytes: 1000, signal: controller.signal, onEvent: tick })
      await outcome.catch(error => t.equal(error.message, 'given up'))
    }))
    const { chunkId } = await steady
    await verify(retrieve(client, chunkId), 50_000, 99)
    await clean(t, it)
    for (const { committed } of store.objects.values()) t.ok(committed)
    await client.close()
  }), { numRuns: 30 })
})

t.test('a connection that breaks at any byte: nothing is served that is not whole', async t => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.boolean(), fc.constantFrom('reset' as const, 'end' as const), async (cutAfter, attach, how) => {
    const line = link({ attach, chunkBytes: 500, capacityBytes: 2000 })
    const store = new MemoryStore()
    const node = new StorageNode({ store })
    const client = connectNode(line.left, { nodeId: DIALER_ID })
    const served = serve(await acceptNode(line.right), { node, fragmentBytes: 700 }).catch(() => {})
    let events = 0
    const onEvent = (): void => { if (++events === cutAfter) line.cut(how) }
    const outcomes = await Promise.allSettled([1, 2, 3].map(async index => {
      const { chunkId } = await put(client, pattern(5000, index, 300), { size: 5000, fragmentBytes: 700, onEvent })
      await verify(retrieve(client, chunkId, { onEvent }), 5000, index)
    }))
    client.abort(new Error('done'))
    await served
    for (const outcome of outcomes) if (outcome.status === 'rejected') t.match(outcome.reason, { code: /^ERR_/ })
    await settle(() => node.usage.uploads + node.locks.size)
    // Whole and committed, or whole and waiting for a commit that will never come: then it is not to be had.
    for (const [id, { committed, size }] of store.objects) t.same([size, committed || (await node.reservation(id))?.state === 'complete'], [5000, true], id)
    t.same([node.usage.uploads, node.locks.size, store.openReaders, store.openWriters], [0, 0, 0, 0])
  }), { numRuns: 40 })
})

t.test('a sleeping reader holds the server at its window, and nobody else', async t => {
  const it = await nodes({ attach: true })
  const size = 64 * 1_048_576
  let reads = 0
  it.store.plant('a'.repeat(32), new Uint8Array(size))
  it.store.before = operation => { if (operation === 'readAt') reads++ }
  const sleeping = retrieve(it.client, 'a'.repeat(32), { size })[Symbol.asyncIterator]()
  await sleeping.next()
  t.equal(await settle(() => reads), 16, '4 MiB of 256 KiB each')
  const { chunkId } = await put(it.client, pattern(3_000_000, 1), { size: 3_000_000 })
  await verify(retrieve(it.client, chunkId), 3_000_000, 1)
  // The other goes faster the faster it is taken, so that its fragments may be larger.
  t.ok(reads > 16 && reads <= 16 + 12, `${reads} reads`)
  await sleeping.return?.()
  await clean(t, it)
  await it.client.close()
})

t.test('a slow store holds the uploader at its window', async t => {
  const it = await nodes({ attach: true })
  const gate = Promise.withResolvers<void>()
  it.store.before = operation => operation === 'append' ? gate.promise : undefined
  const source = counting(pattern(3_000_000, 5, 1000))
  const stored = put(it.client, source, { size: 3_000_000, fragmentBytes: 1000 })
  t.equal(await settle(() => source.pulls), 10, 'the window that the server announced')
  gate.resolve()
  const { chunkId } = await stored
  await verify(retrieve(it.client, chunkId), 3_000_000, 5)
  await it.client.close()
})

t.test('an uploaded chunk is not to be had before its commit, and a rejected one never', async t => {
  const it = await nodes()
  const { client } = it
  for (const action of ['final', 'reject'] as const) {
    const { chunkId } = await upload(client, [new Uint8Array(5)], { size: 5 })
    t.equal((await query(client, chunkId))?.size, 5)
    await t.rejects(collect(retrieve(client, chunkId)), { code: 'ERR_NOT_FOUND' })
    await commit(client, chunkId, 'keep_alive')
    await commit(client, chunkId, action)
    if (action === 'final') t.equal((await collect(retrieve(client, chunkId))).length, 5)
    else t.equal(await query(client, chunkId), undefined)
  }
  await clean(t, it)
  await client.close()
})

t.test('serving stops by its signal: what runs on it ends, the connection does not', async t => {
  const controller = new AbortController()
  const it = await nodes({ serve: { signal: controller.signal } })
  const reading = retrieve(it.client, 'a'.repeat(32), { size: 10_000_000 })[Symbol.asyncIterator]()
  it.store.plant('a'.repeat(32), new Uint8Array(10_000_000))
  await reading.next()
  controller.abort(new Error('closing time'))
  t.match(await it.served, { message: 'closing time' })
  await t.rejects((async () => { while ((await reading.next()).done !== true) continue })(), { code: 'ERR_INCOMPLETE' })
  await t.rejects(query(it.client, 'a'.repeat(32)), { code: 'ERR_INTERRUPTED' })
  t.same([it.node.locks.size, it.store.openReaders], [0, 0])
  await it.client.close()
})
