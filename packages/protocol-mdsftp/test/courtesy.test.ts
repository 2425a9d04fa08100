import { duplexPair, hexdump, settle, VirtualClock } from '@ropewalk/testing'
import { MemoryStore } from '@ropewalk/store-memory'
import t, { type Test } from 'tap'
import { acceptNode, query, serve, StorageNode, upload, type StorageConnection } from '../src/index.ts'
import { DIALER_ID } from './nodes.ts'
import { CLOSE, OPEN } from './scene.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

const OTHER = 'e'.repeat(32)

t.test('finding 5: from the moment the original opens a channel until it is answered, it gets no content; the answer goes ahead', async t => {
  const { speaker, server } = await original()
  await speaker.say(1, OPEN, { type: 'Retrieve', chunkId: CHUNK_ID, chunkBuffer: 2, range: undefined })
  await speaker.expect(1, 'FileChunk', 'FileChunk')
  await speaker.say(3, OPEN)
  await settle(() => server.size)
  await speaker.say(1, { type: 'RecvAck', number: 1 })
  await quiet(t, speaker)
  await speaker.say(3, { type: 'Query', chunkId: OTHER })
  await speaker.expect(3, 'QueryResponse')
  const rest = [await speaker.hear(), await speaker.hear(), await speaker.hear()].map(({ type, channel }) => `${type} ${channel}`)
  t.same(rest.sort(), ['ChannelClose 3', 'FileChunk 1', 'FileChunk 1'], 'it goes on as before')
})

t.test('finding 5: our own requests wait as well, what the original reads without writing does not', async t => {
  const { speaker, server } = await original()
  await speaker.say(3, OPEN)
  await settle(() => server.size)
  const asked = query(server, OTHER)
  const opened = await speaker.hear()
  t.equal(opened.type, 'ChannelOpen')
  await quiet(t, speaker)
  await speaker.say(3, { type: 'DeleteChunk', chunkId: OTHER })
  const heard = [await speaker.hear(), await speaker.hear()]
  t.same(heard.map(({ type }) => type).sort(), ['ChannelClose', 'Query'], 'a deletion counts as answered on receipt')
  await speaker.say(opened.channel, { type: 'QueryResponse', exists: false, size: 0n })
  t.equal(await asked, undefined)
})

t.test('finding 5: an upload of ours waits between two fragments', async t => {
  const { speaker, server } = await original()
  const sending = upload(server, [new Uint8Array(9)], { size: 9, fragmentBytes: 3, maxFragments: 1 })
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: OTHER, chunkBuffer: 1 })
  await speaker.expect(channel, 'FileChunk')
  await speaker.say(5, OPEN)
  await settle(() => server.size)
  await speaker.say(channel, { type: 'RecvAck', number: 0 })
  await quiet(t, speaker)
  await speaker.say(5, { type: 'Query', chunkId: OTHER })
  await speaker.expect(5, 'QueryResponse')
  for (const number of [1, 2]) {
    for (;;) if ((await speaker.hear()).type === 'FileChunk') break
    await speaker.say(channel, { type: 'RecvAck', number })
  }
  await sending
})

t.test('finding 5: a channel on which nothing is asked holds nobody up for longer than 10 s', async t => {
  const { speaker, server, clock } = await original()
  await speaker.say(3, OPEN)
  await settle(() => server.size)
  await speaker.say(1, OPEN, { type: 'Retrieve', chunkId: CHUNK_ID, chunkBuffer: 2, range: undefined })
  await quiet(t, speaker)
  await clock.advance(10_000)
  await speaker.expect(1, 'FileChunk')
})

t.test('a request that waits for its turn fails with its signal, its limit, or its connection', async t => {
  const { speaker, server, clock } = await original()
  await speaker.say(3, OPEN)
  await settle(() => server.size)
  const over = new AbortController()
  const aborted = query(server, OTHER, { signal: over.signal })
  over.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  const lost = query(server, OTHER, { clock })
  speaker.peer.die()
  await t.rejects(lost, { code: 'ERR_INTERRUPTED' })
  t.equal(server.courtesy?.clear, true)
})

t.test('conduct 5: towards our own, nothing waits', async () => {
  const { speaker } = await original('own')
  await speaker.say(3, OPEN)
  await speaker.say(1, OPEN, { type: 'Retrieve', chunkId: CHUNK_ID, chunkBuffer: 2, range: undefined })
  await speaker.expect(1, 'FileChunk')
  await speaker.say(3, CLOSE)
})

interface Original { speaker: Speaker, server: StorageConnection, clock: VirtualClock }

/** Our node with one chunk of 12 bytes, and a scripted node of the original that has dialled it. */
async function original (peer: 'upstream' | 'own' = 'upstream'): Promise<Original> {
  const [left, right] = duplexPair({ attach: true })
  const store = new MemoryStore()
  store.plant(CHUNK_ID, new Uint8Array(12))
  const clock = new VirtualClock()
  const node = new StorageNode({ store, clock })
  const speaker = new Speaker(left)
  await speaker.peer.send(hexdump(DIALER_ID))
  const server = await acceptNode(right, { peer, clock })
  serve(server, { node, fragmentBytes: 3 }).catch(() => {})
  return { speaker, server, clock }
}

/** Nothing is said, however long everything that is ready is let happen. */
async function quiet (t: Test, speaker: Speaker): Promise<void> {
  const enough = new AbortController()
  let said = false
  const listening = speaker.peer.read(1, { signal: enough.signal }).then(() => { said = true }, () => {})
  await settle(() => said)
  enough.abort()
  await listening
  t.equal(said, false, 'nothing is said')
}
