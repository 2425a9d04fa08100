/** What our server makes of retrievals and locks, right and wrong. */
import { settle } from '@ropewalk/testing'
import t from 'tap'
import type { ControlPacket } from '../src/codec.ts'
import { StoreError } from '@ropewalk/store-memory'
import { ask, begin, CLOSE, OPEN, QUERY, scene, type Scene } from './scene.ts'
import { CHUNK_ID } from './vectors.ts'

const CONTENT = new TextEncoder().encode('abcdefg')

function retrieve (chunkBuffer: number, range?: [bigint, bigint]): ControlPacket {
  return { type: 'Retrieve', chunkId: CHUNK_ID, chunkBuffer, range: range === undefined ? undefined : { start: range[0], end: range[1] } }
}

async function stored (options: Parameters<typeof scene>[0] = {}): Promise<Scene> {
  const it = await scene(options)
  it.store.plant(CHUNK_ID, CONTENT)
  return it
}

t.test('finding 7: unknown, uncommitted and unreadable chunks are refused by LockErr and a close', async t => {
  const unknown = await scene()
  t.equal((await ask(unknown.speaker, 1, retrieve(16), 'LockErr')).errorKind, 'not_found')

  const uncommitted = await scene()
  await begin(uncommitted.speaker, 1, 3)
  t.equal((await ask(uncommitted.speaker, 2, retrieve(16), 'LockErr')).errorKind, 'not_available', 'while it is written')
  await uncommitted.speaker.fragment(1, 0, 'abc', true)
  await uncommitted.speaker.expect(1, 'RecvAck', 'ChannelClose')
  t.equal((await ask(uncommitted.speaker, 3, retrieve(16), 'LockErr')).errorKind, 'not_found', 'before it is committed')

  const broken = await stored()
  broken.store.before = operation => { if (operation === 'read') throw new StoreError('ERR_IO', 'injected') }
  t.equal((await ask(broken.speaker, 1, retrieve(16), 'LockErr')).errorKind, 'not_available')
  for (const { node, store } of [unknown, uncommitted, broken]) t.same([node.locks.size, store.openReaders], [0, 0])
})

t.test('finding 22: a range past the end is refused before any byte, one to the end is not', async t => {
  const { speaker } = await stored()
  for (const [index, range] of ([[0n, 8n], [7n, 8n], [8n, 9n], [2n ** 63n, 2n ** 64n - 1n], [1n, 2n ** 64n - 1n]] as Array<[bigint, bigint]>).entries()) {
    t.match(await ask(speaker, index + 1, retrieve(16, range), 'LockErr'), { kind: 'read', errorKind: 'not_available' })
  }
  await speaker.say(100, OPEN, retrieve(16, [4n, 7n]))
  t.match(await speaker.expect(100, 'FileChunk'), { last: true, number: 0, content: new TextEncoder().encode('efg') })
})

t.test('section 4.6: of an empty chunk nothing is sent but the close', async () => {
  const { speaker, store } = await scene()
  store.plant(CHUNK_ID, new Uint8Array(0))
  await speaker.say(1, OPEN, retrieve(16))
  await speaker.expect(1, 'ChannelClose')
})

t.test('the window is honoured, and the disk is read no further', async t => {
  const { speaker, store } = await stored({ serve: { fragmentBytes: 1 } })
  let reads = 0
  store.before = operation => { if (operation === 'readAt') reads++ }
  await speaker.say(1, OPEN, retrieve(2))
  await speaker.expect(1, 'FileChunk', 'FileChunk')
  t.equal(await settle(() => reads), 2)
  await speaker.say(1, { type: 'RecvAck', number: 1 })
  await speaker.expect(1, 'FileChunk', 'FileChunk')
  t.equal(await settle(() => reads), 4)
  await speaker.say(1, { type: 'RecvAck', number: 2 }, { type: 'RecvAck', number: 2 }, { type: 'RecvAck', number: 3 })
  await speaker.expect(1, 'FileChunk', 'FileChunk')
  t.equal(await settle(() => reads), 6, 'acknowledgements are cumulative, and a repeat is none')
  await speaker.say(1, { type: 'RecvAck', number: 5 })
  t.match(await speaker.expect(1, 'FileChunk'), { number: 6, last: true })
  await speaker.say(1, { type: 'RecvAck', number: 6 })
  await speaker.expect(1, 'ChannelClose')
})

t.test('a window of 65535 is not taken literally', async t => {
  const { speaker, store } = await scene({ serve: { fragmentBytes: 1 } })
  store.plant(CHUNK_ID, new Uint8Array(1000))
  let reads = 0
  store.before = operation => { if (operation === 'readAt') reads++ }
  await speaker.say(1, OPEN, retrieve(65535))
  t.equal(await settle(() => reads), 64)
})

t.test('finding 10: an acknowledgement of what was never sent, or that goes back, ends the retrieval and nothing else', async t => {
  for (const numbers of [[2], [1, 0], [0xffff_ffff]]) {
    const { speaker, node, store, events, served } = await stored()
    await speaker.say(1, OPEN, retrieve(2))
    await speaker.expect(1, 'FileChunk', 'FileChunk')
    for (const number of numbers) await speaker.say(1, { type: 'RecvAck', number })
    let heard = await speaker.hear()
    if (heard.type === 'FileChunk') heard = await speaker.hear()
    t.equal(heard.type, 'ChannelClose')
    t.match(events.at(-1), { event: 'failed', code: 'ERR_ACK', direction: 'send' })
    t.same([node.locks.size, store.openReaders], [0, 0])
    await ask(speaker, 2, QUERY, 'QueryResponse')
    await speaker.peer.end()
    t.equal(await served, undefined)
  }
})

