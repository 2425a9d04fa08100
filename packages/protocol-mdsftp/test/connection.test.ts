import { chopped, duplexPair, hexdump, link, settle, turn, VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { acceptNode, Arrivals, connectNode, MAX_HALF_OPEN, neighbours, query, serve, StorageNode } from '../src/index.ts'
import { encodePacket, encodePreamble, SEED, SEED_CODE, UPSTREAM, type Profile } from '../src/codec.ts'
import { MemoryStore } from '@ropewalk/store-memory'
import { DIALER_ID, nodes, TOKEN } from './nodes.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

t.test('the dialer says its id, and its token if it has one, before the first packet', async t => {
  for (const token of [undefined, TOKEN]) {
    const [left, right] = duplexPair()
    const { peer } = new Speaker(right)
    const client = connectNode(left, { nodeId: DIALER_ID, ...(token === undefined ? {} : { token }) })
    await peer.expect(encodePreamble({ nodeId: DIALER_ID, ...(token === undefined ? {} : { token }) }))
    t.equal(client.peerId, undefined, 'the acceptor does not introduce itself')
    const { id } = client.open()
    t.same(await peer.read(9), encodePacket(UPSTREAM, id, { type: 'ChannelOpen' }))
    t.ok(id > 0 && id < 0x8000_0000)
    client.abort(new Error('done'))
  }
})

t.test('the acceptor knows the claimed id, however the preamble is cut, and loses nothing that follows', async t => {
  const store = new MemoryStore()
  store.plant(CHUNK_ID, Uint8Array.of(1))
  const node = new StorageNode({ store })
  const wire = new Uint8Array(Buffer.concat([
    encodePreamble({ nodeId: DIALER_ID, token: TOKEN }),
    encodePacket(UPSTREAM, 1, { type: 'ChannelOpen' }),
    encodePacket(UPSTREAM, 1, { type: 'Query', chunkId: CHUNK_ID })
  ]))
  for (let cut = 0; cut <= wire.length; cut++) {
    const [left, right] = duplexPair({ attach: cut % 2 === 0 })
    const speaker = new Speaker(left)
    for (const part of [wire.subarray(0, cut), wire.subarray(cut)]) if (part.length > 0) await speaker.peer.send(part)
    // The token takes its time, while the first packets are there already.
    const server = await acceptNode(right, { verifyToken: async (token, id) => { await turn(); return token === TOKEN && id === DIALER_ID } })
    t.equal(server.peerId, DIALER_ID)
    const served = serve(server, { node })
    await speaker.expect(1, 'QueryResponse', 'ChannelClose')
    await speaker.peer.end()
    await served
  }
})

t.test('one byte at a time, on both lanes', async t => {
  for (const attach of [false, true]) {
    const { client } = await nodes({ chunkBytes: 1, attach })
    t.equal(await query(client, CHUNK_ID), undefined)
    await client.close()
  }
})

t.test('a token that is not accepted, or not one, ends the connection without a word', async t => {
  for (const [token, verifyToken] of [[TOKEN, () => false], [TOKEN, async () => false], ['-'.repeat(64), () => true]] as const) {
    const [left, right] = duplexPair({ attach: true })
    const { peer } = new Speaker(left)
    const accepted = acceptNode(right, { verifyToken })
    accepted.catch(() => {})
    await peer.send(hexdump(DIALER_ID))
    await peer.send(new TextEncoder().encode(token))
    await t.rejects(accepted, { code: 'ERR_TOKEN', scope: 'connection', remote: true })
    const { bytes, error } = await peer.readUntilGone()
    t.equal(bytes.length, 0)
    t.ok(error)
  }
})

t.test('finding 16: a silent dialer is given up after 10 s, and keeps nobody waiting', async t => {
  for (const attach of [false, true]) {
    const clock = new VirtualClock()
    const [left, right] = duplexPair({ attach })
    const { peer } = new Speaker(left)
    const silent = acceptNode(right, { clock })
    silent.catch(() => {})
    const [otherLeft, otherRight] = duplexPair()
    connectNode(otherLeft, { nodeId: DIALER_ID })
    t.equal((await acceptNode(otherRight, { clock })).peerId, DIALER_ID)
    await peer.send(hexdump(DIALER_ID).subarray(0, 15))
    await clock.advance(9_999)
    t.equal(clock.pending, 1)
    await clock.advance(1)
    await t.rejects(silent, { code: 'ERR_TIMEOUT', message: /10000 ms/ })
    t.ok((await peer.readUntilGone()).error)
    t.equal(clock.pending, 0)
  }
})

t.test('a verification that hangs is given up too, and told so', async t => {
  const clock = new VirtualClock()
  const [left, right] = duplexPair()
  connectNode(left, { nodeId: DIALER_ID, token: TOKEN })
  let told: AbortSignal | undefined
  const accepted = acceptNode(right, { clock, deadlineMs: 50, verifyToken: (_token, _id, { signal }) => { told = signal; return new Promise(() => {}) } })
  accepted.catch(() => {})
  await clock.advance(50)
  await t.rejects(accepted, { code: 'ERR_TIMEOUT' })
  t.equal(told?.aborted, true)
})

t.test('aborting the signal gives up the preamble, and a connection that breaks tells why', async t => {
  for (const attach of [false, true]) {
    const controller = new AbortController()
    const [, right] = duplexPair({ attach })
    const accepted = acceptNode(right, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await t.rejects(accepted, { message: 'enough' })
    const line = link({ attach })
    const broken = acceptNode(line.right)
    line.cut('reset')
    await t.rejects(broken, { code: 'ERR_RESET' })
  }
})

t.test('what piles up while a token is verified is bounded', async t => {
  // A transport that goes on although it was paused.
  const [, right] = duplexPair()
  let push: (bytes: Uint8Array) => void = () => {}
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const accepted = acceptNode(Object.assign(right, {
    attach: (receiver: { bytes: (bytes: Uint8Array) => void }) => {
      push = bytes => receiver.bytes(bytes)
      return { pause () {}, resume () {} }
    }
  }), { verifyToken: () => promise })
  push(encodePreamble({ nodeId: DIALER_ID, token: TOKEN }))
  for (let count = 0; count < 40; count++) push(new Uint8Array(65_536))
  resolve(true)
  const server = await accepted
  await t.rejects((async () => { for await (const channel of server) channel.close() })(), { code: 'ERR_CONNECTION_LOST', cause: { code: 'ERR_FLOOD' } })
})

t.test('both sides may ask and both may serve, whoever dialled', async t => {
  for (const dialerServes of [false, true]) {
    const { client, store, served } = await nodes({ dialerServes })
    store.plant(CHUNK_ID, Uint8Array.of(1, 2))
    t.same(await query(client, CHUNK_ID), { chunkId: CHUNK_ID, size: 2 })
    await client.close()
    t.equal(await served, undefined)
  }
  const [left, right] = duplexPair()
  const dialer = connectNode(left, { nodeId: DIALER_ID })
  const acceptor = await acceptNode(right)
  const stores = [new MemoryStore(), new MemoryStore()] as const
  stores[0].plant('a'.repeat(32), Uint8Array.of(1))
  stores[1].plant('b'.repeat(32), Uint8Array.of(1, 2))
  const running = [serve(dialer, { node: new StorageNode({ store: stores[0] }) }), serve(acceptor, { node: new StorageNode({ store: stores[1] }) })]
  const [one, two] = await Promise.all([query(acceptor, 'a'.repeat(32)), query(dialer, 'b'.repeat(32))])
  t.same([one?.size, two?.size], [1, 2])
  await Promise.all([dialer.close(), acceptor.close(), ...running])
})

t.test('a client that serves nothing refuses what the peer opens', async t => {
  const { client, server } = await nodes()
  client.refuse()
  await t.rejects(query(server, CHUNK_ID), { code: 'ERR_INTERRUPTED', remote: true })
  t.equal(await query(client, CHUNK_ID), undefined)
  await client.close()
})

t.test('the seed profiles, with either value for ChannelOpen', async t => {
  for (const profile of [SEED, SEED_CODE] as Profile[]) {
    const [left, right] = duplexPair()
    const client = connectNode(left, { nodeId: DIALER_ID, profile })
    const { peer } = new Speaker(right)
    await peer.read(16)
    client.open()
    t.equal((await peer.read(9))[0], profile.channelOpen)
    await t.rejects(query(client, CHUNK_ID), RangeError)
    client.abort(new Error('done'))
  }
})

t.test('the preamble may come in any pieces while the dialer goes on talking', async t => {
  const [left, right] = duplexPair({ attach: true })
  const { peer } = new Speaker(left)
  const accepted = acceptNode(right)
  for (const part of chopped(hexdump(DIALER_ID), [3, 5])) await peer.send(part)
  const server = await accepted
  await settle(() => server.size)
  t.equal(server.size, 0)
  server.abort(new Error('done'))
})

t.test('finding 16: at most 64 connections that have not said who they are, and room again when one has, or is gone', async t => {
  const arrivals = new Arrivals()
  const silent = Array.from({ length: MAX_HALF_OPEN }, () => duplexPair())
  const accepted = silent.map(async ([, right]) => await acceptNode(right, { arrivals }))
  for (const each of accepted) each.catch(() => {})
  const refused = async (): Promise<void> => {
    const [left, right] = duplexPair()
    connectNode(left, { nodeId: DIALER_ID })
    await t.rejects(acceptNode(right, { arrivals }), { code: 'ERR_MAX_CONNECTIONS', remote: true })
  }
  await refused()
  // One says who it is, and one goes without a word.
  connectNode((silent[0] as (typeof silent)[0])[0], { nodeId: DIALER_ID })
  await accepted[0]
  const [gone] = silent[1] as (typeof silent)[0]
  gone.abort(new Error('gone'))
  await t.rejects(accepted[1] as Promise<unknown>)
  for (let more = 0; more < 2; more++) {
    const pair = duplexPair()
    silent.push(pair)
    acceptNode(pair[1], { arrivals }).catch(() => {})
  }
  await refused()
  for (const [left] of silent) left.abort(new Error('done'))
})

t.test('ids that a node gives out share their first byte for a while, and are random otherwise', async t => {
  const next = neighbours()
  const ids = Array.from({ length: 1024 }, next)
  t.equal(new Set(ids).size, ids.length)
  t.equal(new Set(ids.map(id => id.slice(2, 8))).size > 1000, true)
  for (let from = 0; from < ids.length; from += 256) t.equal(new Set(ids.slice(from, from + 256).map(id => id.slice(0, 2))).size, 1)
  t.ok(new Set(ids.map(id => id.slice(0, 2))).size > 1)
  for (const id of ids) t.match(id, /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
})
