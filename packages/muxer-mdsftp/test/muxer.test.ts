import { chopped, collect, counting, duplexPair, pattern, scriptedPeer, settle, verify } from '@ropewalk/testing'
import { muxerSuite, type MakeMuxers } from '@ropewalk/testing/muxer-suite'
import fc from 'fast-check'
import t from 'tap'
import { FAREWELL_MS, HELD_BYTES, mdsftp, SHARED_WINDOW_BYTES, WINDOW_BYTES, type MdsftpMuxer } from '../src/index.ts'

const make = (fast: boolean): MakeMuxers => line => {
  const [left, right] = line.connect()
  const ends = [mdsftp(fast ? left : slow(left), { role: 'dialer' }), mdsftp(fast ? right : slow(right), { role: 'acceptor' })] as const
  return { left: ends[0], right: ends[1], openChannels: () => ends[0].size + ends[1].size }
}

/** Without the fast lane. */
function slow (connection: ReturnType<typeof duplexPair>[0]): typeof connection {
  return {
    remote: connection.remote,
    source: connection.source,
    sink: (source, options) => connection.sink(source, options),
    abort: reason => connection.abort(reason),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]()
  }
}

t.test('the suite, over a connection that is iterated', t => muxerSuite(t, make(false), { maxBufferedBytesPerChannel: 2 * WINDOW_BYTES }))

t.test('the suite, over a connection that hands bytes over', t => muxerSuite(t, line => {
  const [left, right] = duplexPair({ ...line.options, attach: true })
  const ends = [mdsftp(left, { role: 'dialer' }), mdsftp(right, { role: 'acceptor' })] as const
  const cut = (how: 'reset' | 'end'): void => { for (const end of [left, right]) end.abort(new Error(how)) }
  return { left: ends[0], right: ends[1], openChannels: () => ends[0].size + ends[1].size, cut }
}, { maxBufferedBytesPerChannel: 2 * WINDOW_BYTES }))

function pair (options: Parameters<typeof duplexPair>[0] = {}): [MdsftpMuxer, MdsftpMuxer] {
  const [left, right] = duplexPair(options)
  return [mdsftp(left, { role: 'dialer' }), mdsftp(right, { role: 'acceptor' })]
}

t.test('a sleeping reader holds the sender at the window while it is offered 512 MiB, and others run', async t => {
  const [left, right] = pair({ attach: true })
  const offered = counting(pattern(512 * 1024 * 1024, 1, 65_536))
  const channel = await left.open()
  const sending = channel.sink(offered)
  sending.catch(() => {})
  const incoming = right[Symbol.asyncIterator]()
  const { value: asleep } = await incoming.next()
  const { value: taken } = await asleep.source[Symbol.asyncIterator]().next()
  await settle(() => offered.bytes)
  const held = offered.bytes
  t.ok(held >= WINDOW_BYTES, `${held} bytes: the window is used`)
  t.ok(held <= 2 * WINDOW_BYTES + 3 * 65_536, `${held} bytes: the window, one chunk that was taken and the send buffer`)
  t.ok(held - taken.byteLength - 65_536 <= HELD_BYTES, `${held} bytes without the ${taken.byteLength} that were taken and the last array: no more is held`)
  const [[sender], [reader]] = [[...left.channels()], [...right.channels()]]
  t.match(sender, { id: reader?.id, sendRoom: 0, unread: 0 }, 'whoever looks in sees that there is no room')
  t.ok((sender?.waiting ?? 0) > 0, 'that something waits')
  t.match(reader, { sendRoom: WINDOW_BYTES, waiting: 0 })
  t.ok((reader?.unread ?? 0) > 0 && (reader?.unread ?? 0) <= WINDOW_BYTES, `and that ${reader?.unread} bytes were not taken`)

  // Another channel moves 8 MiB past it.
  const other = await left.open()
  const { value: awake } = await incoming.next()
  await Promise.all([other.sink(pattern(8 * 1024 * 1024, 2)), verify(awake.source, 8 * 1024 * 1024, 2)])
  t.equal(offered.bytes, held, 'and the sleeper got nothing meanwhile')
  left.abort(new Error('the test is over'))
  await t.rejects(sending)
})