t.test('a close in mid-transfer frees what it held', async t => {
  const { speaker, node, store, events } = await stored()
  await speaker.say(1, OPEN, retrieve(0))
  await speaker.expect(1, 'FileChunk')
  t.same([node.locks.size, store.openReaders], [1, 1])
  await speaker.say(1, CLOSE)
  await speaker.expect(1, 'ChannelClose')
  t.equal(await settle(() => node.locks.size), 0)
  t.equal(store.openReaders, 0)
  t.match(events.at(-1), { event: 'failed', code: 'ERR_INTERRUPTED' })
})

t.test('finding 31: a reader finishes what is deleted under it', async t => {
  const { speaker, store } = await stored()
  await speaker.say(1, OPEN, retrieve(0))
  await speaker.expect(1, 'FileChunk')
  await speaker.say(2, OPEN, { type: 'DeleteChunk', chunkId: CHUNK_ID })
  await speaker.expect(2, 'ChannelClose')
  t.equal(store.objects.size, 0)
  for (const number of [0, 1]) {
    await speaker.say(1, { type: 'RecvAck', number })
    t.equal((await speaker.expect(1, 'FileChunk')).number, number + 1)
  }
  await speaker.say(1, { type: 'RecvAck', number: 2 })
  await speaker.expect(1, 'ChannelClose')
})

t.test('a disk that fails in mid-transfer ends it with a close, and no last fragment', async t => {
  const { speaker, store, node, events } = await stored()
  let reads = 0
  store.before = operation => { if (operation === 'readAt' && ++reads === 2) throw new StoreError('ERR_IO', 'injected') }
  await speaker.say(1, OPEN, retrieve(16))
  t.equal((await speaker.hear()).type === 'FileChunk' ? (await speaker.hear()).type : 'ChannelClose', 'ChannelClose')
  t.match(events.at(-1), { event: 'failed', code: 'ERR_IO' })
  t.equal(node.locks.size, 0)
})

t.test('section 5.9: locks are granted aloud, refused aloud, and end with their channel', async t => {
  const { speaker, node } = await stored({ node: { maxReaders: 2 } })
  const request = (kind: 'read' | 'write', chunkId = CHUNK_ID): ControlPacket => ({ type: 'LockReq', kind, chunkId })
  t.match(await ask(speaker, 1, request('write', 'e'.repeat(32)), 'LockErr'), { kind: 'write', errorKind: 'not_found' })
  await speaker.say(2, OPEN, request('read'))
  t.match(await speaker.expect(2, 'LockAcquire'), { kind: 'read', chunkId: CHUNK_ID })
  await speaker.say(3, OPEN, request('write'))
  t.match(await speaker.expect(3, 'LockErr'), { kind: 'write', errorKind: 'not_available' })
  await speaker.say(4, OPEN, retrieve(16))
  await speaker.expect(4, 'FileChunk', 'FileChunk', 'FileChunk')
  await speaker.say(5, OPEN, request('read'))
  t.match(await speaker.expect(5, 'LockErr'), { errorKind: 'not_available' }, 'two readers are enough')
  await speaker.say(4, { type: 'RecvAck', number: 2 })
  await speaker.expect(4, 'ChannelClose')
  await speaker.say(5, request('read'))
  await speaker.expect(5, 'LockAcquire')
  for (const channel of [2, 5]) {
    await speaker.say(channel, CLOSE)
    await speaker.expect(channel, 'ChannelClose')
  }
  await settle(() => node.locks.size)
  await speaker.say(3, request('write'))
  await speaker.expect(3, 'LockAcquire')
  t.match(await ask(speaker, 6, retrieve(16), 'LockErr'), { kind: 'read', errorKind: 'not_available' })
  await speaker.say(3, request('write'))
  await speaker.expect(3, 'LockAcquire')
  await speaker.say(3, request('read'))
  await speaker.expect(3, 'LockErr')
  await speaker.say(3, CLOSE)
  await speaker.expect(3, 'ChannelClose')
  t.equal(await settle(() => node.locks.size), 0)
})

t.test('finding 29: what sees the close finds the lock free', async () => {
  const { speaker } = await stored()
  await speaker.say(1, OPEN, retrieve(16))
  await speaker.expect(1, 'FileChunk', 'FileChunk', 'FileChunk')
  await speaker.say(1, { type: 'RecvAck', number: 2 })
  await speaker.expect(1, 'ChannelClose')
  await speaker.say(2, OPEN, { type: 'LockReq', kind: 'write', chunkId: CHUNK_ID })
  await speaker.expect(2, 'LockAcquire')
})

t.test('a flood of opens is refused beyond the limit, and costs only itself', async () => {
  const { speaker } = await stored({ serve: {} })
  for (let channel = 1; channel <= 1024; channel++) await speaker.say(channel, OPEN)
  await speaker.say(2000, OPEN)
  await speaker.expect(2000, 'ChannelErr', 'ChannelClose')
  await speaker.say(5, QUERY)
  await speaker.expect(5, 'QueryResponse', 'ChannelClose')
})
