import fc from 'fast-check'
import t from 'tap'
import { ReceiverState } from '../src/receiver-state.ts'

t.test('finding 9: short with a last fragment and long are both refused, before they count', async t => {
  const short = new ReceiverState(10)
  short.fragment(0, 4, false)
  t.throws(() => short.fragment(1, 5, true), { code: 'ERR_INCOMPLETE', scope: 'transfer', message: /9 < 10/ })
  t.equal(short.received, 4)
  t.equal(short.complete, false)
  const long = new ReceiverState(10)
  long.fragment(0, 10, false)
  t.throws(() => long.fragment(1, 1, true), { code: 'ERR_OVERFLOW', message: /11 > 10/ })
  long.fragment(1, 0, true)
  t.equal(long.complete, true, 'a bare last fragment ends what is whole (section 4.6)')
})

t.test('finding 10: numbers are 0, 1, 2', async t => {
  for (const [numbers, wrong] of [[[], 1], [[0], 0], [[0, 1], 3], [[0, 1], 0]] as const) {
    const state = new ReceiverState(100)
    for (const number of numbers) state.fragment(number, 1, false)
    t.throws(() => state.fragment(wrong, 1, false), { code: 'ERR_FRAGMENT_ORDER' })
  }
})

t.test('where no size is known, the last fragment says', async t => {
  const state = new ReceiverState(undefined)
  state.fragment(0, 1_000_000, false)
  state.fragment(1, 1, true)
  t.equal(state.received, 1_000_001)
  t.ok(state.complete)
})

t.test('complete means: in order, with a last, and exactly what was announced', async t => {
  const fragment = fc.record({ number: fc.nat(4), bytes: fc.nat(5), last: fc.boolean() })
  fc.assert(fc.property(fc.nat(12), fc.array(fragment, { maxLength: 6 }), (size, fragments) => {
    const state = new ReceiverState(size)
    let taken = 0
    let sum = 0
    for (const { number, bytes, last } of fragments) {
      const right = number === taken && sum + bytes <= size && (!last || sum + bytes === size)
      try {
        state.fragment(number, bytes, last)
        t.ok(right)
        taken++
        sum += bytes
        if (last) break
      } catch {
        t.notOk(right)
        break
      }
    }
    t.equal(state.received, sum)
    if (state.complete) t.equal(sum, size)
  }))
})
