import type { LedgerEntry } from '@ropewalk/interface'
import { MemoryStore } from '@ropewalk/store-memory'
import { VirtualClock } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { MemoryLedger, StorageNode, type NodeOptions } from '../src/index.ts'
import { reconcile } from '../src/recovery-state.ts'

const ID = 'ab'.repeat(16)
const HOUR = 3_600_000
const OPTIONS = { holder: 'node', now: 5000, lifeMs: HOUR }

const entry: LedgerEntry = { id: ID, size: 10, state: 'reserved', durable: true, holder: 'node', owner: '', createdAt: 0, expiresAt: HOUR, sha256: undefined, token: 3, leasedUntil: 0 }
const unfinished = (size: number): { size: number, committed: boolean } => ({ size, committed: false })
const committed = (size: number): { size: number, committed: boolean } => ({ size, committed: true })

t.test('what a start makes of an entry', async t => {
  const table: Array<[string, Partial<LedgerEntry>, ReturnType<typeof unfinished> | undefined, Partial<LedgerEntry> | 'keep' | 'drop']> = [
    ['durable, nothing came yet', {}, undefined, 'keep'],
    ['durable, some came', {}, unfinished(4), 'keep'],
    ['durable, every byte came', {}, unfinished(10), { state: 'complete' }],
    ['durable, more than announced', {}, unfinished(11), 'drop'],
    ['durable, of 0 bytes', { size: 0 }, unfinished(0), 'keep'],
    ['not durable', { durable: false }, unfinished(4), 'drop'],
    ['not durable, every byte came', { durable: false }, unfinished(10), 'drop'],
    ['reserved, and the store has committed it', {}, committed(10), { state: 'committed', expiresAt: Infinity }],
    ['complete', { state: 'complete', durable: false }, unfinished(10), 'keep'],
    ['complete, of 0 bytes, without an object', { state: 'complete', size: 0 }, undefined, 'keep'],
    ['complete, cut by a loss of power, durable', { state: 'complete', sha256: 'x' }, unfinished(6), { state: 'reserved', sha256: undefined }],
    ['complete, gone with the power, durable', { state: 'complete' }, undefined, { state: 'reserved' }],
    ['complete, cut by a loss of power', { state: 'complete', durable: false }, unfinished(6), 'drop'],
    ['complete, and the store has committed it', { state: 'complete', sha256: 'x' }, committed(10), { state: 'committed', expiresAt: Infinity, sha256: 'x' }],
    ['committed', { state: 'committed' }, committed(10), 'keep'],
    ['committed, of another size', { state: 'committed', sha256: 'x' }, committed(7), { state: 'committed', size: 7, sha256: undefined, expiresAt: Infinity }],
    ['committed, and the store has lost it', { state: 'committed' }, undefined, 'drop'],
    ['committed, and the store has never finished it', { state: 'committed' }, unfinished(10), { state: 'complete', expiresAt: 5000 + HOUR }],
    ['somebody else\'s', { holder: 'elsewhere', durable: false }, unfinished(4), 'keep']
  ]
  for (const [name, more, found, wanted] of table) {
    const before = { ...entry, ...more }
    const verdict = reconcile(before, found, OPTIONS)
    t.same(verdict, typeof wanted === 'string' ? { what: wanted } : { what: 'restore', entry: { ...before, ...wanted } }, name)
  }
})

