/** Findings of the specification, section 7, that are about the whole and not about one operation. */
import { duplexPair, hexdump, link, settle, verify, VirtualClock, pattern } from '@ropewalk/testing'
import { MemoryStore } from '@ropewalk/store-memory'
import t from 'tap'
import { acceptNode, connectNode, lock, Pool, put, query, randomId, remove, reserve, retrieve, serve, StorageNode, type StorageConnection } from '../src/index.ts'
import { DIALER_ID, nodes } from './nodes.ts'
import { begin, scene } from './scene.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

const THERE = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'

t.test('finding 19: while one connection is being closed, and its disk takes for ever, all others go on', async t => {
  const { speaker, node, store } = await scene({ node: { newChunkId: randomId } })
  const id = await begin(speaker, 1, 60, { durable: true })
  await speaker.fragment(1, 0, 'abcdef')
  await speaker.expect(1, 'RecvAck')
  const gate = Promise.withResolvers<void>()
  const held = new Set<string>()
  store.before = (operation, of) => {
    if (!(operation === 'close' && of === id) && !(operation === 'remove' && of === CHUNK_ID)) return undefined
    held.add(operation)
    return gate.promise
  }
  speaker.peer.die()
  // And one more that waits for the disk, in the middle of what may be done about its chunk one after the other only.
  store.plant(CHUNK_ID, new Uint8Array(3))
  const removing = remove(await beside(node), CHUNK_ID)
  await settle(() => 2 - held.size)
  const other = await beside(node)
  const { chunkId } = await put(other, pattern(1000), { size: 1000, fragmentBytes: 100 })
  await verify(retrieve(other, chunkId), 1000)
  t.equal(node.usage.uploads, 1, 'the one that is being closed')
  gate.resolve()
  await removing
  await settle(() => node.usage.uploads)
})

t.test('finding 32: a connection that breaks is told as broken, with what broke it', async t => {
  const { left, right, cut } = link()
  const client = connectNode(left, { nodeId: DIALER_ID })
  const asked = query(client, CHUNK_ID)
  const speaker = new Speaker(right)
  await speaker.peer.read(16)
  await speaker.request('Query')
  cut('reset')
  const error = await asked.then(() => undefined, (error: Error) => error)
  t.match(error, { code: 'ERR_INTERRUPTED', scope: 'connection' })
  t.ok(error?.cause instanceof Error, 'and not as an error of the encryption')
})

t.test('finding 33: who finds a lock taken is told at once and not asked to wait, and nobody needs a lock to be served, or to overwrite', async t => {
  const { client } = await nodes()
  const { chunkId } = await put(client, pattern(10), { size: 10 })
  const held = await lock(client, chunkId, 'read')
  await t.rejects(lock(client, chunkId, 'write', { requestMs: 5_000 }), { code: 'ERR_NOT_AVAILABLE' })
  await verify(retrieve(client, chunkId), 10)
  held.release()
  await verify(retrieve(client, chunkId), 10)
  await reserve(client, 10, { overwrite: true })
})

t.test('finding 34: a header has 9 bytes; one of 5, of the other protocol of the original, ends the connection', async t => {
  const { speaker, served } = await scene()
  // Its kind 1, 4 bytes long: taken as a header, a fragment of 3.7 GB.
  await speaker.peer.send(hexdump('01 00000004 deadbeef'))
  t.match(await served, { code: 'ERR_PAYLOAD_TOO_LARGE', scope: 'connection', remote: true })
})

t.test('finding 35: what hangs in the peer\'s buffers is not waited for without a limit', async t => {
  const clock = new VirtualClock()
  const { client, speaker } = await scripted()
  const got: string[] = []
  const reading = (async () => {
    for await (const bytes of retrieve(client, CHUNK_ID, { size: 6, clock })) got.push(new TextDecoder().decode(bytes.subarray()))
  })()
  reading.catch(() => {})
  const { channel } = await speaker.request('Retrieve')
  await speaker.fragment(channel, 0, 'abc')
  await speaker.expect(channel, 'RecvAck')
  await clock.advance(59_999)
  t.same(got, ['abc'])
  await clock.advance(1)
  await t.rejects(reading, { code: 'ERR_TIMEOUT', scope: 'channel' })
  await speaker.expect(channel, 'ChannelClose')
})

t.test('finding 37: a connection that hangs after a close in the middle of a retrieval is given up, and another dialled', async t => {
  const clock = new VirtualClock()
  const { client, speaker } = await scripted(clock)
  const node = new StorageNode({ store: new MemoryStore() })
  let dials = 0
  await using pool = new Pool({ clock, idleMs: Infinity, dial: async () => ++dials === 1 ? client : await beside(node) })
  const reading = pool.use(THERE, async connection => {
    for await (const bytes of retrieve(connection, CHUNK_ID, { size: 6, clock })) return new TextDecoder().decode(bytes.subarray())
  })
  const { channel } = await speaker.request('Retrieve')
  await speaker.fragment(channel, 0, 'abc')
  t.equal(await reading, 'abc')
  await speaker.expect(channel, 'ChannelClose')

  const asked = pool.use(THERE, async connection => await query(connection, CHUNK_ID, { clock }))
  asked.catch(() => {})
  await clock.advance(30_000)
  await t.rejects(asked, { code: 'ERR_TIMEOUT' })
  t.equal(await pool.use(THERE, async connection => await query(connection, CHUNK_ID)), undefined)
  t.equal(dials, 2)
})

async function scripted (clock?: VirtualClock): Promise<{ client: StorageConnection, speaker: Speaker }> {
  const [left, right] = duplexPair({ attach: true })
  const speaker = new Speaker(right)
  const client = connectNode(left, { nodeId: DIALER_ID, peer: 'own', clock })
  await speaker.peer.expect(hexdump(DIALER_ID))
  return { client, speaker }
}

/** One more connection to the node. */
async function beside (node: StorageNode): Promise<StorageConnection> {
  const [left, right] = duplexPair()
  const connection = connectNode(left, { nodeId: DIALER_ID })
  serve(await acceptNode(right), { node }).catch(() => {})
  return connection
}
