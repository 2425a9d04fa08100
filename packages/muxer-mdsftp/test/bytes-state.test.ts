import fc from 'fast-check'
import t from 'tap'
import { BytesState } from '../src/bytes-state.ts'
import { SHARED_WINDOW_BYTES } from '../src/constants.ts'

const WINDOW = { maxFragments: 4, maxBytes: 100 }

t.test('a fragment out of sequence, after the last, or over the window is refused', async t => {
  t.throws(() => new BytesState(WINDOW).fragment(1, 1, false), { code: 'ERR_FRAGMENT_ORDER', scope: 'channel', remote: true })
  const ended = new BytesState(WINDOW)
  ended.fragment(0, 1, true)
  t.throws(() => ended.fragment(1, 1, false), { code: 'ERR_UNEXPECTED_PACKET' })
  const many = new BytesState(WINDOW)
  for (let number = 0; number < 4; number++) many.fragment(number, 1, false)
  t.throws(() => many.fragment(4, 1, false), { code: 'ERR_WINDOW' })
  const heavy = new BytesState(WINDOW)
  heavy.fragment(0, 60, false)
  t.throws(() => heavy.fragment(1, 41, false), { code: 'ERR_WINDOW' })
})

t.test('an acknowledgement of what was never sent, or one that goes back, is refused', async t => {
  const state = new BytesState(WINDOW)
  t.throws(() => state.acknowledged(0), { code: 'ERR_ACK' })
  for (let round = 0; round < 3; round++) state.send(1, false)
  t.throws(() => state.acknowledged(3), { code: 'ERR_ACK' })
  t.equal(state.acknowledged(1), true)
  t.equal(state.acknowledged(1), false, 'a repeat is harmless')
  t.throws(() => state.acknowledged(0), { code: 'ERR_ACK' })
  t.throws(() => state.acknowledged(0xffff_ffff), { code: 'ERR_ACK' })
})

t.test('both directions end on their own', async t => {
  const state = new BytesState(WINDOW)
  state.send(5, true)
  t.equal(state.room(true), 0)
  t.equal(state.complete, false)
  state.fragment(0, 5, true)
  t.equal(state.complete, true)
  t.equal(state.consumed(5), 0, 'the last fragment is acknowledged without waiting for a quarter')
})

t.test('two ends under random operations: nothing lost, nothing doubled, the window kept, no stall', async t => {
  const step = fc.record({ what: fc.constantFrom('send', 'deliver', 'consume', 'ack' as const), amount: fc.integer({ min: 1, max: 120 }), alone: fc.boolean() })
  fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 200 }), fc.constantFrom(1, 10_000), fc.array(step, { maxLength: 300, size: 'max' }), (maxFragments, window, scale, steps) => {
    const maxBytes = window * scale
    const sender = new BytesState({ maxFragments, maxBytes })
    const receiver = new BytesState({ maxFragments, maxBytes })
    const wire: Array<{ number: number, bytes: number }> = []
    const acks: number[] = []
    const sizes: number[] = []
    let acknowledged = -1
    let arrived = 0
    let consumed = 0

    const send = (amount: number, alone: boolean): void => {
      const bytes = Math.min(amount, sender.room(alone))
      if (bytes === 0) return
      wire.push({ number: sender.send(bytes, false), bytes })
      sizes.push(bytes)
      const outstanding = sizes.slice(acknowledged + 1)
      t.ok(outstanding.length <= maxFragments)
      const unacknowledged = outstanding.reduce((sum, each) => sum + each, 0)
      t.ok(unacknowledged <= maxBytes)
      t.ok(alone || unacknowledged <= Math.max(SHARED_WINDOW_BYTES, Math.ceil(maxBytes / 2)))
    }
    const deliver = (): void => {
      const fragment = wire.shift()
      if (fragment === undefined) return
      receiver.fragment(fragment.number, fragment.bytes, false) // Must not throw: the sender kept to the window.
      arrived += fragment.bytes
    }
    const consume = (amount: number): void => {
      const bytes = Math.min(amount, arrived - consumed)
      consumed += bytes
      const number = receiver.consumed(bytes)
      if (number === undefined) return
      // Only what was taken is credited.
      t.ok(sizes.slice(0, number + 1).reduce((sum, each) => sum + each, 0) <= consumed)
      acks.push(number)
    }
    const ack = (): void => {
      const number = acks.shift()
      if (number === undefined) return
      sender.acknowledged(number)
      acknowledged = number
    }

    for (const { what, amount: units, alone } of steps) {
      const amount = units * scale
      if (what === 'send') send(amount, alone)
      else if (what === 'deliver') deliver()
      else if (what === 'consume') consume(amount)
      else ack()
    }
    // With everything delivered, taken and acknowledged there is room again.
    while (wire.length > 0) deliver()
    consume(arrived - consumed)
    while (acks.length > 0) ack()
    t.equal(consumed, sizes.reduce((sum, each) => sum + each, 0))
    t.ok(sender.room(false) > 0, 'no stall')
  }))
})
