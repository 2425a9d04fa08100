/** What our server makes of uploads, right and wrong. */
import { settle } from '@ropewalk/testing'
import t from 'tap'
import { SEED } from '../src/codec.ts'
import { MemoryStore, StoreError } from '@ropewalk/store-memory'
import { ask, begin, CLOSE, commitOf, NONE, OPEN, QUERY, scene } from './scene.ts'
import { CHUNK_ID } from './vectors.ts'

t.test('finding 9: a last fragment before everything came drops the data', async t => {
  for (const durable of [false, true]) {
    const { speaker, node, store, events } = await scene()
    await begin(speaker, 1, 7, { durable })
    await speaker.fragment(1, 0, 'abc')
    await speaker.expect(1, 'RecvAck')
    await speaker.fragment(1, 1, 'def', true)
    await speaker.expect(1, 'ChannelClose')
    t.equal((await ask(speaker, 2, commitOf('final'), 'CommitErr')).errorKind, 'not_found')
    t.equal((await ask(speaker, 3, QUERY, 'QueryResponse')).exists, false)
    t.same([store.objects.size, store.openWriters, node.locks.size, node.usage.reservedBytes], [0, 0, 0, 0])
    t.match(events.at(-1), { event: 'failed', code: 'ERR_INCOMPLETE', bytes: 3, direction: 'receive', name: CHUNK_ID })
  }
})

t.test('finding 9: more than announced stops at the announced byte, and what follows is ignored', async t => {
  const { speaker, store, events, served } = await scene()
  let most = 0
  store.before = operation => { if (operation === 'append') most = Math.max(most, store.bytes) }
  await begin(speaker, 1, 4)
  await speaker.fragment(1, 0, 'abc')
  for (let number = 1; number < 8; number++) await speaker.fragment(1, number, 'xyz', number === 7)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  t.match(await ask(speaker, 2, commitOf('final'), 'CommitErr'), { errorKind: 'not_found' })
  t.ok(most <= 4)
  t.match(events.at(-1), { event: 'failed', code: 'ERR_OVERFLOW' })
  await speaker.peer.end()
  t.equal(await served, undefined, 'the connection is unharmed')
})

t.test('finding 10: fragment numbers are checked', async t => {
  for (const wrong of [1, 5, 0xffff_ffff]) {
    const { speaker, store, events } = await scene()
    await begin(speaker, 1, 6)
    await speaker.fragment(1, wrong, 'abc')
    await speaker.expect(1, 'ChannelClose')
    t.match(await ask(speaker, 2, commitOf('final'), 'CommitErr'), { errorKind: 'not_found' })
    t.equal(store.objects.size, 0)
    t.match(events.at(-1), { event: 'failed', code: 'ERR_FRAGMENT_ORDER' })
  }
})

