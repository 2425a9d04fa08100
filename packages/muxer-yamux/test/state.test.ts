import fc from 'fast-check'
import t from 'tap'
import { MAX_ID_GAPS, MAX_STREAM_ID } from '../src/constants.ts'
import { ConnectionState } from '../src/state.ts'

t.test('ids are ours by parity, in order, and run out', async t => {
  t.same([1, 3, 5], Array.from({ length: 3 }, ((state: ConnectionState) => () => state.open())(new ConnectionState('client'))))
  t.same([2, 4, 6], Array.from({ length: 3 }, ((state: ConnectionState) => () => state.open())(new ConnectionState('acceptor'))))
  const late = new ConnectionState('dialer', {}, MAX_STREAM_ID)
  t.equal(late.open(), MAX_STREAM_ID)
  t.throws(() => late.open(), { code: 'ERR_IDS_EXHAUSTED', remote: false })
  t.equal(late.size, 1, 'what is open goes on')
})

t.test('against a naive model: who is open, who waits, who is refused', async t => {
  const step = fc.record({ what: fc.constantFrom('open', 'ack', 'close', 'syn', 'syn', 'take', 'reset'), pick: fc.nat(40) })
  fc.assert(fc.property(fc.array(step, { maxLength: 150, size: 'max' }), steps => {
    const limits = { maxChannels: 12, maxAcceptBacklog: 5, maxUnacknowledgedOpens: 4, maxWastedOpens: 1000 }
    const state = new ConnectionState('client', limits)
    const used = new Set<number>()
    const open = new Map<number, boolean>()
    const count = (ours: boolean, waiting?: boolean): number => [...open].filter(([id, waits]) => (id % 2 === 1) === ours && (waiting === undefined || waits === waiting)).length
    for (const { what, pick } of steps) {
      const [id, waits] = [...open][pick % Math.max(1, open.size)] ?? [0, false]
      if (what === 'open' && state.mayOpen) {
        if (count(true) < 12) open.set(state.open(), true)
        else t.throws(() => state.open(), { code: 'ERR_MAX_CHANNELS' })
      } else if (what === 'ack') {
        t.equal(state.acknowledged(id), waits && id % 2 === 1)
        if (id % 2 === 1) open.set(id, false)
      } else if (what === 'close') {
        t.equal(state.close(id), open.delete(id))
      } else if (what === 'syn') {
        const theirs = pick * 2 + 2
        if (used.has(theirs)) t.throws(() => state.receiveOpen(theirs, 0), { code: 'ERR_STREAM_ID' })
        else {
          used.add(theirs)
          const welcome = count(false) < 12 && count(false, true) < 5
          t.equal(state.receiveOpen(theirs, 0), welcome)
          if (welcome) open.set(theirs, true)
        }
      } else if (what === 'take' && id % 2 === 0 && id > 0) {
        state.taken(id)
        open.set(id, false)
      } else if (what === 'reset' && id > 0) {
        state.reset(id, 0)
        open.delete(id)
      }
      t.equal(state.size, open.size)
      t.equal(state.unacknowledged, count(true, true))
      t.equal(state.mayOpen, count(true, true) < 4)
      for (const [each, waiting] of open) if (state.waits(each) !== waiting) throw new Error(`stream ${each}`)
    }
  }))
})

t.test('M10: ids of ours, and ids that were used, are a breach; out of order they are not', async t => {
  const state = new ConnectionState('server')
  t.throws(() => state.receiveOpen(2, 0), { code: 'ERR_STREAM_ID', scope: 'connection', remote: true })
  for (const id of [1, 9, 3, 7, 5, 11]) t.equal(state.receiveOpen(id, 0), true)
  for (const id of [1, 3, 5, 7, 9, 11]) {
    t.throws(() => state.receiveOpen(id, 0), { code: 'ERR_STREAM_ID' })
    state.close(id)
    t.throws(() => state.receiveOpen(id, 0), { code: 'ERR_STREAM_ID' }, 'not again either')
  }
  t.equal(state.receiveOpen(MAX_STREAM_ID, 0), true)
})

t.test('what a peer passes over is remembered to a bound, and costs no more for being large', async t => {
  const state = new ConnectionState('server', { maxChannels: 1e6, maxAcceptBacklog: 1e6 })
  for (let at = 0; at <= MAX_ID_GAPS; at++) state.receiveOpen(5 + at * 1_000_002, 0)
  t.throws(() => state.receiveOpen(1, 0), { code: 'ERR_STREAM_ID' }, 'the oldest gap is forgotten')
  t.equal(state.receiveOpen(7 + 500_000, 0), true)
})

t.test('M4, M5: opens that come to nothing are forgiven slowly, then the connection ends', async t => {
  const refused = new ConnectionState('server', { maxAcceptBacklog: 1, maxWastedOpens: 10 })
  let id = 1
  const syn = (nowMs: number): boolean => refused.receiveOpen(id += 2, nowMs)
  refused.receiveOpen(id, 0)
  for (let wasted = 0; wasted < 10; wasted++) t.equal(syn(0), false)
  t.throws(() => syn(0), { code: 'ERR_FLOOD', scope: 'connection', remote: true })
  t.equal(syn(1000), false, 'a second later again')

  const reset = new ConnectionState('server', { maxWastedOpens: 10 })
  for (let at = 0; at < 10; at++) {
    reset.receiveOpen(at * 2 + 1, 0)
    reset.taken(at * 2 + 1)
    reset.reset(at * 2 + 1, 0)
  }
  reset.receiveOpen(21, 0)
  t.throws(() => reset.reset(21, 0), { code: 'ERR_FLOOD' }, 'taken or not')
  const ours = new ConnectionState('client', { maxWastedOpens: 1 })
  for (let at = 0; at < 50; at++) ours.reset(ours.open(), 0)
  t.pass('to refuse ours is the right of the peer')
})

t.test('M3: frames that do nothing are forgiven slowly, then the connection ends', async t => {
  const state = new ConnectionState('server', { maxIdleFrames: 5 })
  for (let at = 0; at < 5; at++) state.idle(0)
  t.throws(() => state.idle(0), { code: 'ERR_FLOOD', scope: 'connection', remote: true })
  for (let second = 1; second < 100; second++) state.idle(second * 1000)
})

t.test('M14: a clock near the end of numbers, or one that steps back, forgives nothing and breaks nothing', async t => {
  const state = new ConnectionState('server', { maxIdleFrames: 2 })
  state.idle(Number.MAX_SAFE_INTEGER)
  state.idle(0)
  t.throws(() => state.idle(-Number.MAX_SAFE_INTEGER), { code: 'ERR_FLOOD' })
  state.idle(Number.MAX_SAFE_INTEGER)
})
