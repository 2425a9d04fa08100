import { MemoryStore } from '@ropewalk/store-memory'
import { VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { MAX_FRAGMENTS, MemoryLedger, RESERVATION_LIFE_MS, StorageNode, SWEEP_BATCH } from '../src/index.ts'
import { SenderState } from '../src/sender-state.ts'

t.test('a transfer has no more fragments than a number can count', async t => {
  t.doesNotThrow(() => new SenderState({ size: MAX_FRAGMENTS, fragmentBytes: 1, window: 1 }))
  t.throws(() => new SenderState({ size: MAX_FRAGMENTS + 1, fragmentBytes: 1, window: 1 }), RangeError)
})

t.test('a node keeps no more reservations than so many, of whatever size', async t => {
  const node = new StorageNode({ store: new MemoryStore(), maxReservations: 2 })
  t.ok('id' in await node.reserve(0n, true))
  t.ok('id' in await node.reserve(0n, true))
  t.ok('spaceLeft' in await node.reserve(0n, true), 'a third is refused')
})

t.test('expired reservations are removed so many at a time, and all of them', async t => {
  const clock = new VirtualClock()
  const ledger = new MemoryLedger()
  const asked: number[] = []
  const expired = ledger.expired.bind(ledger)
  ledger.expired = (now, most, options) => {
    asked.push(most)
    return expired(now, most, options)
  }
  const node = new StorageNode({ store: new MemoryStore(), ledger, clock, now: () => clock.now() })
  for (let count = 0; count <= SWEEP_BATCH; count++) await node.reserve(1n, true)
  await clock.advance(RESERVATION_LIFE_MS)
  await node.sweep()
  t.equal((await ledger.usage()).open, 0)
  t.same([...new Set(asked)], [SWEEP_BATCH])
  t.ok(asked.length >= 2)
})