t.test('finding 11, section 4.6: a bare last fragment ends an empty upload', async t => {
  const { speaker, store } = await scene()
  await begin(speaker, 1, 0)
  await speaker.fragment(1, 0, '', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  await ask(speaker, 2, commitOf('final'), 'CommitOk')
  t.same(store.content(CHUNK_ID), new Uint8Array(0))
})

t.test('section 4.6: an empty upload is one that is closed at once, also when the commit overtakes the close', async t => {
  for (const overtaken of [false, true]) {
    const { speaker, store } = await scene()
    await begin(speaker, 1, 0)
    if (!overtaken) {
      await speaker.say(1, CLOSE)
      await speaker.expect(1, 'ChannelClose')
    }
    await speaker.say(2, OPEN, commitOf('final'))
    if (overtaken) await speaker.expect(1, 'ChannelClose')
    await speaker.expect(2, 'CommitOk', 'ChannelClose')
    t.equal(store.objects.get(CHUNK_ID)?.committed, true)
  }
})

t.test('whoever asks on seeing the close sees what the upload left, however long the store takes', async t => {
  for (const packet of [commitOf('final'), QUERY, { type: 'Put', append: true, chunkId: CHUNK_ID, size: 0n }] as const) {
    const { speaker, store } = await scene()
    const gate = Promise.withResolvers<void>()
    store.before = operation => operation === 'close' ? gate.promise : undefined
    await begin(speaker, 1, 3, { durable: true })
    await speaker.fragment(1, 0, 'abc')
    await speaker.expect(1, 'RecvAck')
    await speaker.say(1, CLOSE)
    await speaker.expect(1, 'ChannelClose')
    await speaker.say(2, OPEN, packet)
    await ask(speaker, 3, { type: 'Query', chunkId: 'e'.repeat(32) }, 'QueryResponse')
    gate.resolve()
    const heard = await speaker.hear()
    t.match(heard, { channel: 2, ...{ Commit: { type: 'CommitOk' }, Query: { type: 'QueryResponse', size: 3n }, Put: { type: 'PutErr', errorKind: 'not_found' } }[packet.type as 'Commit' | 'Query' | 'Put'] })
  }
})

t.test('finding 25: a second Put on a busy chunk is refused, and the first goes on', async t => {
  const { speaker, store } = await scene()
  await begin(speaker, 1, 6)
  await speaker.fragment(1, 0, 'abc')
  await speaker.expect(1, 'RecvAck')
  for (const append of [false, true]) {
    const channel = append ? 2 : 3
    t.equal((await ask(speaker, channel, { type: 'Put', append, chunkId: CHUNK_ID, size: append ? 3n : 6n }, 'PutErr')).errorKind, 'not_available')
  }
  await speaker.fragment(1, 1, 'def', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  await ask(speaker, 4, commitOf('final'), 'CommitOk')
  t.same(store.content(CHUNK_ID), new TextEncoder().encode('abcdef'))
})

t.test('findings 6 and 26: a commit of what is not complete is refused, of what is committed is not', async t => {
  const { speaker, store } = await scene()
  t.equal((await ask(speaker, 9, commitOf('final'), 'CommitErr')).errorKind, 'not_found')
  await begin(speaker, 1, 6, { durable: true })
  await speaker.fragment(1, 0, 'abc')
  await speaker.expect(1, 'RecvAck')
  t.equal((await ask(speaker, 2, commitOf('final'), 'CommitErr')).errorKind, 'not_available', 'while it runs')
  await speaker.say(1, CLOSE)
  await speaker.expect(1, 'ChannelClose')
  t.equal((await ask(speaker, 3, commitOf('final'), 'CommitErr')).errorKind, 'not_available', 'after it was interrupted')
  await speaker.say(4, OPEN, { type: 'Put', append: true, chunkId: CHUNK_ID, size: 3n })
  await speaker.expect(4, 'PutOk')
  await speaker.fragment(4, 0, 'def', true)
  await speaker.expect(4, 'RecvAck', 'ChannelClose')
  await ask(speaker, 5, commitOf('final'), 'CommitOk')
  await ask(speaker, 6, commitOf('final'), 'CommitOk')
  t.same(store.content(CHUNK_ID), new TextEncoder().encode('abcdef'))
})

t.test('finding 26: keep-alive, reject and no flag at all are always fine', async t => {
  const { speaker, node } = await scene()
  for (const [index, action] of (['keepAlive', 'reject', 'none'] as const).entries()) await ask(speaker, index + 1, commitOf(action, 'e'.repeat(32)), 'CommitOk')
  await begin(speaker, 10, 6, { temp: true })
  await speaker.expect(10, 'ChannelClose')
  await ask(speaker, 11, commitOf('none'), 'CommitOk')
  t.equal(node.usage.reservations, 1, 'which does nothing')
  await ask(speaker, 12, commitOf('reject'), 'CommitOk')
  t.equal(node.usage.reservations, 0, 'finding 27: a file that was never made is no obstacle')
})

t.test('findings 6 and 8: a durable upload resumes where the file ends, however often it was interrupted', async t => {
  const { speaker, store, node } = await scene()
  await begin(speaker, 1, 9, { durable: true })
  for (const [index, part] of ['ab', 'cd', 'ef'].entries()) {
    const channel = index + 1
    if (index > 0) {
      await speaker.say(channel, OPEN, { type: 'Put', append: true, chunkId: CHUNK_ID, size: BigInt(9 - index * 2) })
      await speaker.expect(channel, 'PutOk')
    }
    await speaker.fragment(channel, 0, part)
    await speaker.expect(channel, 'RecvAck')
    await speaker.say(channel, CLOSE)
    await speaker.expect(channel, 'ChannelClose')
    t.equal((await ask(speaker, 100 + channel, QUERY, 'QueryResponse')).size, BigInt((index + 1) * 2))
  }
  t.equal((await ask(speaker, 200, { type: 'Put', append: true, chunkId: CHUNK_ID, size: 9n }, 'PutErr')).errorKind, 'not_available', 'a size that is not what is missing')
  t.equal((await ask(speaker, 201, { type: 'Put', append: false, chunkId: CHUNK_ID, size: 3n }, 'PutErr')).errorKind, 'not_available', 'a new start must bring everything')
  await speaker.say(202, OPEN, { type: 'Put', append: true, chunkId: CHUNK_ID, size: 3n })
  await speaker.expect(202, 'PutOk')
  await speaker.fragment(202, 0, 'ghi', true)
  await speaker.expect(202, 'RecvAck', 'ChannelClose')
  await ask(speaker, 203, commitOf('final'), 'CommitOk')
  t.same(store.content(CHUNK_ID), new TextEncoder().encode('abcdefghi'))
  t.same([node.locks.size, store.openWriters, node.usage.reservedBytes], [0, 0, 0])
})

t.test('a Put without append starts over', async t => {
  const { speaker, store } = await scene()
  await begin(speaker, 1, 3, { durable: true })
  await speaker.fragment(1, 0, 'zz')
  await speaker.expect(1, 'RecvAck')
  await speaker.say(1, CLOSE)
  await speaker.expect(1, 'ChannelClose')
  await speaker.say(2, OPEN, { type: 'Put', append: false, chunkId: CHUNK_ID, size: 3n })
  await speaker.expect(2, 'PutOk')
  await speaker.fragment(2, 0, 'abc', true)
  await speaker.expect(2, 'RecvAck', 'ChannelClose')
  await ask(speaker, 3, commitOf('final'), 'CommitOk')
  t.same(store.content(CHUNK_ID), new TextEncoder().encode('abc'))
})

t.test('section 5.2: an interrupted upload that is not durable is gone, space and all; one that has every byte is complete', async t => {
  const { speaker, store, node } = await scene({ node: { maxBytes: 10 } })
  await begin(speaker, 1, 6)
  await speaker.fragment(1, 0, 'abc')
  await speaker.expect(1, 'RecvAck')
  t.equal(node.usage.reservedBytes, 6)
  await speaker.say(1, CLOSE)
  await speaker.expect(1, 'ChannelClose')
  t.equal((await ask(speaker, 2, { type: 'Put', append: true, chunkId: CHUNK_ID, size: 3n }, 'PutErr')).errorKind, 'not_found')
  t.same([store.objects.size, node.usage.reservedBytes], [0, 0])
  await begin(speaker, 3, 3)
  await speaker.fragment(3, 0, 'abc')
  await speaker.expect(3, 'RecvAck')
  await speaker.say(3, CLOSE)
  await speaker.expect(3, 'ChannelClose')
  await ask(speaker, 4, commitOf('final'), 'CommitOk')
})

t.test('section 5.1: without auto-start a reservation lives as long as its channel, and Put works on it', async t => {
  const { speaker, store, node } = await scene()
  await speaker.say(1, OPEN, { type: 'Reserve', flags: NONE, size: 3n })
  await speaker.expect(1, 'ReserveOk')
  t.equal(node.usage.reservations, 1)
  await speaker.say(1, CLOSE)
  await speaker.expect(1, 'ChannelClose')
  await settle(() => node.usage.reservations)
  t.equal(node.usage.reservations, 0)
  await speaker.say(2, OPEN, { type: 'Reserve', flags: NONE, size: 3n })
  await speaker.expect(2, 'ReserveOk')
  await speaker.say(2, { type: 'Put', append: false, chunkId: CHUNK_ID, size: 3n })
  await speaker.expect(2, 'PutOk')
  await speaker.fragment(2, 0, 'abc', true)
  await speaker.expect(2, 'RecvAck', 'ChannelClose')
  await ask(speaker, 3, commitOf('final'), 'CommitOk')
  t.same(store.content(CHUNK_ID), new TextEncoder().encode('abc'))
})

t.test('finding 31: delete, cancel and reject fail a running upload with a close, and leave nothing', async t => {
  for (const packet of [{ type: 'DeleteChunk', chunkId: CHUNK_ID }, { type: 'ReserveCancel', chunkId: CHUNK_ID }, commitOf('reject')] as const) {
    const { speaker, store, node, events } = await scene()
    await begin(speaker, 1, 6, { durable: true })
    await speaker.fragment(1, 0, 'abc')
    await speaker.expect(1, 'RecvAck')
    await speaker.say(2, OPEN, packet)
    await speaker.expect(1, 'ChannelClose')
    if (packet.type === 'Commit') await speaker.expect(2, 'CommitOk')
    await speaker.expect(2, 'ChannelClose')
    t.same([store.objects.size, store.openWriters, node.locks.size, node.usage.reservedBytes, node.usage.uploads], [0, 0, 0, 0, 0], packet.type)
    t.match(events.at(-1), { event: 'failed', code: 'ERR_REMOVED' })
  }
})

t.test('finding 27: ReserveCancel leaves a committed chunk alone, DeleteChunk does not', async t => {
  const { speaker, store } = await scene()
  store.plant(CHUNK_ID, Uint8Array.of(1))
  for (const [index, type] of (['ReserveCancel', 'DeleteChunk'] as const).entries()) {
    await speaker.say(index + 1, OPEN, { type, chunkId: CHUNK_ID })
    await speaker.expect(index + 1, 'ChannelClose')
    t.equal(store.objects.has(CHUNK_ID), type === 'ReserveCancel')
  }
})

t.test('finding 7: a reservation that fails is answered and undone', async t => {
  const { speaker, store, node } = await scene({ node: { maxBytes: 100, maxChunkBytes: 50 } })
  const reserve = (size: bigint) => ({ type: 'Reserve', flags: { ...NONE, autoStart: true }, size }) as const
  t.equal((await ask(speaker, 1, reserve(51n), 'ReserveErr')).spaceLeft, 50n)
  t.equal((await ask(speaker, 2, reserve(2n ** 64n - 1n), 'ReserveErr')).spaceLeft, 50n)
  node.paused = true
  t.equal((await ask(speaker, 3, reserve(1n), 'ReserveErr')).spaceLeft, 50n, 'more than was asked: the node is paused')
  node.paused = false
  store.before = operation => { if (operation === 'write') throw new StoreError('ERR_IO', 'injected') }
  t.equal((await ask(speaker, 4, reserve(5n), 'ReserveErr')).spaceLeft, 0n)
  t.same([node.usage.reservations, node.usage.reservedBytes, node.locks.size], [0, 0, 0])
})

t.test('pause mode: nothing new is reserved, while what was reserved is written and committed, and everything is read and removed', async t => {
  const { speaker, node, store } = await scene({ node: { maxBytes: 100, newChunkId: undefined } })
  const reserve = { type: 'Reserve', flags: { ...NONE, autoStart: true }, size: 6n } as const
  const running = await begin(speaker, 1, 6)
  await speaker.fragment(1, 0, 'abc')
  await speaker.expect(1, 'RecvAck')
  await speaker.say(2, OPEN, { type: 'Reserve', flags: { ...NONE, temp: true, durable: true }, size: 3n })
  const { chunkId: waiting } = await speaker.expect(2, 'ReserveOk')
  await speaker.expect(2, 'ChannelClose')

  node.paused = true
  t.equal((await ask(speaker, 3, reserve, 'ReserveErr')).spaceLeft, 91n, 'there would be room')
  t.equal((await ask(speaker, 4, { ...reserve, flags: { ...NONE, temp: true, durable: true } }, 'ReserveErr')).spaceLeft, 91n)
  await speaker.fragment(1, 1, 'def', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  t.equal((await ask(speaker, 5, commitOf('final', running), 'CommitOk')).type, 'CommitOk')
  await speaker.say(6, OPEN, { type: 'Put', append: false, chunkId: waiting, size: 3n })
  await speaker.expect(6, 'PutOk')
  await speaker.fragment(6, 0, 'ghi', true)
  await speaker.expect(6, 'RecvAck', 'ChannelClose')
  t.equal((await ask(speaker, 7, commitOf('final', waiting), 'CommitOk')).type, 'CommitOk')
  t.equal((await ask(speaker, 8, { type: 'Query', chunkId: running }, 'QueryResponse')).size, 6n)
  await speaker.say(9, OPEN, { type: 'DeleteChunk', chunkId: waiting })
  await speaker.expect(9, 'ChannelClose')
  t.same([...store.objects.keys()], [running])

  node.paused = false
  await speaker.say(10, OPEN, reserve)
  await speaker.expect(10, 'ReserveOk')
})

t.test('no oversubscription by reservations side by side', async t => {
  const { speaker, node } = await scene({ node: { maxBytes: 100, newChunkId: undefined } })
  for (let channel = 1; channel <= 20; channel++) await speaker.say(channel, OPEN, { type: 'Reserve', flags: { ...NONE, temp: true, durable: true }, size: 30n })
  const heard: string[] = []
  for (let count = 0; count < 40; count++) heard.push((await speaker.hear()).type)
  t.equal(heard.filter(type => type === 'ReserveOk').length, 3)
  t.equal(heard.filter(type => type === 'ReserveErr').length, 17)
  t.equal(node.usage.reservedBytes, 90)
})

t.test('a store that fails to write ends the upload with a close; what is durable stays resumable', async t => {
  for (const durable of [false, true]) {
    const { speaker, store, node, events } = await scene()
    await begin(speaker, 1, 6, { durable })
    await speaker.fragment(1, 0, 'abc')
    await speaker.expect(1, 'RecvAck')
    store.before = operation => { if (operation === 'append') throw new StoreError('ERR_NO_SPACE', 'injected') }
    await speaker.fragment(1, 1, 'def', true)
    await speaker.expect(1, 'ChannelClose')
    t.match(events.at(-1), { event: 'failed', code: 'ERR_STORE' })
    t.match(await ask(speaker, 2, QUERY, 'QueryResponse'), durable ? { exists: true, size: 3n } : { exists: false })
    t.same([node.locks.size, store.openWriters], [0, 0])
  }
})

t.test('a commit that the store fails can be tried again', async t => {
  const { speaker, store } = await scene()
  await begin(speaker, 1, 3)
  await speaker.fragment(1, 0, 'abc', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  store.before = operation => { if (operation === 'commit') throw new StoreError('ERR_IO', 'injected') }
  t.equal((await ask(speaker, 2, commitOf('final'), 'CommitErr')).errorKind, 'not_available')
  store.before = () => {}
  await ask(speaker, 3, commitOf('final'), 'CommitOk')
})

t.test('finding 30: an acknowledgement follows the write, the commit\'s reply the commit', async t => {
  const { speaker, store } = await scene()
  let gate = Promise.withResolvers<void>()
  const log: string[] = []
  store.before = async operation => {
    if (operation !== 'append' && operation !== 'commit') return
    await gate.promise
    log.push(operation)
  }
  await begin(speaker, 1, 3)
  await speaker.fragment(1, 0, 'abc', true)
  await speaker.say(5, OPEN, { type: 'Query', chunkId: 'e'.repeat(32) })
  await speaker.expect(5, 'QueryResponse', 'ChannelClose')
  t.same(log, [], 'nothing about channel 1 before the write')
  gate.resolve()
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  t.same(log, ['append'])
  gate = Promise.withResolvers<void>()
  await speaker.say(2, OPEN, commitOf('final'))
  await speaker.say(6, OPEN, { type: 'Query', chunkId: 'e'.repeat(32) })
  await speaker.expect(6, 'QueryResponse', 'ChannelClose')
  gate.resolve()
  await speaker.expect(2, 'CommitOk', 'ChannelClose')
  t.same(log, ['append', 'commit'])
})

t.test('more fragments than the window allows end the connection', async t => {
  const { speaker, store, served } = await scene()
  const gate = Promise.withResolvers<void>()
  store.before = operation => operation === 'append' ? gate.promise : undefined
  await begin(speaker, 1, 100)
  // Ten are announced, and the original has one more under way; the first is taken and waits for its write.
  for (let number = 0; number < 12; number++) await speaker.fragment(1, number, 'x').catch(() => {})
  t.ok((await speaker.peer.readUntilGone()).error)
  gate.resolve()
  t.match(await served, { code: 'ERR_UNEXPECTED_PACKET', scope: 'connection' })
  t.equal(store.objects.size, 0)
})

t.test('an upload that vanishes with its connection leaves nothing, or what is durable', async t => {
  for (const durable of [false, true]) {
    const { speaker, store, node, served } = await scene()
    await begin(speaker, 1, 6, { durable })
    await speaker.fragment(1, 0, 'abc')
    await speaker.expect(1, 'RecvAck')
    speaker.peer.die()
    t.match(await served, { code: 'ERR_CONNECTION_LOST' })
    t.same([store.objects.size, store.openWriters, node.locks.size, node.usage.uploads], [durable ? 1 : 0, 0, 0, 0])
  }
})

t.test('seed: a chunk is there as soon as its last fragment is acknowledged; a delayed upload comes from byte 0', async t => {
  const { speaker, store } = await scene({ profile: SEED })
  await begin(speaker, 1, 3)
  await speaker.fragment(1, 0, 'abc', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  t.equal(store.objects.get(CHUNK_ID)?.committed, true)
  const fresh = await scene({ profile: SEED })
  await begin(fresh.speaker, 1, 4, { autoStart: false, durable: true, temp: true })
  await fresh.speaker.expect(1, 'ChannelClose')
  for (const [channel, last] of [[2, false], [3, true]] as const) {
    await fresh.speaker.say(channel, OPEN, { type: 'Put', append: false, chunkId: CHUNK_ID, size: 0n })
    await fresh.speaker.expect(channel, 'PutOk')
    await fresh.speaker.fragment(channel, 0, last ? 'abcd' : 'ab', last)
    await fresh.speaker.expect(channel, 'RecvAck')
    if (!last) await fresh.speaker.say(channel, CLOSE)
    await fresh.speaker.expect(channel, 'ChannelClose')
  }
  t.same(fresh.store.content(CHUNK_ID), new TextEncoder().encode('abcd'))
})

t.test('a new node counts what its store has', async t => {
  const store = new MemoryStore()
  store.plant('e'.repeat(32), new Uint8Array(70))
  const { speaker, node } = await scene({ store, node: { maxBytes: 100 } })
  t.equal((await ask(speaker, 1, { type: 'Reserve', flags: NONE, size: 31n }, 'ReserveErr')).spaceLeft, 30n)
  await speaker.say(2, OPEN, { type: 'DeleteChunk', chunkId: 'e'.repeat(32) })
  await speaker.expect(2, 'ChannelClose')
  t.equal(node.usage.usedBytes, 0)
  await begin(speaker, 3, 100)
})