t.test('whatever the two say, after a start they say the same, and space adds up', async t => {
  const record = fc.record({
    state: fc.constantFrom('reserved' as const, 'complete' as const, 'committed' as const),
    durable: fc.boolean(),
    size: fc.nat(4),
    known: fc.boolean(),
    found: fc.option(fc.record({ size: fc.nat(5), committed: fc.boolean() }), { nil: undefined }),
    leased: fc.boolean()
  })
  await fc.assert(fc.asyncProperty(fc.array(record, { maxLength: 12 }), async records => {
    const [ledger, store] = [new MemoryLedger(), new MemoryStore()]
    for (const [index, { state, durable, size, known, found, leased }] of records.entries()) {
      const id = index.toString(16).padStart(32, '0')
      if (known) await ledger.restore({ ...entry, id, state, durable, size, leasedUntil: leased && state !== 'committed' ? 1e9 : 0, expiresAt: state === 'committed' ? Infinity : HOUR })
      if (found !== undefined) {
        const writer = await store.write(id, 0)
        await writer.write(new Uint8Array(found.size))
        await writer.close()
        if (found.committed) await store.commit(id)
      }
    }
    for (let start = 0; start < 2; start++) {
      const node = new StorageNode({ store, ledger, now: () => 5000 })
      await node.ready
      let [used, reserved, open] = [0, 0, 0]
      for (const { id, size, state, durable, leasedUntil } of await ledger.page('', 100)) {
        const object = store.objects.get(id)
        t.equal(state === 'committed', object?.committed === true, 'committed in one is committed in the other')
        if (state !== 'reserved') t.equal(object?.size ?? 0, size, 'whole')
        if (state === 'reserved') t.ok(durable && (object?.size ?? 0) <= size, 'can be gone on with')
        t.equal(leasedUntil, 0, 'nobody of an earlier life writes')
        if (state === 'reserved') reserved += size
        else used += size
        if (state !== 'committed') open++
      }
      for (const id of store.objects.keys()) t.ok(await ledger.get(id), 'nothing is stored that nobody knows of')
      t.match(node.usage, { usedBytes: used, reservedBytes: reserved, reservations: open })
    }
  }), { numRuns: 60 })
})

t.test('a start adopts what a store had before it had a ledger, and tells what it has lost', async t => {
  const [ledger, store] = [new MemoryLedger(), new MemoryStore()]
  store.plant(ID, new Uint8Array(70))
  const lost = 'cd'.repeat(16)
  await ledger.restore({ ...entry, id: lost, state: 'committed', expiresAt: Infinity })
  const node = new StorageNode({ store, ledger })
  t.same(await node.ready, { lost: [lost] })
  t.match(node.usage, { usedBytes: 70, reservedBytes: 0, reservations: 0 })
  t.equal(await node.commit(ID), 'committed')
})

t.test('a start that fails refuses everything, and says why', async t => {
  const store = new MemoryStore()
  await store.close()
  const node = new StorageNode({ store })
  await t.rejects(node.ready, { code: 'ERR_CLOSED' })
  await t.rejects(node.reserve(1n, true), { code: 'ERR_CLOSED' })
})

t.test('free space is shared by what is promised and not written: what is written counts once', async t => {
  const { node, store } = await withClock({ store: new MemoryStore({ maxBytes: 100 }) })
  const reserved = await node.reserve(60n, true) as LedgerEntry
  t.same(await node.reserve(41n, true), { spaceLeft: 40n })
  node.lock(reserved.id, 'write')
  const upload = await node.begin(reserved.id, 0, { interrupt: () => {}, alive: () => true, final: false })
  await upload.write(new Uint8Array(50) as never)
  t.equal(await store.available(), 50)
  t.same(await node.reserve(41n, true), { spaceLeft: 40n }, 'half of what was promised is there')
  t.equal(await upload.end(false), 'kept')
  t.same(await node.reserve(41n, true), { spaceLeft: 40n })
  const revived = new StorageNode({ store, ledger: node.ledger, now: () => 0 })
  t.same(await revived.reserve(41n, true), { spaceLeft: 40n }, 'after a start too')
})

t.test('200 reservations at once never promise more than there is', async t => {
  for (const limits of [{ maxBytes: 1000 }, { store: new MemoryStore({ maxBytes: 1000 }) }]) {
    const { node } = await withClock(limits)
    const answers = await Promise.all(Array.from({ length: 200 }, async () => await node.reserve(7n, true)))
    t.equal(answers.filter(answer => 'id' in answer).length, 142)
    t.equal((await node.ledger.usage()).reservedBytes, 994)
  }
})

