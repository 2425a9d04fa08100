import { duplexPair, scriptedPeer, settle, type ScriptedPeer } from '@ropewalk/testing'
import t from 'tap'
import { encodeFragment, encodePacket, UPSTREAM, type ControlPacket } from '../src/codec.ts'
import { mdsftpPackets, MAX_WAITING_PACKETS, type PacketChannel, type PacketMuxer } from '../src/index.ts'

const ID = '000102030405460788090a0b0c0d0e0f'
const packet = (channel: number, packet: ControlPacket): Uint8Array => encodePacket(UPSTREAM, channel, packet)

function peer (options: { maxBufferedBytes?: number } = {}): { peer: ScriptedPeer, muxer: PacketMuxer, accept: () => Promise<PacketChannel> } {
  const [left, right] = duplexPair()
  const muxer = mdsftpPackets(right, { role: 'acceptor', ...options })
  const accepted = muxer[Symbol.asyncIterator]()
  return { peer: scriptedPeer(left, { signal: AbortSignal.timeout(10_000) }), muxer, accept: async () => (await accepted.next()).value }
}

async function opened (): Promise<ReturnType<typeof peer> & { channel: PacketChannel }> {
  const both = peer()
  await both.peer.send(packet(1, { type: 'ChannelOpen' }))
  return { ...both, channel: await both.accept() }
}

t.test('packets go both ways, whole', async t => {
  const [left, right] = duplexPair({ chunkBytes: 3 })
  const dialer = mdsftpPackets(left, { role: 'dialer' })
  const acceptor = mdsftpPackets(right, { role: 'acceptor' })
  const near = dialer.open()
  near.send({ type: 'Query', chunkId: ID })
  const { value: far } = await acceptor[Symbol.asyncIterator]().next()
  t.same(await far.next(), { type: 'Query', chunkId: ID })
  far.send({ type: 'QueryResponse', exists: true, size: 2n ** 63n })
  far.close()
  t.same(await near.next(), { type: 'QueryResponse', exists: true, size: 2n ** 63n })
  t.equal(await near.next(), undefined, 'the close of the peer')
  await t.rejects(near.sendFragment(true, 0, Uint8Array.of(1)), { code: 'ERR_CHANNEL_RESET' })
  t.equal(dialer.size + acceptor.size, 0)
})

t.test('a fragment where none was granted ends the connection', async t => {
  const { peer, channel } = await opened()
  await peer.send(encodeFragment(1, true, 0, Uint8Array.of(1)))
  await t.rejects(channel.next(), { code: 'ERR_UNEXPECTED_PACKET', scope: 'connection', remote: true })
})

t.test('as many fragments come as were granted, and not one more', async t => {
  const { peer, channel } = await opened()
  channel.grant(2)
  await peer.send(encodeFragment(1, false, 0, Uint8Array.of(1, 2, 3)))
  await peer.send(encodeFragment(1, true, 1, Uint8Array.of(4)))
  const first = await channel.next()
  t.ok(first?.type === 'FileChunk' && !first.last && first.number === 0)
  t.same(first?.type === 'FileChunk' && first.content.subarray(), Uint8Array.of(1, 2, 3))
  const second = await channel.next()
  t.ok(second?.type === 'FileChunk' && second.last)
  await peer.send(encodeFragment(1, true, 2, Uint8Array.of(5)))
  await t.rejects(channel.next(), { code: 'ERR_UNEXPECTED_PACKET' })
})

t.test('an empty last fragment is taken', async t => {
  const { peer, channel } = await opened()
  channel.grant(1)
  await peer.send(encodeFragment(1, true, 0, new Uint8Array(0)))
  const only = await channel.next()
  t.ok(only?.type === 'FileChunk' && only.last && only.content.byteLength === 0)
})

t.test('control packets overtake fragments, the close comes last', async () => {
  const { peer, channel } = await opened()
  const sent = channel.sendFragment(false, 0, Uint8Array.of(9))
  channel.send({ type: 'PutOk', chunkBuffer: 10 })
  channel.close()
  channel.send({ type: 'CommitOk' })
  await sent
  await peer.expect(new Uint8Array([...packet(1, { type: 'PutOk', chunkBuffer: 10 }), ...encodeFragment(1, false, 0, Uint8Array.of(9)), ...packet(1, { type: 'ChannelClose' })]))
})

t.test('what was said before an abort still goes out, content does not', async t => {
  const { peer, channel } = await opened()
  const sent = channel.sendFragment(false, 0, Uint8Array.of(9))
  channel.send({ type: 'LockErr', kind: 'read', errorKind: 'not_found', chunkId: ID })
  channel.abort(new Error('no such chunk'))
  await t.rejects(sent, { message: 'no such chunk' })
  await peer.expect(new Uint8Array([...packet(1, { type: 'LockErr', kind: 'read', errorKind: 'not_found', chunkId: ID }), ...packet(1, { type: 'ChannelClose' })]))
})

t.test('a request and a close in one breath are served', async t => {
  const { peer, accept } = await opened()
  await peer.send(new Uint8Array([...packet(2, { type: 'ChannelOpen' }), ...packet(2, { type: 'DeleteChunk', chunkId: ID }), ...packet(2, { type: 'ChannelClose' })]))
  const channel = await accept()
  t.same(await channel.next(), { type: 'DeleteChunk', chunkId: ID })
  t.equal(await channel.next(), undefined)
})

t.test('packets that nobody takes are bounded', async t => {
  const { peer, channel, muxer } = await opened()
  for (let sent = 0; sent <= MAX_WAITING_PACKETS; sent++) await peer.send(packet(1, { type: 'Query', chunkId: ID }))
  await peer.readUntilGone()
  await t.rejects(channel.next(), { code: 'ERR_FLOOD', scope: 'connection', remote: true })
  t.throws(() => muxer.open(), { code: 'ERR_FLOOD' })
})

t.test('content that nobody takes stops the reading of the connection, not its life', async t => {
  const { peer: other, accept } = peer({ maxBufferedBytes: 200_000 })
  await other.send(packet(1, { type: 'ChannelOpen' }))
  const channel = await accept()
  channel.grant(1000)
  let accepted = 0
  const sending = (async () => {
    for (let number = 0; number < 40; number++) {
      await other.send(encodeFragment(1, number === 39, number, new Uint8Array(50_000)))
      accepted++
    }
  })()
  await settle(() => accepted)
  t.ok(accepted * 50_000 < 1_000_000, `${accepted} fragments of 50,000 bytes were taken from the peer`)
  let taken = 0
  for (let next = await channel.next(); next?.type === 'FileChunk'; next = next.last ? undefined : await channel.next()) taken += next.content.byteLength
  t.equal(taken, 40 * 50_000)
  await sending
})

t.test('a read can be given up, and loses nothing', async t => {
  const { peer, channel } = await opened()
  const abort = new AbortController()
  const reading = channel.next({ signal: abort.signal })
  abort.abort(new Error('enough'))
  await t.rejects(reading, { message: 'enough' })
  await t.rejects(channel.next({ signal: abort.signal }), { message: 'enough' })
  await peer.send(packet(1, { type: 'CommitOk' }))
  t.same(await channel.next(), { type: 'CommitOk' })
})

t.test('a connection that dies fails every channel', async t => {
  const { peer, channel, muxer } = await opened()
  const reading = channel.next()
  peer.die()
  await t.rejects(reading, { code: 'ERR_CONNECTION_LOST', remote: true })
  await t.rejects(channel.next(), { code: 'ERR_CONNECTION_LOST' })
  t.throws(() => muxer.open(), { code: 'ERR_CONNECTION_LOST' })
})
