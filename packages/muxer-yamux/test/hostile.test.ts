import { duplexPair, hexdump, scriptedPeer, settle, turn, VirtualClock, type ScriptedPeer } from '@ropewalk/testing'
import t from 'tap'
import { encodeHeader, Flag, FrameType } from '../src/codec.ts'
import {
  INITIAL_WINDOW_BYTES, MAX_ACCEPT_BACKLOG, MAX_CHANNELS, MAX_IDLE_FRAMES, MAX_QUEUED_RESETS, MAX_UNANSWERED_PINGS, MAX_WASTED_OPENS,
  yamux, type YamuxChannel, type YamuxMuxer, type YamuxOptions
} from '../src/index.ts'

interface Attacked { peer: ScriptedPeer, muxer: YamuxMuxer, accepted: AsyncIterator<YamuxChannel>, clock: VirtualClock }

/** A peer that says what a test wants said, to a server of ours whose clock stands still. */
function attacked (options: Partial<YamuxOptions> & { attach?: boolean, capacityBytes?: number } = {}): Attacked {
  const { attach = false, capacityBytes, ...rest } = options
  const [left, right] = duplexPair({ attach, ...capacityBytes === undefined ? {} : { capacityBytes } })
  const clock = new VirtualClock()
  const muxer = yamux(right, { role: 'server', clock, ...rest })
  return { peer: scriptedPeer(left, { signal: AbortSignal.timeout(10_000) }), muxer, accepted: muxer[Symbol.asyncIterator](), clock }
}

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const open = (stream: number): Uint8Array => encodeHeader(FrameType.WindowUpdate, Flag.SYN, stream, 0)
const update = (stream: number, bytes: number): Uint8Array => encodeHeader(FrameType.WindowUpdate, 0, stream, bytes)
const reset = (stream: number): Uint8Array => encodeHeader(FrameType.WindowUpdate, Flag.RST, stream, 0)
const data = (stream: number, content: Uint8Array, flags = 0): Uint8Array => join(encodeHeader(FrameType.Data, flags, stream, content.length), content)
const ping = (value: number): Uint8Array => encodeHeader(FrameType.Ping, Flag.SYN, 0, value)
const GO_AWAY = (reason: number): Uint8Array => encodeHeader(FrameType.GoAway, 0, 0, reason)
const forever = (): AsyncIterable<Uint8Array> => (async function * () { await new Promise(() => {}) })()

/** The last thing that the peer hears is a protocol error, and then the end. */
async function goodbye (peer: ScriptedPeer): Promise<Buffer> {
  const { bytes, error } = await peer.readUntilGone()
  if (error !== undefined) throw error
  return Buffer.from(bytes.subarray(-12))
}

t.test('a breach ends the connection with its code, and the peer is told', async t => {
  for (const [what, wire, code] of [
    ['M10: version 1', '01 00 0000 00000001 00000000', 'ERR_VERSION'],
    ['M10: an unknown type', '00 07 0000 00000001 00000000', 'ERR_UNKNOWN_TYPE'],
    ['M10: an unknown flag', '00 00 0010 00000001 00000000', 'ERR_FLAGS'],
    ['M10: a ping without a flag', '00 02 0000 00000000 00000001', 'ERR_FLAGS'],
    ['M10: a ping that asks and answers', '00 02 0003 00000000 00000001', 'ERR_FLAGS'],
    ['M10: a ping on a stream', '00 02 0001 00000001 00000001', 'ERR_STREAM_ID'],
    ['M10: a goodbye on a stream', '00 03 0000 00000001 00000000', 'ERR_STREAM_ID'],
    ['M10: data on stream 0', '00 00 0000 00000000 00000001', 'ERR_STREAM_ID'],
    ['M10: an open of stream 0', '00 01 0001 00000000 00000000', 'ERR_STREAM_ID'],
    ['M10: an open of our parity', '00 01 0001 00000002 00000000', 'ERR_STREAM_ID'],
    ['M10: an id opened twice', '00 01 0001 00000001 00000000 00 01 0001 00000001 00000000', 'ERR_STREAM_ID'],
    ['M10: an id used again', '00 01 0001 00000001 00000000 00 01 0008 00000001 00000000 00 01 0001 00000001 00000000', 'ERR_STREAM_ID'],
    ['M6: an open with more data than the first window', '00 00 0001 00000001 00040001', 'ERR_WINDOW'],
    ['M7: credit beyond 32 bits', '00 01 0001 00000001 ffffffff', 'ERR_WINDOW_OVERFLOW'],
    ['M7: credit beyond 32 bits, in two parts', '00 01 0001 00000001 fff00000 00 01 0000 00000001 00100000', 'ERR_WINDOW_OVERFLOW'],
    ['M9: 4 GiB of data', '00 01 0001 00000001 00000000 00 00 0000 00000001 ffffffff', 'ERR_WINDOW'],
    ['M9: a length that is negative when signed', '00 01 0001 00000001 00000000 00 00 0000 00000001 80000000', 'ERR_WINDOW'],
    ['data behind the end', '00 01 0005 00000001 00000000 00 00 0000 00000001 00000001', 'ERR_DATA_AFTER_END']
  ] as const) {
    for (const attach of [false, true]) {
      const { peer, muxer, accepted, clock } = attacked({ attach })
      const seen = (async () => { for (;;) if ((await accepted.next()).done === true) return })()
      await peer.send(hexdump(wire))
      await t.rejects(seen, { code, scope: 'connection', remote: true }, what)
      t.same(await goodbye(peer), Buffer.from(GO_AWAY(1)), what)
      await t.rejects(muxer.open(), { code }, what)
      t.equal(muxer.size, 0)
      await peer.end()
      await turn()
      t.equal(clock.pending, 0, 'no timer is left')
    }
  }
})