t.test('caps by owner: reservations and bytes, given back when they are over', async t => {
  const { node, clock } = await withClock({ maxOwnerReservations: 2, maxOwnerBytes: 100 })
  const first = await node.reserve(60n, true, 'one') as LedgerEntry
  t.same(await node.reserve(41n, true, 'one'), { spaceLeft: 40n })
  t.ok('id' in await node.reserve(40n, false, 'one'))
  t.same(await node.reserve(0n, true, 'one'), { spaceLeft: 0n }, 'a third')
  t.ok('id' in await node.reserve(100n, true, 'two'), 'others have caps of their own')
  await node.cancel(first.id)
  t.ok('id' in await node.reserve(60n, true, 'one'))
  await clock.advance(HOUR)
  await node.sweep()
  t.match(await node.ledger.usage(), { reservedBytes: 0, open: 0 }, 'no file was ever made, and the space is back')
})

t.test('keep-alives prolong to the greatest age and no further, and an upload does not outlive it', async t => {
  const { node, clock, store } = await withClock({ maxReservationAgeMs: 3 * HOUR })
  const kept = await node.reserve(10n, true) as LedgerEntry
  const written = await node.reserve(10n, true) as LedgerEntry
  const ended: string[] = []
  node.lock(written.id, 'write')
  const upload = await node.begin(written.id, 0, { interrupt: () => { ended.push('interrupted'); void upload.end(false) }, alive: () => true, final: false })
  for (let halves = 0; halves < 5; halves++) {
    await clock.advance(HOUR / 2)
    await node.refresh(kept.id)
    await node.sweep()
  }
  t.same(ended, [], 'two and a half hours without a word')
  t.equal((await node.reservation(kept.id))?.expiresAt, 3 * HOUR)
  await clock.advance(HOUR / 2)
  await node.refresh(kept.id)
  t.equal(await node.reservation(kept.id), undefined)
  await node.sweep()
  t.same(ended, ['interrupted'])
  t.match(await node.ledger.usage(), { reservedBytes: 0, open: 0 })
  t.same([store.objects.size, node.locks.size, store.openWriters], [0, 0, 0])
})

t.test('one that cannot be removed does not keep the others, and its space is not given away', async t => {
  const { node, clock, store } = await withClock({})
  const [stuck, other] = [await node.reserve(10n, true) as LedgerEntry, await node.reserve(10n, true) as LedgerEntry]
  store.before = (operation, id) => { if (operation === 'remove' && id === stuck.id) throw new Error('stuck') }
  await clock.advance(HOUR)
  await node.sweep()
  t.equal(await node.reservation(other.id), undefined)
  t.match(await node.ledger.usage(), { reservedBytes: 10, open: 1 })
  store.before = () => {}
  await node.sweep()
  t.match(await node.ledger.usage(), { reservedBytes: 0, open: 0 })
})

t.test('a node that lost its lease to another touches nothing of it any more', async t => {
  const { node, store, clock } = await withClock({ sweepMs: Infinity })
  const reserved = await node.reserve(10n, true) as LedgerEntry
  node.lock(reserved.id, 'write')
  const upload = await node.begin(reserved.id, 0, { interrupt: () => {}, alive: () => true, final: false })
  await upload.write(new Uint8Array(4) as never)
  await clock.advance(HOUR / 2)
  const taken = await node.ledger.lease(reserved.id, clock.now(), clock.now() + HOUR)
  t.equal(taken?.token, 2)
  await t.rejects(upload.write(new Uint8Array(4) as never), { code: 'ERR_REMOVED' })
  t.equal(await upload.end(false), 'dropped')
  t.ok(store.objects.has(reserved.id), 'it is the other\'s now')
  t.equal((await node.ledger.get(reserved.id))?.token, 2)
})

async function withClock (options: Partial<NodeOptions> & { store?: MemoryStore }): Promise<{ node: StorageNode, clock: VirtualClock, store: MemoryStore }> {
  const clock = new VirtualClock()
  const { store = new MemoryStore() } = options
  const node = new StorageNode({ clock, ...options, store })
  await node.ready
  return { node, clock, store }
}
