import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { AckBatcher, FragmentLedger } from '../src/index.ts'

t.test('agrees with a list of every fragment ever received', async t => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('receive' as const), value: fc.nat(30) }),
    fc.record({ kind: fc.constant('consume' as const), value: fc.nat(30) }),
    fc.record({ kind: fc.constant('flush' as const), value: fc.constant(0) })
  )
  const bound = fc.integer({ min: 1, max: 40 })

  t.doesNotThrow(() => fc.assert(fc.property(bound, bound, fc.array(step, { maxLength: 80 }), (maxFragments, maxBytes, steps) => {
    const batcher = new AckBatcher({ maxFragments, maxBytes })
    const sizes: number[] = []
    let eaten = 0
    let finished = 0
    let acked = 0

    for (const { kind, value } of steps) {
      let answer: number | undefined
      let expected: number | undefined
      if (kind === 'receive') {
        const under = sizes.slice(acked)
        const allowed = under.length === 0 || (under.length < maxFragments && sum(under) + value <= maxBytes)
        assert.equal(batcher.received(value), allowed)
        if (allowed) sizes.push(value)
      } else if (kind === 'consume') {
        const bytes = Math.min(value, sum(sizes) - eaten)
        eaten += bytes
        while (finished < sizes.length && sum(sizes.slice(0, finished + 1)) <= eaten) finished++
        const due = finished - acked >= maxFragments / 4 || sum(sizes.slice(acked, finished)) >= maxBytes / 4
        if (due) expected = finished - 1
        answer = batcher.consumed(bytes)
      } else {
        if (finished > acked) expected = finished - 1
        answer = batcher.flush()
      }

      assert.equal(answer, expected)
      if (answer !== undefined) acked = answer + 1
      assert.equal(batcher.held, sum(sizes) - eaten)
      assert.equal(batcher.outstandingFragments, sizes.length - acked)
      assert.equal(batcher.outstandingBytes, sum(sizes.slice(acked)))
    }
  }), { numRuns: 300 }))
})

t.test('neither refuses nor stalls a FragmentLedger with the same bounds that cuts to the room it has', async t => {
  const bound = fc.integer({ min: 1, max: 40 })
  const step = fc.record({ send: fc.nat(50), consume: fc.nat(50) })

  t.doesNotThrow(() => fc.assert(fc.property(bound, bound, fc.array(step, { maxLength: 60 }), (maxFragments, maxBytes, steps) => {
    const ledger = new FragmentLedger({ maxFragments, maxBytes })
    const batcher = new AckBatcher({ maxFragments, maxBytes })

    for (const { send, consume } of steps) {
      const bytes = Math.min(send, ledger.room())
      if (bytes > 0) {
        ledger.sent(bytes)
        assert.equal(batcher.received(bytes), true)
      }
      const ack = batcher.consumed(Math.min(consume, batcher.held))
      if (ack !== undefined) assert.ok(ledger.acked(ack))
      assert.equal(batcher.outstandingFragments, ledger.outstandingFragments)
      assert.equal(batcher.outstandingBytes, ledger.outstandingBytes)
      assert.ok(batcher.held > 0 || ledger.room() > 0, 'a stall')
    }

    const last = batcher.consumed(batcher.held) ?? batcher.flush()
    if (last !== undefined) assert.ok(ledger.acked(last))
    assert.equal(ledger.outstandingFragments, 0)
  }), { numRuns: 300 }))
})

t.test('acknowledges a quarter of the count or of the bytes, whichever comes first', async t => {
  const count = new AckBatcher({ maxFragments: 16, maxBytes: 1000 })
  for (let n = 0; n < 8; n++) count.received(1)
  t.same([1, 1, 1, 1, 3, 1].map(bytes => count.consumed(bytes)), [undefined, undefined, undefined, 3, undefined, 7])

  const bytes = new AckBatcher({ maxFragments: 1000, maxBytes: 100 })
  for (let n = 0; n < 8; n++) bytes.received(10)
  t.same([10, 10, 9, 1].map(bytes_ => bytes.consumed(bytes_)), [undefined, undefined, undefined, 2])
})

t.test('acknowledges a fragment only when its last byte is consumed', async t => {
  const batcher = new AckBatcher({ maxFragments: 1, maxBytes: 100 })
  batcher.received(100)
  t.equal(batcher.consumed(99), undefined)
  t.equal(batcher.flush(), undefined)
  t.equal(batcher.consumed(1), 0)
  t.equal(batcher.flush(), undefined, 'and only once')
})

t.test('acknowledges empty fragments', async t => {
  const batcher = new AckBatcher({ maxFragments: 100, maxBytes: 100 })
  batcher.received(1)
  batcher.received(0)
  t.equal(batcher.consumed(0), undefined)
  t.equal(batcher.flush(), undefined, 'the byte before them is not consumed')
  t.equal(batcher.consumed(1), undefined)
  t.equal(batcher.flush(), 1)
  batcher.received(0)
  t.equal(batcher.consumed(0), undefined)
  t.equal(batcher.flush(), 2)
})

t.test('bounds empty fragments by their count, and allows one large fragment by itself', async t => {
  const batcher = new AckBatcher({ maxFragments: 2, maxBytes: 10 })
  t.ok(batcher.received(0))
  t.ok(batcher.received(0))
  t.notOk(batcher.received(0))

  const large = new AckBatcher({ maxFragments: 2, maxBytes: 10 })
  t.ok(large.received(1000))
  t.notOk(large.received(1))
  t.equal(large.consumed(1000), 0)
  t.ok(large.received(1))
})

t.test('refuses nonsense from the caller', async t => {
  for (const value of [0, -1, 1.5, NaN, Infinity]) {
    t.throws(() => new AckBatcher({ maxFragments: value, maxBytes: 1 }), RangeError, `maxFragments ${value}`)
    t.throws(() => new AckBatcher({ maxFragments: 1, maxBytes: value }), RangeError, `maxBytes ${value}`)
  }
  const batcher = new AckBatcher({ maxFragments: 2, maxBytes: 10 })
  batcher.received(3)
  for (const value of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => batcher.received(value), RangeError)
    t.throws(() => batcher.consumed(value), RangeError)
  }
  t.throws(() => batcher.consumed(4), { name: 'RangeError', message: 'consumed more than is held: 4 > 3 bytes' })
})

function sum (values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
