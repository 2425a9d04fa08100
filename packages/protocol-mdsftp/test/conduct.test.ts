/** The rules of conduct towards the original, and those findings of section 7 that no other file tests by number. */
import { collect, duplexPair, hexdump, pattern, settle } from '@ropewalk/testing'
import { MemoryStore } from '@ropewalk/store-memory'
import t from 'tap'
import { acceptNode, cancel, commit, connectNode, put, putChunk, query, remove, reserve, retrieve, serve, StorageNode, upload, type StorageConnection } from '../src/index.ts'
import { encodeFragment, encodePacket, SEED_CODE, UPSTREAM, type ControlPacket } from '../src/codec.ts'
import { Judge } from './judge.ts'
import { DIALER_ID } from './nodes.ts'
import { ask, begin, CLOSE, commitOf, NONE, OPEN, scene } from './scene.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

t.test('conduct 1 to 4, 6, 8: a judge as strict as the original hears nothing wrong, from either side, in anything we do', async t => {
  const judge = new Judge()
  const [left, right] = duplexPair({ attach: true })
  const stores = [new MemoryStore(), new MemoryStore()] as const
  const near = connectNode(judge.watch(left), { nodeId: DIALER_ID, peer: 'upstream' })
  const far = await acceptNode(right, { peer: 'upstream' })
  const serving = [serve(near, { node: new StorageNode({ store: stores[0] }), fragmentBytes: 700 }), serve(far, { node: new StorageNode({ store: stores[1] }), fragmentBytes: 700 })]
  await Promise.all([near, far].flatMap(connection => [1, 2, 3].map(async lane => await busy(connection, lane))))
  await near.close()
  await Promise.all(serving.map(async each => await each.catch(() => {})))
  t.same(judge.breaches, [])
  t.ok(judge.packets.length > 1000, `${judge.packets.length} packets`)
  for (const type of ['Reserve', 'Put', 'Retrieve', 'Query', 'Commit', 'DeleteChunk', 'ReserveCancel', 'FileChunk', 'RecvAck']) {
    for (const side of ['dialer', 'acceptor']) t.ok(judge.packets.some(packet => packet.startsWith(`${side} ${type} `)), `${side} ${type}`)
  }
  t.same([judge.unclosed('dialer'), judge.unclosed('acceptor')], [0, 0], 'conduct 2: whatever was opened was closed by both')
})

t.test('the judge notices each breach', async t => {
  const open = (id = 1): Uint8Array => encodePacket(UPSTREAM, id, OPEN)
  const say = (packet: ControlPacket, id = 1): Uint8Array => encodePacket(UPSTREAM, id, packet)
  const retrieveOf = (chunkBuffer: number): Uint8Array => say({ type: 'Retrieve', chunkId: CHUNK_ID, chunkBuffer, range: undefined })
  const breaches: Array<[RegExp, ...Array<Uint8Array>]> = [
    [/conduct 1: an id is used again/, open(), open()],
    [/conduct 1: an id of the other side/, open(0x80000001)],
    [/conduct 2: a channel that nobody opened/, say({ type: 'Query', chunkId: CHUNK_ID })],
    [/conduct 2: a word after the close/, open(), say(CLOSE), say(CLOSE)],
    [/conduct 2: a second request/, open(), say({ type: 'Query', chunkId: CHUNK_ID }), say({ type: 'Query', chunkId: CHUNK_ID })],
    [/conduct 2: an answer to oneself/, open(), say({ type: 'CommitOk' })],
    [/conduct 3: content where none is due/, open(), encodeFragment(1, true, 0, Uint8Array.of(1))],
    [/conduct 3: an acknowledgement/, open(), say({ type: 'RecvAck', number: 0 })],
    [/conduct 4: a window/, open(), retrieveOf(17)],
    [/conduct 4: a window/, open(), retrieveOf(0)],
    [/conduct 8/, open(), say({ type: 'LockReq', kind: 'read', chunkId: CHUNK_ID })]
  ]
  for (const [wanted, ...packets] of breaches) {
    const judge = new Judge()
    judge.hear('dialer', hexdump(DIALER_ID))
    for (const packet of packets) judge.hear('dialer', packet)
    t.match(judge.breaches, [wanted])
  }
})

t.test('finding 1 and 3: numbers and flag bits are those of the code, not of the document', async t => {
  t.equal(encodePacket(UPSTREAM, 1, { type: 'Query', chunkId: CHUNK_ID })[0], 0x12)
  t.equal(encodePacket(UPSTREAM, 1, { type: 'QueryResponse', exists: true, size: 0n })[0], 0x13)
  for (const [bit, flag] of (['autoStart', 'durable', 'temp', 'overwrite'] as const).entries()) {
    t.equal(encodePacket(UPSTREAM, 1, { type: 'Reserve', flags: { ...NONE, [flag]: true }, size: 0n })[9], 1 << bit, flag)
  }
})

t.test('finding 2: the older value for ChannelOpen is spoken where it is asked for', async t => {
  const [left, right] = duplexPair()
  const speaker = new Speaker(right, SEED_CODE)
  connectNode(left, { nodeId: DIALER_ID, profile: SEED_CODE }).open()
  await speaker.peer.expect(hexdump(DIALER_ID))
  t.equal((await speaker.raw())[0], 0x8a)
})

t.test('finding 4 and 36: fragments of any size to 16 MiB, varying within one upload', async t => {
  const { speaker, store } = await scene()
  const sizes = [1, 65_531, 300_000, 7]
  await begin(speaker, 1, sizes.reduce((sum, size) => sum + size, 0))
  for (const [number, size] of sizes.entries()) {
    await speaker.fragment(1, number, new Uint8Array(size), number === sizes.length - 1)
    await speaker.expect(1, 'RecvAck')
  }
  await speaker.expect(1, 'ChannelClose')
  t.equal(store.objects.get(CHUNK_ID)?.size, 365_539)
})

