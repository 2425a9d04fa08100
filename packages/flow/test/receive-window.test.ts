import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ReceiveWindow } from '../src/index.ts'

t.test('grants back exactly what was read, never a trickle, never more than the window, never a stall', async t => {
  const step = fc.record({ send: fc.nat(20), read: fc.nat(20), growth: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9) }) })
  const fraction = fc.constantFrom(undefined, 0.01, 0.5, 1)

  t.doesNotThrow(() => fc.assert(fc.property(fc.integer({ min: 1, max: 64 }), fraction, fc.array(step), (initial, grantFraction, steps) => {
    const window = new ReceiveWindow(initial, { grantFraction })
    const share = grantFraction ?? 0.25
    let size = initial
    let credit = initial
    let unread = 0

    for (const { send, read, growth } of steps) {
      const sent = Math.min(send, credit)
      assert.equal(window.receive(sent), true)
      credit -= sent
      unread += sent

      const taken = Math.min(read, unread)
      const grant = window.consume(taken)
      credit += grant
      unread -= taken
      assert.ok(grant === 0 || grant >= size * share, 'a trickle')
      assert.ok(unread > 0 || credit > 0, 'a stall')

      if (growth > 0) {
        const owed = size - credit - unread
        size += growth
        const grown = window.resize(size)
        assert.equal(grown, growth + owed)
        credit += grown
        assert.equal(credit + unread, size)
      }

      assert.equal(window.available, credit)
      assert.equal(window.held, unread)
      assert.equal(window.size, size)
      assert.equal(window.receive(credit + 1), false)
      assert.equal(window.held, unread)
    }
  })))
})

t.test('grants a quarter at a time unless told otherwise', async t => {
  const window = new ReceiveWindow(16)
  t.ok(window.receive(16))
  t.same([1, 1, 1, 1, 3, 1].map(units => window.consume(units)), [0, 0, 0, 4, 0, 4])

  const half = new ReceiveWindow(16, { grantFraction: 0.5 })
  t.ok(half.receive(16))
  t.same([7, 1].map(units => half.consume(units)), [0, 8])
})

t.test('refuses what the peer may not send, one unit over included', async t => {
  const window = new ReceiveWindow(8)
  t.equal(window.receive(9), false)
  t.equal(window.receive(8), true)
  t.equal(window.receive(1), false)
  t.equal(window.receive(0), true)
  t.equal(window.receive(Number.MAX_SAFE_INTEGER), false)
})

t.test('refuses nonsense from the caller', async t => {
  for (const size of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) t.throws(() => new ReceiveWindow(size), RangeError, `size ${size}`)
  for (const grantFraction of [0, -1, 1.1, NaN]) t.throws(() => new ReceiveWindow(1, { grantFraction }), RangeError, `fraction ${grantFraction}`)

  const window = new ReceiveWindow(8)
  window.receive(4)
  for (const units of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    t.throws(() => window.receive(units), RangeError, `receive ${units}`)
    t.throws(() => window.consume(units), RangeError, `consume ${units}`)
  }
  t.throws(() => window.consume(5), { name: 'RangeError', message: 'consumed more than is held: 5 > 4 units' })
  t.throws(() => window.resize(7), { name: 'RangeError', message: 'a window cannot shrink: 7 < 8 units' })
  t.throws(() => window.resize(NaN), RangeError)
  t.equal(window.available, 4, 'and nothing has changed')
})
