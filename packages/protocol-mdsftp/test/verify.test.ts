import { createHash } from 'node:crypto'
import { MemoryStore, StoreError } from '@ropewalk/store-memory'
import { collect, settle, VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { maintain, putChunk, query, retrieve, scrub, StorageNode, upload, verify, commit, type Id, type Verified } from '../src/index.ts'
import { nodes } from './nodes.ts'

const CONTENT = new TextEncoder().encode('laid into one rope')
const SHA256 = createHash('sha256').update(CONTENT).digest('hex')

function hasher (): { update (bytes: Uint8Array): void, digest (): Uint8Array } {
  const hash = createHash('sha256')
  return { update: bytes => { hash.update(bytes) }, digest: () => hash.digest() }
}

async function stored (): Promise<Awaited<ReturnType<typeof nodes>> & { id: Id }> {
  const stage = await nodes({ node: { hasher } })
  const { chunkId: id } = await upload(stage.client, [CONTENT], { size: CONTENT.length, fragmentBytes: 5 })
  await commit(stage.client, id)
  return { ...stage, id }
}

t.test('a digest is computed as the bytes come, and compared', async t => {
  const { node, id } = await stored()
  t.equal((await node.ledger.get(id))?.sha256, SHA256)
  t.same(await verify(node, id), { chunkId: id, outcome: 'whole', bytes: CONTENT.length })
  t.same(await verify(node, 'e'.repeat(32)), { chunkId: 'e'.repeat(32), outcome: 'absent', bytes: 0 })
})

t.test('what is not what it was is damaged, and not served any more, until it is whole again', async t => {
  const { node, id, store, client } = await stored()
  const object = store.objects.get(id)
  const pieces = object?.pieces ?? []
  const spoilt = pieces.map(piece => piece.slice())
  ;(spoilt[1] as Uint8Array)[2] = 0x20
  Object.assign(object as object, { pieces: spoilt })
  t.match(await verify(node, id), { outcome: 'damaged', bytes: CONTENT.length })
  await t.rejects(collect(retrieve(client, id)), { code: 'ERR_NOT_AVAILABLE' })
  t.equal((await query(client, id))?.size, CONTENT.length)
  Object.assign(object as object, { pieces })
  t.match(await verify(node, id), { outcome: 'whole' })
  t.same((await collect(retrieve(client, id))).length, CONTENT.length)

  store.before = operation => { if (operation === 'readAt') throw new StoreError('ERR_IO', 'unreadable') }
  t.match(await verify(node, id), { outcome: 'damaged', cause: { code: 'ERR_IO' } })
  store.before = async operation => { if (operation === 'read') await node.ledger.drop(id, { now: Date.now() }) }
  await store.remove(id)
  t.match(await verify(node, id), { outcome: 'absent' }, 'removed while it was read')
})

t.test('a chunk that came in two parts gets its digest when it is first verified', async t => {
  const { client, node } = await nodes({ node: { hasher } })
  let id = ''
  await t.rejects(upload(client, (async function * () {
    yield CONTENT.subarray(0, 10)
    throw new Error('broken')
  })(), { size: CONTENT.length, durable: true, fragmentBytes: 5, onReserved: chunkId => { id = chunkId } }), { message: 'broken' })
  const { size = -1 } = await query(client, id) ?? {}
  await putChunk(client, id, [CONTENT.subarray(size)], { size: CONTENT.length - size, append: true })
  await commit(client, id)
  if (size > 0) t.equal((await node.ledger.get(id))?.sha256, undefined)
  t.match(await verify(node, id), { outcome: size > 0 ? 'noted' : 'whole' })
  t.equal((await node.ledger.get(id))?.sha256, SHA256)
  t.match(await verify(node, id), { outcome: 'whole' })
})

t.test('a scrub takes every chunk once, at its rate', async t => {
  const clock = new VirtualClock()
  const store = new MemoryStore()
  for (let number = 0; number < 5; number++) store.plant(String(number).repeat(32), new Uint8Array(1000))
  const node = new StorageNode({ store, clock, hasher })
  const seen: Verified[] = []
  let over = false
  const scrubbing = (async () => {
    for await (const verified of scrub(node, { bytesPerSecond: 1000, clock })) seen.push(verified)
    over = true
  })()
  for (let second = 0; second < 5; second++) {
    await settle(() => seen.length)
    t.equal(seen.length, second + 1, 'one is for nothing, each other a second')
    t.equal(over, second === 4)
    await clock.advance(1000)
  }
  await scrubbing
  t.ok(seen.every(({ outcome }) => outcome === 'noted'))
  t.equal(clock.pending, 0)
})

t.test('maintenance sweeps and scrubs, over and over, and leaves nothing when it is told to stop', async t => {
  const clock = new VirtualClock()
  const store = new MemoryStore()
  store.plant('a'.repeat(32), CONTENT)
  const node = new StorageNode({ store, clock, hasher, reservationLifeMs: 500 })
  await node.reserve(10n, true)
  const over = new AbortController()
  const outcomes: string[] = []
  const maintaining = maintain(node, { signal: over.signal, clock, sweepMs: 1000, scrubEveryMs: 3000, onVerified: ({ outcome }) => outcomes.push(outcome) })
  await clock.advance(1000)
  await settle(() => node.usage.reservations)
  t.equal(node.usage.reservations, 0, 'nobody had to reserve for it')
  await clock.advance(6000)
  t.same(outcomes, ['noted', 'whole'])
  over.abort()
  await maintaining
  t.equal(clock.pending, 0)
})

t.test('a node without a hasher has nothing to compare', async t => {
  await t.rejects(verify(new StorageNode({ store: new MemoryStore() }), 'a'.repeat(32)), TypeError as never)
})
