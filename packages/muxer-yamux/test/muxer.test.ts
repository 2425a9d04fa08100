import { SEND_BUFFER_BYTES } from '@ropewalk/mux'
import { chopped, collect, counting, duplexPair, linear, pattern, PatternCheck, scriptedPeer, settle, verify, VirtualClock } from '@ropewalk/testing'
import { muxerSuite, type MakeMuxers } from '@ropewalk/testing/muxer-suite'
import fc from 'fast-check'
import t from 'tap'
import { encodeHeader } from '../src/codec.ts'
import { INITIAL_WINDOW_BYTES, MAX_ACCEPT_BACKLOG, yamux, type YamuxMuxer, type YamuxOptions } from '../src/index.ts'

const make = (attach: boolean): MakeMuxers => line => {
  const [left, right] = attach ? duplexPair({ ...line.options, attach }) : line.connect()
  const ends = [yamux(left, { role: 'client' }), yamux(right, { role: 'server' })] as const
  const cut = (how: 'reset' | 'end'): void => { for (const end of [left, right]) end.abort(new Error(how)) }
  return { left: ends[0], right: ends[1], openChannels: () => ends[0].size + ends[1].size, ...attach ? { cut } : {} }
}

t.test('the suite, over a connection that is iterated', t => muxerSuite(t, make(false), { maxBufferedBytesPerChannel: 2 * INITIAL_WINDOW_BYTES }))
t.test('the suite, over a connection that hands bytes over', t => muxerSuite(t, make(true), { maxBufferedBytesPerChannel: 2 * INITIAL_WINDOW_BYTES }))

function pair (options: Parameters<typeof duplexPair>[0] = {}, more: Partial<YamuxOptions> = {}): [YamuxMuxer, YamuxMuxer] {
  const [left, right] = duplexPair(options)
  return [yamux(left, { role: 'client', ...more }), yamux(right, { role: 'server', ...more })]
}

t.test('M1: a sleeping reader holds the sender at the window while it is offered 512 MiB, and others run', async t => {
  for (const windowBytes of [INITIAL_WINDOW_BYTES, 1_048_576]) {
    const [left, right] = pair({ attach: true }, { windowBytes })
    const offered = counting(pattern(512 * 1024 * 1024, 1, 65_536))
    const channel = await left.open()
    const sending = channel.sink(offered)
    sending.catch(() => {})
    const incoming = right[Symbol.asyncIterator]()
    const { value: asleep } = await incoming.next()
    await asleep.source[Symbol.asyncIterator]().next()
    await settle(() => offered.bytes)
    const held = offered.bytes
    t.ok(held >= windowBytes, `${held} bytes: the window is used`)
    t.ok(held <= windowBytes + 65_536 + SEND_BUFFER_BYTES + 65_536, `${held} bytes: the window, one chunk that was taken and the send buffer`)

    // Another channel moves 8 MiB past it.
    const other = await left.open()
    const { value: awake } = await incoming.next()
    await Promise.all([other.sink(pattern(8 * 1024 * 1024, 2)), verify(awake.source, 8 * 1024 * 1024, 2)])
    t.equal(offered.bytes, held, 'and the sleeper got nothing meanwhile')
    left.abort(new Error('the test is over'))
    await t.rejects(sending, /the test is over/)
  }
})