t.test('a goodbye that nobody takes does not hold the connection', async t => {
  const { peer, muxer, clock } = attacked({ capacityBytes: 1 })
  await peer.send(hexdump('01'))
  await peer.send(hexdump('00 0000 00000001 00000000'))
  await t.rejects(muxer.close(), { code: 'ERR_VERSION' })
  t.equal(clock.pending, 1)
  await clock.advance(1000)
  t.equal((await peer.readUntilGone()).error !== undefined, true, 'broken off')
  t.equal(clock.pending, 0)
})

t.test('M1: a peer that fills the window gets credit only for what is taken', async t => {
  const { peer, accepted } = attacked()
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  await peer.expect(encodeHeader(FrameType.WindowUpdate, Flag.ACK, 1, 0))
  for (let at = 0; at < 4; at++) await peer.send(data(1, new Uint8Array(65_536)))
  await settle(() => 0)
  const source = channel.source[Symbol.asyncIterator]()
  t.equal((await source.next()).value.byteLength, INITIAL_WINDOW_BYTES)
  await peer.expect(update(1, INITIAL_WINDOW_BYTES))
})

t.test('M2: a flood of pings that are read ends the connection; up to there each is answered', async t => {
  const { peer, muxer } = attacked()
  for (let value = 0; value < MAX_IDLE_FRAMES; value++) {
    await peer.send(ping(value))
    await peer.expect(encodeHeader(FrameType.Ping, Flag.ACK, 0, value))
  }
  await peer.send(ping(0))
  t.same(await goodbye(peer), Buffer.from(GO_AWAY(1)))
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD', scope: 'connection', remote: true })
})

t.test('M2: pings from a peer that does not read are kept to a bound, then the connection ends', async t => {
  const { peer, muxer, clock } = attacked({ capacityBytes: 24 })
  // The answers to two fit into the transport; the batch behind them waits.
  const flood = Array.from({ length: MAX_UNANSWERED_PINGS + 100 }, (_, value) => ping(value))
  for (const each of flood) {
    await clock.advance(100) // Slow enough for the other limit.
    peer.send(each).catch(() => {})
  }
  await settle(() => 0)
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD', message: /257 > 256/ })
})

t.test('M2: the same in one piece', async t => {
  const { peer, muxer } = attacked()
  await peer.send(join(...Array.from({ length: 5000 }, (_, value) => ping(value))))
  t.same(await goodbye(peer), Buffer.from(GO_AWAY(1)))
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD' })
})

t.test('M3: frames that do nothing, on and on, end the connection', async t => {
  for (const [what, frame] of [
    ['empty data', data(1, new Uint8Array(0))],
    ['M7: updates by zero', update(1, 0)],
    ['pongs that nobody asked for', encodeHeader(FrameType.Ping, Flag.ACK, 0, 7)]
  ] as const) {
    const { peer, muxer } = attacked()
    await peer.send(open(1))
    await peer.send(join(...Array.from({ length: MAX_IDLE_FRAMES }, () => frame)))
    await settle(() => muxer.size)
    t.equal(muxer.size, 1, what)
    await peer.send(frame)
    await goodbye(peer)
    await t.rejects(muxer.open(), { code: 'ERR_FLOOD' }, what)
  }
})

