import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FragmentLedger } from '../src/index.ts'

t.test('agrees with a list of every fragment ever sent', async t => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), value: fc.nat(30) }),
    fc.record({ kind: fc.constant('ack' as const), value: fc.integer({ min: -2, max: 12 }) })
  )
  const bound = fc.integer({ min: 1, max: 20 })

  t.doesNotThrow(() => fc.assert(fc.property(bound, bound, fc.array(step, { maxLength: 80 }), (maxFragments, maxBytes, steps) => {
    const ledger = new FragmentLedger({ maxFragments, maxBytes })
    const sizes: number[] = []
    let acked = 0

    for (const { kind, value } of steps) {
      const under = sizes.slice(acked)
      const bytes = sum(under)

      if (kind === 'send') {
        const fits = under.length === 0 || (under.length < maxFragments && bytes + value <= maxBytes)
        assert.equal(ledger.fits(value), fits)
        assert.equal(ledger.room(), under.length < maxFragments ? Math.max(0, maxBytes - bytes) : 0)
        if (fits) {
          assert.equal(ledger.sent(value), sizes.length)
          sizes.push(value)
        } else assert.throws(() => ledger.sent(value), RangeError)
      } else {
        const number = Math.max(0, acked + value)
        const settled = ledger.acked(number)
        if (number === acked - 1) assert.deepEqual(settled, { fragments: 0, bytes: 0 })
        else if (number < acked || number >= sizes.length) assert.equal(settled, undefined)
        else {
          assert.deepEqual(settled, { fragments: number + 1 - acked, bytes: sum(sizes.slice(acked, number + 1)) })
          acked = number + 1
        }
      }

      assert.equal(ledger.outstandingFragments, sizes.length - acked)
      assert.equal(ledger.outstandingBytes, sum(sizes.slice(acked)))
      assert.equal(ledger.nextNumber, sizes.length)
      assert.equal(ledger.lastAcked, acked - 1)
    }
  }), { numRuns: 300 }))
})

t.test('bounds the count even of empty fragments, and the bytes of few', async t => {
  const count = new FragmentLedger({ maxFragments: 2, maxBytes: 100 })
  count.sent(0)
  count.sent(0)
  t.equal(count.room(), 0)
  t.equal(count.fits(0), false)

  const bytes = new FragmentLedger({ maxFragments: 10, maxBytes: 100 })
  bytes.sent(60)
  t.equal(bytes.room(), 40)
  t.equal(bytes.fits(41), false)
  t.equal(bytes.fits(40), true)
})

t.test('lets a fragment larger than the byte window go when nothing is outstanding', async t => {
  const ledger = new FragmentLedger({ maxFragments: 4, maxBytes: 10 })
  t.equal(ledger.sent(1000), 0)
  t.equal(ledger.room(), 0)
  t.equal(ledger.fits(0), false)
  t.same(ledger.acked(0), { fragments: 1, bytes: 1000 })
  t.equal(ledger.room(), 10)
})

t.test('tells a repeated acknowledgement from a false one', async t => {
  const ledger = new FragmentLedger({ maxFragments: 4, maxBytes: 100 })
  t.equal(ledger.acked(0), undefined, 'before anything was sent')
  for (const bytes of [1, 2, 3]) ledger.sent(bytes)
  t.same(ledger.acked(1), { fragments: 2, bytes: 3 })
  t.same(ledger.acked(1), { fragments: 0, bytes: 0 }, 'a repeat')
  t.equal(ledger.acked(0), undefined, 'backwards')
  t.equal(ledger.acked(3), undefined, 'never sent')
  t.equal(ledger.acked(0xffff_ffff), undefined, 'far from ever sent')
  t.same(ledger.acked(2), { fragments: 1, bytes: 3 }, 'none of which did any harm')
})

t.test('refuses nonsense from the caller', async t => {
  for (const value of [0, -1, 1.5, NaN, Infinity]) {
    t.throws(() => new FragmentLedger({ maxFragments: value, maxBytes: 1 }), RangeError, `maxFragments ${value}`)
    t.throws(() => new FragmentLedger({ maxFragments: 1, maxBytes: value }), RangeError, `maxBytes ${value}`)
  }
  const ledger = new FragmentLedger({ maxFragments: 2, maxBytes: 10 })
  for (const value of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => ledger.fits(value), RangeError)
    t.throws(() => ledger.sent(value), RangeError)
    t.throws(() => ledger.acked(value), RangeError)
  }
  ledger.sent(8)
  t.throws(() => ledger.sent(3), { name: 'RangeError', message: 'fragment does not fit: 3 > 2 bytes, 1 of 2 fragments outstanding' })
})

function sum (values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
