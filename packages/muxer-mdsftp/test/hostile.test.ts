import { duplexPair, hexdump, scriptedPeer, settle, type ScriptedPeer } from '@ropewalk/testing'
import t from 'tap'
import { encodeFragment, encodePacket, UPSTREAM, type ControlPacket } from '../src/codec.ts'
import { mdsftp, MAX_CHANNELS, MAX_WASTED_OPENS, WINDOW_BYTES, type BytesChannel, type MdsftpMuxer } from '../src/index.ts'

/** A peer that says what a test wants said, to an acceptor of ours. */
function attacked (options: { attach?: boolean } = {}): { peer: ScriptedPeer, muxer: MdsftpMuxer, accepted: AsyncIterator<BytesChannel> } {
  const [left, right] = duplexPair(options)
  const muxer = mdsftp(right, { role: 'acceptor' })
  return { peer: scriptedPeer(left, { signal: AbortSignal.timeout(10_000) }), muxer, accepted: muxer[Symbol.asyncIterator]() }
}

const packet = (channel: number, packet: ControlPacket): Uint8Array => encodePacket(UPSTREAM, channel, packet)
const open = (channel: number): Uint8Array => packet(channel, { type: 'ChannelOpen' })
const REFUSAL = (channel: number): Uint8Array => new Uint8Array([...packet(channel, { type: 'ChannelErr' }), ...packet(channel, { type: 'ChannelClose' })])

t.test('a breach of the frame ends the connection with its code', async t => {
  for (const [what, wire, code] of [
    ['a length of 4 GiB', '01 00000001 ffffffff', 'ERR_PAYLOAD_TOO_LARGE'],
    ['a length that is negative when signed', '06 00000001 80000000', 'ERR_PAYLOAD_LENGTH'],
    ['an unknown kind', '7f 00000001 00000000', 'ERR_UNKNOWN_KIND'],
    ['a wrong length', '04 00000001 00000005', 'ERR_PAYLOAD_LENGTH'],
    ['an empty fragment in mid-transfer', '80 00000001 00000000 01 00000001 00000005 00 00000000', 'ERR_EMPTY_FRAGMENT'],
    ['a wrong length on a channel that does not exist', '12 00555555 0000000f', 'ERR_PAYLOAD_LENGTH']
  ] as const) {
    const { peer, muxer, accepted } = attacked()
    const seen = (async () => { for (;;) if ((await accepted.next()).done === true) return })()
    await peer.send(hexdump(wire))
    await t.rejects(seen, { code, scope: 'connection', remote: true }, what)
    await peer.readUntilGone()
    await t.rejects(muxer.open(), { code }, what)
  }
})

t.test('a breach on a channel resets that channel, and the connection lives', async t => {
  for (const [what, bytes, code] of [
    ['a fragment out of sequence', encodeFragment(1, false, 1, Uint8Array.of(1)), 'ERR_FRAGMENT_ORDER'],
    ['an acknowledgement of what was never sent', packet(1, { type: 'RecvAck', number: 0 }), 'ERR_ACK'],
    ['a packet of the storage protocol', packet(1, { type: 'CommitOk' }), 'ERR_UNEXPECTED_PACKET'],
    ['data behind the last fragment', new Uint8Array([...encodeFragment(1, true, 0, Uint8Array.of(1)), ...encodeFragment(1, false, 1, Uint8Array.of(1))]), 'ERR_UNEXPECTED_PACKET']
  ] as const) {
    const { peer, accepted } = attacked()
    await peer.send(open(1))
    const { value: channel } = await accepted.next()
    const reading = (async () => { for await (const bytes of channel.source) if (bytes.byteLength > 1) throw new Error('too much') })()
    const sending = channel.sink((async function * () { await new Promise(() => {}) })())
    await peer.send(bytes)
    await t.rejects(sending, { code, scope: 'channel', remote: true }, what)
    await reading.catch(error => t.equal(error.code, code))
    // What it acknowledged before does not matter; then the refusal of the channel, and a new one works.
    await peer.send(open(2))
    const next = await accepted.next()
    t.equal(next.value.id, 2, what)
    peer.die()
  }
})