t.test('M3: a window of one-byte frames costs about a window', async t => {
  for (const attach of [false, true]) {
    const { peer, accepted } = attacked({ attach })
    await peer.send(open(1))
    const { value: channel } = await accepted.next()
    const frame = data(1, Uint8Array.of(7))
    const before = process.memoryUsage().arrayBuffers
    for (let sent = 0; sent < INITIAL_WINDOW_BYTES; sent += 4096) await peer.send(join(...Array.from({ length: 4096 }, () => frame)))
    await settle(() => 0)
    const { value } = await channel.source[Symbol.asyncIterator]().next()
    t.equal(value?.byteLength, INITIAL_WINDOW_BYTES)
    t.ok([...value ?? []].length <= 64, 'in few pieces')
    t.ok(process.memoryUsage().arrayBuffers - before < 32 * INITIAL_WINDOW_BYTES)
  }
})

t.test('M4: open and reset, over and over, ends the connection, whether somebody takes the channels or not', async t => {
  for (const takes of [false, true]) {
    const { peer, muxer, accepted } = attacked()
    let taken = 0
    if (takes) void (async () => { while ((await accepted.next()).done !== true) taken++ })().catch(() => {})
    const gone = goodbye(peer)
    for (let at = 0; at <= MAX_WASTED_OPENS; at++) peer.send(join(open(at * 2 + 1), reset(at * 2 + 1))).catch(() => {})
    t.same(await gone, Buffer.from(GO_AWAY(1)))
    t.equal(muxer.size, 0)
    t.ok(taken <= MAX_WASTED_OPENS + 1)
    await t.rejects(muxer.open(), { code: 'ERR_FLOOD' })
  }
})

t.test('M5: opens that nobody takes are refused beyond the backlog, a flood of them ends the connection', async t => {
  const { peer, muxer, accepted } = attacked()
  for (let at = 0; at < MAX_ACCEPT_BACKLOG; at++) await peer.send(open(at * 2 + 1))
  await settle(() => muxer.size)
  t.equal(muxer.size, MAX_ACCEPT_BACKLOG)
  await peer.send(open(1001))
  await peer.expect(reset(1001))
  t.equal((await accepted.next()).value.id, 1)
  await peer.expect(encodeHeader(FrameType.WindowUpdate, Flag.ACK, 1, 0))
  await peer.send(open(1003))
  await settle(() => muxer.size)
  t.equal(muxer.size, MAX_ACCEPT_BACKLOG + 1, 'one was taken, one more may come')
  const gone = goodbye(peer)
  for (let at = 0; at <= MAX_WASTED_OPENS; at++) peer.send(open(2001 + at * 2)).catch(() => {})
  await gone
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD' })
})

t.test('M5: taken or not, there are no more channels than the limit', async t => {
  const { peer, muxer, accepted } = attacked()
  void (async () => { while ((await accepted.next()).done !== true) continue })().catch(() => {})
  for (let at = 0; at < MAX_CHANNELS; at++) await peer.send(open(at * 2 + 1))
  await settle(() => muxer.size)
  t.equal(muxer.size, MAX_CHANNELS)
  await peer.send(open(9001))
  await settle(() => muxer.size)
  t.equal(muxer.size, MAX_CHANNELS)
})

t.test('M5: a peer that acknowledges nothing holds our opens back', async t => {
  const { peer, muxer } = attacked()
  const reason = new Error('waited long enough')
  const controller = new AbortController()
  const opened = await Promise.all(Array.from({ length: 256 }, () => muxer.open()))
  let more = 0
  const waiting = [muxer.open(), muxer.open(), muxer.open()]
  for (const each of waiting) each.then(() => { more++ }, () => {})
  const impatient = muxer.open({ signal: controller.signal })
  impatient.catch(() => {})
  await settle(() => more)
  t.equal(more, 0)
  controller.abort(reason)
  await t.rejects(impatient, reason)
  await peer.send(encodeHeader(FrameType.WindowUpdate, Flag.ACK, 2, 0))
  await waiting[0]
  opened[5]?.abort(reason)
  await waiting[1]
  await settle(() => more)
  t.equal(more, 2)
  await peer.send(GO_AWAY(0))
  await t.rejects(waiting[2] as Promise<unknown>, { code: 'ERR_GO_AWAY', remote: true })
})

t.test('M7: credit for a stream that is over, or never was, is ignored', async t => {
  const { peer, accepted } = attacked()
  await peer.send(join(update(77, 5), update(78, 0xffff_ffff), data(79, new Uint8Array(100_000)), reset(81), encodeHeader(FrameType.WindowUpdate, Flag.FIN, 83, 0)))
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  t.equal(channel.id, 1)
  await peer.expect(encodeHeader(FrameType.WindowUpdate, Flag.ACK, 1, 0))
  channel.abort(new Error('no'))
  await peer.expect(reset(1))
  await peer.send(join(update(1, 0xffff_ffff), update(1, 0xffff_ffff), data(1, new Uint8Array(300_000)), open(3)))
  t.equal((await accepted.next()).value.id, 3)
})