t.test('finding 12: a length is refused by its header, before a byte is kept', async t => {
  const { speaker, served } = await scene()
  await begin(speaker, 1, 100)
  await speaker.peer.send(hexdump('01 00000001 01000006'))
  t.match(await served, { code: 'ERR_PAYLOAD_TOO_LARGE', scope: 'connection' })
})

t.test('finding 18: a consumer that sleeps, and a disk that sleeps, are noticed on no other channel', async t => {
  const { speaker, store } = await scene()
  store.plant('e'.repeat(32), new Uint8Array(100))
  const gate = Promise.withResolvers<void>()
  store.before = operation => operation === 'append' ? gate.promise : undefined
  await begin(speaker, 1, 60)
  for (let number = 0; number < 10; number++) await speaker.fragment(1, number, 'abcdef', number === 9)
  await speaker.say(2, OPEN, { type: 'Retrieve', chunkId: 'e'.repeat(32), chunkBuffer: 1, range: undefined })
  await speaker.expect(2, 'FileChunk')
  for (let channel = 3; channel < 20; channel++) t.equal((await ask(speaker, channel, { type: 'Query', chunkId: 'e'.repeat(32) }, 'QueryResponse')).size, 100n)
  gate.resolve()
  const acked = []
  while (acked.length < 10) acked.push(await speaker.expect(1, 'RecvAck'))
  t.same(acked.map(({ number }) => number), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

t.test('finding 20: an answer that comes when nobody waits any more is ignored', async t => {
  const { speaker, server } = await scene()
  const over = new AbortController()
  const asked = query(server, CHUNK_ID, { signal: over.signal })
  const { channel } = await speaker.request('Query')
  over.abort(new Error('enough'))
  await t.rejects(asked, { message: 'enough' })
  await speaker.say(channel, { type: 'QueryResponse', exists: true, size: 1n }, { type: 'CommitOk' }, CLOSE)
  await speaker.expect(channel, 'ChannelClose')
  t.equal((await ask(speaker, 5, { type: 'Query', chunkId: CHUNK_ID }, 'QueryResponse')).exists, false)
})

t.test('finding 23: the close follows the last acknowledgement at once', async t => {
  const { speaker } = await scene()
  await begin(speaker, 1, 3)
  await speaker.fragment(1, 0, 'abc', true)
  const both = await speaker.peer.read(13 + 9)
  t.same([both[0], both[13]], [0x04, 0x81])
})

t.test('finding 24: requests of one kind one after the other go on channels of their own', async t => {
  const { speaker, server } = await scene()
  const used = new Set<number>()
  for (let times = 0; times < 20; times++) {
    const asked = query(server, CHUNK_ID)
    const { channel } = await speaker.request('Query')
    used.add(channel)
    await speaker.say(channel, { type: 'QueryResponse', exists: false, size: 0n })
    t.equal(await asked, undefined)
    await speaker.expect(channel, 'ChannelClose')
  }
  t.equal(used.size, 20)
})

t.test('finding 28: a reservation is cancelled on a fresh channel, and the node takes that anywhere', async t => {
  const { speaker, node } = await scene()
  await begin(speaker, 1, 3, { autoStart: false, temp: true })
  await speaker.expect(1, 'ChannelClose')
  await speaker.say(2, OPEN, { type: 'ReserveCancel', chunkId: CHUNK_ID })
  await speaker.expect(2, 'ChannelClose')
  t.equal(node.usage.reservations, 0)
})

t.test('conduct 6: the commit comes on a new channel, when that of the upload is closed', async t => {
  const { speaker, server } = await scene()
  const storing = put(server, [Uint8Array.of(1)], { size: 1 })
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 1 })
  await speaker.expect(channel, 'FileChunk')
  await speaker.say(channel, { type: 'RecvAck', number: 0 })
  await speaker.expect(channel, 'ChannelClose')
  const { channel: other } = await speaker.request('Commit')
  t.not(other, channel)
  await speaker.say(other, { type: 'CommitOk' })
  await storing
})

t.test('a chunk that the original uploads in one go is there when it has committed', async t => {
  const { speaker, store } = await scene()
  await begin(speaker, 1, 3)
  await speaker.fragment(1, 0, 'abc', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  await ask(speaker, 2, commitOf('final'), 'CommitOk')
  t.equal(store.objects.get(CHUNK_ID)?.committed, true)
  await settle(() => store.openWriters)
})

/** Everything that one node asks of another, several times. */
async function busy (connection: StorageConnection, lane: number): Promise<void> {
  for (let round = 0; round < 6; round++) {
    const size = [0, 1, 700, 1400, 2500, 9000][(round + lane) % 6] as number
    const { chunkId } = await put(connection, pattern(size, lane), { size, fragmentBytes: 500 })
    await query(connection, chunkId)
    await collect(retrieve(connection, chunkId))
    if (size > 2) await collect(retrieve(connection, chunkId, { range: { start: 1, end: size - 1 }, window: 1 }))
    for await (const _ of retrieve(connection, chunkId)) break
    await remove(connection, chunkId)
    const reserved = await reserve(connection, 2000, { durable: true })
    await upload(connection, pattern(10), { size: 3000 }).catch(() => {})
    await putChunk(connection, reserved, pattern(10), { size: 2000 }).catch(() => {})
    await commit(connection, reserved, 'keep_alive')
    await (round % 2 === 0 ? cancel(connection, reserved) : commit(connection, reserved, 'reject'))
  }
}