t.test('a sender that ignores the window is reset, and costs no more than the window', async t => {
  for (const attach of [false, true]) {
    const { peer, accepted } = attacked({ attach })
    await peer.send(open(1))
    const { value: channel } = await accepted.next()
    const sending = channel.sink((async function * () { await new Promise(() => {}) })())
    const content = new Uint8Array(65_536)
    for (let number = 0; number <= WINDOW_BYTES / content.length; number++) await peer.send(encodeFragment(1, false, number, content))
    await t.rejects(sending, { code: 'ERR_WINDOW', remote: true })
    await peer.expect(REFUSAL(1))
  }
})

t.test('more fragments than the window, of one byte each, are no way around it', async t => {
  const { peer, accepted } = attacked()
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  const sending = channel.sink((async function * () { await new Promise(() => {}) })())
  for (let number = 0; number <= 1024; number++) await peer.send(encodeFragment(1, false, number, Uint8Array.of(1)))
  await t.rejects(sending, { code: 'ERR_WINDOW' })
})

t.test('opens beyond the limit are refused one by one, a flood of them ends the connection', async t => {
  const { peer, muxer } = attacked()
  for (let channel = 1; channel <= MAX_CHANNELS; channel++) await peer.send(open(channel))
  await settle(() => muxer.size)
  t.equal(muxer.size, MAX_CHANNELS)
  await peer.send(open(MAX_CHANNELS + 1))
  await peer.expect(REFUSAL(MAX_CHANNELS + 1))
  const gone = peer.readUntilGone()
  for (let wasted = 0; wasted <= 2 * MAX_WASTED_OPENS; wasted++) peer.send(open(MAX_CHANNELS + 2 + wasted)).catch(() => {})
  await gone
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD', scope: 'connection', remote: true })
})

t.test('open and reset, over and over, ends the connection', async t => {
  const { peer, muxer } = attacked()
  const gone = peer.readUntilGone()
  for (let channel = 1; channel <= 2 * MAX_WASTED_OPENS; channel++) {
    peer.send(open(channel)).catch(() => {})
    peer.send(packet(channel, { type: 'ChannelClose' })).catch(() => {})
  }
  await gone
  t.equal(muxer.size, 0)
  await t.rejects(muxer.open(), { code: 'ERR_FLOOD' })
})

t.test('packets for unknown channels, and strange system packets, are ignored', async t => {
  const { peer, accepted } = attacked()
  await peer.send(packet(77, { type: 'RecvAck', number: 5 }))
  await peer.send(encodeFragment(78, false, 9, new Uint8Array(100_000)))
  await peer.send(packet(79, { type: 'ChannelClose' }))
  await peer.send(packet(80, { type: 'ChannelErr' }))
  await peer.send(open(1))
  await peer.send(open(1))
  t.equal((await accepted.next()).value.id, 1)
  await peer.send(packet(1, { type: 'ChannelErr' }))
  await peer.send(open(2))
  t.equal((await accepted.next()).value.id, 2)
})

t.test('ids of our own range, 0 and 0x80000000 are refused', async t => {
  const { peer, accepted } = attacked()
  for (const id of [0, 0x8000_0000, 0x8000_0001, 0xffff_ffff]) {
    await peer.send(open(id))
    await peer.expect(REFUSAL(id))
  }
  await peer.send(open(1))
  t.equal((await accepted.next()).value.id, 1)
})

t.test('a close in mid-transfer is a reset to reader and writer, not an end', async t => {
  const { peer, accepted } = attacked()
  await peer.send(open(1))
  await peer.send(encodeFragment(1, false, 0, Uint8Array.of(1, 2, 3)))
  const { value: channel } = await accepted.next()
  const source = channel.source[Symbol.asyncIterator]()
  t.equal((await source.next()).value?.byteLength, 3)
  const sending = channel.sink((async function * () { await new Promise(() => {}) })())
  await peer.send(packet(1, { type: 'ChannelClose' }))
  await t.rejects(source.next(), { code: 'ERR_CHANNEL_RESET', remote: true })
  await t.rejects(sending, { code: 'ERR_CHANNEL_RESET' })
  await peer.expect(packet(1, { type: 'ChannelClose' }))
})

t.test('a fragment cut by the end of the connection is a truncation', async t => {
  const { peer, accepted } = attacked()
  await peer.send(open(1))
  const { value: channel } = await accepted.next()
  await peer.send(encodeFragment(1, false, 0, Uint8Array.of(1, 2, 3)).subarray(0, 15))
  await peer.end()
  await t.rejects((async () => { for await (const bytes of channel.source) t.equal(bytes.byteLength, 1) })(), { code: 'ERR_TRUNCATED', scope: 'connection' })
})