t.test('M8: a sender that ignores the window costs no more than the window', async t => {
  const { peer, accepted } = attacked()
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  const sending = channel.sink(forever())
  for (let at = 0; at < 4; at++) await peer.send(data(1, new Uint8Array(65_536)))
  await peer.send(data(1, new Uint8Array(1)))
  await t.rejects(sending, { code: 'ERR_WINDOW', remote: true })
  t.same(await goodbye(peer), Buffer.from(GO_AWAY(1)))
})

t.test('M11, M13: a silent peer is asked, and given up; one that trickles is not', async t => {
  const { peer, muxer, clock } = attacked({ keepAliveMs: 30_000, keepAliveTimeoutMs: 5000 })
  const pings: Uint8Array[] = []
  await clock.advance(30_000)
  pings.push(await peer.read(12))
  await peer.send(encodeHeader(FrameType.Ping, Flag.ACK, 0, 1))
  await clock.advance(5000)
  await peer.send(open(1))
  await clock.advance(30_000)
  t.equal(muxer.size, 1, 'it has spoken')
  await clock.advance(30_000)
  pings.push(await peer.read(12))
  t.same(pings, [ping(1), ping(2)])
  await clock.advance(5000)
  await t.rejects(muxer.open(), { code: 'ERR_TIMEOUT', scope: 'connection', remote: true })
  t.equal(clock.pending, 0)
  t.ok((await peer.readUntilGone()).error, 'broken off')
})

t.test('M15: what we owe a peer that does not read is bounded: resets', async t => {
  const { peer, muxer, accepted, clock } = attacked({ capacityBytes: 12 })
  void (async () => { for (;;) (await accepted.next()).value.abort(new Error('no')) })().catch(() => {})
  for (let at = 0; at < MAX_QUEUED_RESETS + 300; at++) {
    await peer.send(open(at * 2 + 1)).catch(() => {})
    if (at % 100 === 0) await clock.advance(1000)
  }
  await settle(() => muxer.size)
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD', message: /4097 > 4096/ })
})

t.test('M18: a goodbye with streams in flight lets them finish, an angry one does not', async t => {
  const { peer, accepted, muxer } = attacked()
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  await peer.expect(encodeHeader(FrameType.WindowUpdate, Flag.ACK, 1, 0))
  await peer.send(GO_AWAY(0))
  await peer.send(data(1, Uint8Array.of(1, 2), Flag.FIN))
  const source = channel.source[Symbol.asyncIterator]()
  t.same((await source.next()).value.subarray(), Uint8Array.of(1, 2))
  t.equal((await source.next()).done, true, 'data and end in one frame are both taken')
  await t.rejects(muxer.open(), { code: 'ERR_GO_AWAY', remote: true })
  await channel.sink([Uint8Array.of(9)])
  await peer.expect(join(data(1, Uint8Array.of(9)), encodeHeader(FrameType.WindowUpdate, Flag.FIN, 1, 0)))

  await peer.send(open(3))
  const { value: other } = await accepted.next()
  const sending = other.sink(forever())
  await peer.send(GO_AWAY(2))
  await t.rejects(sending, { code: 'ERR_GO_AWAY', message: /reason 2/ })
})

t.test('M18: a connection that ends inside a frame is a truncation', async t => {
  const { peer, accepted } = attacked()
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  await peer.send(data(1, Uint8Array.of(1, 2, 3)).subarray(0, 14))
  await peer.end()
  await t.rejects((async () => { for await (const bytes of channel.source) t.equal(bytes.byteLength, 2) })(), { code: 'ERR_TRUNCATED', scope: 'connection' })
})

t.test('a refusal is told from a reset by the acknowledgement', async t => {
  const { peer, muxer } = attacked()
  const [refused, broken] = [await muxer.open(), await muxer.open()]
  const sinks = [refused.sink(forever()), broken.sink(forever())] as const
  await peer.send(join(reset(2), encodeHeader(FrameType.WindowUpdate, Flag.ACK, 4, 0), reset(4)))
  await t.rejects(sinks[0], { code: 'ERR_CHANNEL_REFUSED', scope: 'channel', remote: true })
  await t.rejects(sinks[1], { code: 'ERR_CHANNEL_RESET', scope: 'channel', remote: true })
  t.equal(muxer.size, 0)
})

t.test('a channel that is broken off before it was announced is never heard of', async t => {
  const { peer, muxer } = attacked()
  const channel = await muxer.open()
  channel.abort(new Error('changed my mind'))
  await muxer.open()
  t.same(await peer.read(12), open(4))
})