t.test('unread bytes of all channels together stop the reading of the connection', async t => {
  const [left, right] = pair({ attach: true }, { maxBufferedBytes: 1_000_000 })
  const offered = counting(pattern(16 * INITIAL_WINDOW_BYTES))
  const channels = await Promise.all(Array.from({ length: 16 }, () => left.open()))
  const incoming = right[Symbol.asyncIterator]()
  const taken = await Promise.all(channels.map(async () => (await incoming.next()).value))
  const sinks = channels.map(channel => channel.sink(counting(pattern(INITIAL_WINDOW_BYTES))))
  await settle(() => offered.bytes)
  let done = 0
  for (const sink of sinks) sink.then(() => { done++ }, () => {})
  await settle(() => done)
  t.ok(done < 16, `${done} of 16 are through`)
  await Promise.all([...taken.map(channel => verify(channel.source, INITIAL_WINDOW_BYTES)), ...sinks])
  left.abort(new Error('done'))
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

t.test('bytes handed over synchronously are credited as they are handed over', async t => {
  const [left, right] = pair({ attach: true })
  const check = new PatternCheck(3)
  const channel = await left.open()
  const { value: far } = await right[Symbol.asyncIterator]().next()
  await Promise.all([channel.sink(pattern(4 * 1024 * 1024, 3)), far.receive((bytes: Uint8Array) => check.push(bytes))])
  t.equal(check.offset, 4 * 1024 * 1024)
  left.abort(new Error('done'))
})

t.test('M5: more opens at once than the peer may keep: all come, because open waits', async t => {
  const [left, right] = pair()
  const opening = Promise.all(Array.from({ length: 600 }, () => left.open()))
  let opened = 0
  opening.then(channels => { opened = channels.length }, () => {})
  await settle(() => right.size)
  t.equal(right.size, MAX_ACCEPT_BACKLOG)
  t.equal(opened, 0)
  const incoming = right[Symbol.asyncIterator]()
  const ids = new Set<number>()
  for (let at = 0; at < 600; at++) ids.add((await incoming.next()).value.id)
  t.equal((await opening).length, 600)
  t.equal(ids.size, 600, 'none was refused')
  left.abort(new Error('done'))
})

t.test('more channels of ours than the limit are refused here', async t => {
  const [left, right] = pair({}, { maxChannels: 2 })
  void (async () => { for await (const channel of right) void channel.sink([]) })().catch(() => {})
  const first = await left.open()
  await left.open()
  await t.rejects(left.open(), { code: 'ERR_MAX_CHANNELS', remote: false })
  first.abort(new Error('no'))
  await left.open()
  left.abort(new Error('done'))
})

t.test('a ping takes as long as it takes, and whoever asks meanwhile shares it', async t => {
  const clock = new VirtualClock(5)
  const [left, right] = pair({}, { clock })
  const pings = [left.ping(), left.ping(), right.ping()]
  await clock.advance(7)
  t.same(await Promise.all(pings), [0, 0, 0], 'the answers come in the turn of the question')
  const reason = new Error('no patience')
  await t.rejects(left.ping({ signal: AbortSignal.abort(reason) }), reason)
  right.abort(new Error('done'))
  await t.rejects(left.ping(), { code: 'ERR_GO_AWAY' })
  await settle(() => clock.pending)
  t.equal(clock.pending, 0)
})

t.test('close waits for open channels, says goodbye, and the peer sees a clean end', async t => {
  const clock = new VirtualClock()
  const [left, right] = pair({}, { clock, keepAliveMs: 1000 })
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
  await settle(() => clock.pending)
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('a peer that never ends its side after our close is left behind', async t => {
  const clock = new VirtualClock()
  const [left, right] = duplexPair()
  const muxer = yamux(left, { role: 'client', clock })
  const peer = scriptedPeer(right, { signal: AbortSignal.timeout(10_000) })
  await muxer.close()
  t.same(Buffer.from(await peer.readUntilEnd()), Buffer.from(encodeHeader(3, 0, 0, 0)))
  await clock.advance(1000)
  await t.rejects(peer.send(new Uint8Array(1)))
})

t.test('a window smaller than the specification begins with is a mistake of the caller', async t => {
  t.throws(() => pair({}, { windowBytes: INITIAL_WINDOW_BYTES - 1 }), RangeError)
  t.throws(() => pair({}, { windowBytes: 2 ** 32 }), RangeError)
})

t.test('M16, linear time: frames on 1,000 channels cost what they cost on one', async t => {
  const { exponent } = await linear(async channels => {
    const [left, right] = pair({ attach: true }, { maxAcceptBacklog: 100_000, maxUnacknowledgedOpens: 100_000, maxChannels: 100_000 })
    const opened = await Promise.all(Array.from({ length: channels }, () => left.open()))
    const incoming = right[Symbol.asyncIterator]()
    // Processor time: what else the machine does is not counted.
    const before = process.cpuUsage()
    for (let at = 0; at < channels; at++) {
      const { value } = await incoming.next()
      void value.sink(value.source)
    }
    await Promise.all(opened.map(async channel => await Promise.all([channel.sink([new Uint8Array(10)]), collect(channel.source)])))
    const { user, system } = process.cpuUsage(before)
    if (left.size + right.size > 0) throw new Error(`${left.size} + ${right.size} channels are left`)
    left.abort(new Error('done'))
    return user + system
  }, { sizes: [250, 1000, 4000], runs: 3 })
  t.ok(exponent < 1.6, `exponent ${exponent}`)
})
