import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { SendCredit } from '../src/index.ts'

t.test('is what was granted less what was spent, never negative, never over the maximum', async t => {
  const step = fc.record({ grant: fc.nat(40), spend: fc.nat(40) })

  t.doesNotThrow(() => fc.assert(fc.property(fc.nat(50), fc.array(step), (initial, steps) => {
    const credit = new SendCredit(initial, { maxUnits: 100 })
    let naive = initial

    for (const { grant, spend } of steps) {
      assert.equal(credit.grant(grant), naive + grant <= 100)
      if (naive + grant <= 100) naive += grant
      assert.equal(credit.available, naive)

      if (spend > naive) assert.throws(() => credit.spend(spend), RangeError)
      else {
        credit.spend(spend)
        naive -= spend
      }
      assert.equal(credit.available, naive)
    }
  })))
})

t.test('refuses a grant past 2^32 - 1 by default, and keeps what it had', async t => {
  const credit = new SendCredit(2 ** 32 - 2)
  t.equal(credit.grant(2), false)
  t.equal(credit.available, 2 ** 32 - 2)
  t.equal(credit.grant(1), true)
  t.equal(credit.grant(1), false)
  t.equal(credit.grant(0), true)
})

t.test('refuses nonsense from the caller', async t => {
  for (const units of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => new SendCredit(units), RangeError, `initial ${units}`)
    t.throws(() => new SendCredit(0, { maxUnits: units }), RangeError, `maximum ${units}`)
    t.throws(() => new SendCredit(0).grant(units), RangeError, `grant ${units}`)
    t.throws(() => new SendCredit(9).spend(units), RangeError, `spend ${units}`)
  }
  t.throws(() => new SendCredit(11, { maxUnits: 10 }), { message: 'begins over its maximum: 11 > 10 units' })
  t.throws(() => new SendCredit(0, { maxUnits: 0 }), RangeError)
  t.throws(() => new SendCredit(1).spend(2), { name: 'RangeError', message: 'spent more than is available: 2 > 1 units' })
})