t.test('beside another channel a sender uses a part of the window, and alone again all of it', async t => {
  const [left, right] = pair({ attach: true })
  const incoming = right[Symbol.asyncIterator]()
  const other = await left.open()
  const { value: otherEnd } = await incoming.next()
  const channel = await left.open()
  const offered = counting(pattern(64 * 1024 * 1024, 1, 65_536))
  const sending = channel.sink(offered)
  sending.catch(() => {})
  const { value: asleep } = await incoming.next()
  await settle(() => asleep.unread)
  t.equal(asleep.unread, SHARED_WINDOW_BYTES)

  await Promise.all([other.sink([]), otherEnd.sink([]), collect(other.source), collect(otherEnd.source)])
  asleep.read()
  await settle(() => asleep.unread)
  t.equal(asleep.unread, WINDOW_BYTES)
  left.abort(new Error('the test is over'))
  await t.rejects(sending)
})

t.test('whatever is sent arrives, in whatever pieces it is sent and delivered', async t => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 8 }),
    fc.integer({ min: 1, max: 70_000 }),
    fc.boolean(),
    async (sizes, chunkBytes, attach) => {
      const [left, right] = pair({ chunkBytes, attach })
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const bytes = new Uint8Array(total)
      for (let at = 0; at < total; at++) bytes[at] = (at * 31) >>> 3
      const channel = await left.open()
      const { value: far } = await right[Symbol.asyncIterator]().next()
      const [back] = await Promise.all([collect(channel.source), channel.sink(chopped(bytes, sizes)), far.sink(far.source)])
      t.equal(Buffer.compare(back, bytes), 0)
      left.abort(new Error('done'))
    }
  ), { numRuns: 25 })
})

t.test('close waits for open channels, and the peer sees a clean end', async t => {
  const [left, right] = pair()
  const channel = await left.open()
  const accepted = right[Symbol.asyncIterator]()
  const { value: far } = await accepted.next()
  let closed = false
  const closing = left.close().then(() => { closed = true })
  await t.rejects(left.open(), { code: 'ERR_CLOSED', remote: false })
  await Promise.all([channel.sink([Uint8Array.of(1)]), far.sink(far.source)])
  t.equal(closed, false, 'not before its data was read')
  t.same(await collect(channel.source), Uint8Array.of(1))
  await closing
  t.same(await accepted.next(), { done: true, value: undefined })
  await right.close()
})

t.test('a peer that never ends its side after our close is left behind; one that does in time is not broken off', async t => {
  const timers = new Map<object, { readonly run: () => void, readonly ms: number | undefined }>()
  t.intercept(globalThis, 'setTimeout', {
    value: (run: () => void, ms?: number) => {
      const timer = {}
      timers.set(timer, { run, ms })
      return timer
    }
  })
  t.intercept(globalThis, 'clearTimeout', { value: (timer: object) => { timers.delete(timer) } })
  for (const ends of [true, false]) {
    const [left, right] = duplexPair()
    let aborted = false
    const muxer = mdsftp({ ...slow(left), abort: reason => { aborted = true; left.abort(reason) } }, { role: 'dialer' })
    const peer = scriptedPeer(right)
    await muxer.close()
    t.equal((await peer.readUntilEnd()).length, 0)
    t.same([...timers.values()].map(({ ms }) => ms), [FAREWELL_MS], 'it has its time')
    if (ends) await peer.end()
    await settle(() => timers.size)
    for (const [timer, { run }] of timers) {
      timers.delete(timer)
      run()
    }
    t.equal(aborted, !ends)
  }
})

t.test('a channel has one sink', async t => {
  const [left, right] = pair()
  const channel = await left.open()
  await channel.sink([Uint8Array.of(1)])
  await t.rejects(channel.sink([Uint8Array.of(2)]), TypeError)
  left.abort(new Error('done'))
  await t.rejects(right[Symbol.asyncIterator]().next().then(() => right[Symbol.asyncIterator]().next()), { code: 'ERR_CONNECTION_LOST' })
})
