import fc from 'fast-check'
import t from 'tap'
import { Flag, INITIAL_WINDOW_BYTES } from '../src/constants.ts'
import { StreamState } from '../src/stream-state.ts'

t.test('both ends of a stream against a naive ledger: never more than the window, never a stall', async t => {
  const step = fc.record({ send: fc.integer({ min: 0, max: 150_000 }), read: fc.integer({ min: 0, max: 150_000 }), late: fc.boolean() })
  fc.assert(fc.property(fc.constantFrom(INITIAL_WINDOW_BYTES, INITIAL_WINDOW_BYTES + 1, 1_048_576), fc.array(step, { maxLength: 60, size: 'max' }), (windowBytes, steps) => {
    const sender = new StreamState(1, true, INITIAL_WINDOW_BYTES)
    const receiver = new StreamState(1, false, windowBytes)
    receiver.accept()
    let unread = 0
    let credit = INITIAL_WINDOW_BYTES
    const deliver = (): void => {
      if (!receiver.speaks) return
      const grant = receiver.takeGrant()
      receiver.takeFlags()
      sender.granted(grant)
      credit += grant
    }
    deliver()
    if (credit !== windowBytes) throw new Error(`${credit} > ${windowBytes} bytes at the beginning`)
    for (const { send, read, late } of steps) {
      const bytes = Math.min(send, sender.room)
      sender.send(bytes)
      receiver.received(bytes)
      credit -= bytes
      unread += bytes
      const taken = Math.min(read, unread)
      receiver.consumed(taken)
      unread -= taken
      // An update may wait to be written, and more may be granted meanwhile.
      if (late) continue
      deliver()
      if (sender.room !== credit) throw new Error(`room of ${sender.room} instead of ${credit} bytes`)
      if (credit + unread > windowBytes) throw new Error(`${credit + unread} > ${windowBytes} bytes`)
      if (unread === 0 && credit * 4 < windowBytes * 3) throw new Error(`only ${credit} bytes for a reader who has taken everything`)
    }
  }))
  t.pass('held')
})

t.test('credit is granted a quarter of the window at a time', async t => {
  const stream = new StreamState(2, false, INITIAL_WINDOW_BYTES)
  stream.received(INITIAL_WINDOW_BYTES)
  t.equal(stream.consumed(INITIAL_WINDOW_BYTES / 4 - 1), false)
  t.equal(stream.consumed(1), true)
  t.equal(stream.takeGrant(), INITIAL_WINDOW_BYTES / 4)
  t.equal(stream.speaks, false)
})

t.test('M8, M6: data beyond the window is refused, on the first frame too', async t => {
  const fresh = new StreamState(1, false, INITIAL_WINDOW_BYTES)
  t.throws(() => fresh.received(262_145), { code: 'ERR_WINDOW', scope: 'connection', remote: true, message: /262145 > 262144/ })
  const used = new StreamState(1, false, 1_048_576)
  used.received(262_144)
  t.throws(() => used.received(1), { code: 'ERR_WINDOW' }, 'what was not granted yet does not count')
})

t.test('M7: credit beyond 32 bits is refused, up to there it is kept', async t => {
  const stream = new StreamState(1, true, INITIAL_WINDOW_BYTES)
  stream.granted(0)
  stream.granted(0xffff_ffff - INITIAL_WINDOW_BYTES)
  t.equal(stream.room, 0xffff_ffff)
  t.throws(() => stream.granted(1), { code: 'ERR_WINDOW_OVERFLOW', scope: 'connection', remote: true })
  stream.send(1)
  stream.granted(1)
})

t.test('an end is an end: no data behind it, no room for more, no credit for it', async t => {
  const stream = new StreamState(1, true, INITIAL_WINDOW_BYTES)
  stream.received(INITIAL_WINDOW_BYTES)
  stream.receivedFin()
  t.throws(() => stream.received(1), { code: 'ERR_DATA_AFTER_END' })
  t.equal(stream.consumed(INITIAL_WINDOW_BYTES), false)
  t.equal(stream.complete, false)
  stream.end()
  t.equal(stream.room, 0)
  t.equal(stream.complete, true)
})

t.test('a stream of ours announces itself once, one of the peer is acknowledged once', async t => {
  const ours = new StreamState(1, true, INITIAL_WINDOW_BYTES)
  t.equal(ours.introduced, false)
  t.equal(ours.speaks, true)
  t.equal(ours.takeFlags(), Flag.SYN)
  t.equal(ours.introduced, true)
  t.equal(ours.takeFlags(), 0)
  const theirs = new StreamState(2, false, INITIAL_WINDOW_BYTES)
  t.equal(theirs.introduced, true)
  t.equal(theirs.takeFlags(), 0)
  theirs.accept()
  t.equal(theirs.takeFlags(), Flag.ACK)
  t.equal(theirs.takeFlags(), 0)
})
