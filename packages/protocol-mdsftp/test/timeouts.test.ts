/** Every wait has a limit. All of these run on a virtual clock. */
import { duplexPair, hexdump, settle, turn, VirtualClock } from '@ropewalk/testing'
import t from 'tap'
import { commit, connectNode, lock, put, putChunk, query, remove, reserve, retrieve, type ClientOptions, type StorageConnection } from '../src/index.ts'
import { nodes, DIALER_ID } from './nodes.ts'
import { ask, begin, CLOSE, commitOf, NONE, OPEN, QUERY, scene } from './scene.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

async function scripted (): Promise<{ client: StorageConnection, speaker: Speaker, clock: VirtualClock }> {
  const [left, right] = duplexPair({ attach: true })
  const speaker = new Speaker(right)
  const client = connectNode(left, { nodeId: DIALER_ID })
  await speaker.peer.expect(hexdump(DIALER_ID))
  return { client, speaker, clock: new VirtualClock() }
}

async function drain (iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const each of iterable) void each
}

t.test('a request that is not answered fails after 30 s, and its channel is closed', async t => {
  const requests: Array<(client: StorageConnection, options: ClientOptions) => Promise<unknown>> = [
    (client, options) => query(client, CHUNK_ID, options),
    (client, options) => reserve(client, 1, options),
    (client, options) => commit(client, CHUNK_ID, 'final', options),
    (client, options) => putChunk(client, CHUNK_ID, [], { size: 1, ...options }),
    (client, options) => lock(client, CHUNK_ID, 'read', options),
    (client, options) => remove(client, CHUNK_ID, options),
    (client, options) => put(client, [], { size: 1, ...options }),
    (client, options) => drain(retrieve(client, CHUNK_ID, options))
  ]
  for (const request of requests) {
    const { client, speaker, clock } = await scripted()
    const asked = request(client, { clock })
    asked.catch(() => {})
    const { channel } = await speaker.hear()
    await speaker.hear()
    // Unsolicited replies do not prolong the wait.
    await clock.advance(29_000)
    await speaker.say(channel, { type: 'ReserveErr', spaceLeft: 0n }).catch(() => {})
    if (client.size === 1) {
      await clock.advance(1_000)
      const error = await asked.catch(error => error)
      t.match(error, { scope: /channel|transfer/ }, request.toString())
      await speaker.expect(channel, 'ChannelClose')
    }
    t.equal(clock.pending, 0)
    client.abort(new Error('done'))
  }
})

t.test('a first fragment may take 15 s, each other 60 s, and the consumer all the time it wants', async t => {
  for (const received of [0, 1]) {
    const { client, speaker, clock } = await scripted()
    const iterator = retrieve(client, CHUNK_ID, { size: 10, clock })[Symbol.asyncIterator]()
    let next = iterator.next()
    const { channel } = await speaker.request('Retrieve')
    if (received > 0) {
      await speaker.fragment(channel, 0, 'abc')
      await next
      await clock.advance(10_000_000)
      t.equal(client.size, 1, 'nobody waits for the peer now')
      next = iterator.next()
    }
    next.catch(() => {})
    await clock.advance(received === 0 ? 14_999 : 59_999)
    t.equal(client.size, 1)
    await clock.advance(1)
    await t.rejects(next, { code: 'ERR_TIMEOUT', remote: true })
    if (received > 0) await speaker.expect(channel, 'RecvAck')
    await speaker.expect(channel, 'ChannelClose')
    t.equal(clock.pending, 0)
    client.abort(new Error('done'))
  }
})

t.test('an upload that is not acknowledged for 60 s fails, and the peer is told; a slow source is nobody\'s fault', async t => {
  const { client, speaker, clock } = await scripted()
  const gate = Promise.withResolvers<void>()
  const source = async function * (): AsyncGenerator<Uint8Array> {
    await gate.promise
    yield new Uint8Array(3)
    yield new Uint8Array(3)
  }
  const stored = put(client, source(), { size: 6, fragmentBytes: 3, clock, keepAliveMs: 1e12 })
  stored.catch(() => {})
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 1 })
  await clock.advance(10_000_000)
  gate.resolve()
  await speaker.expect(channel, 'FileChunk')
  await clock.advance(59_000)
  await speaker.say(channel, { type: 'RecvAck', number: 0 })
  await speaker.expect(channel, 'FileChunk')
  await clock.advance(59_999)
  t.equal(client.size, 1)
  await clock.advance(1)
  await speaker.expect(channel, 'ChannelClose')
  const rejected = await speaker.request('Commit')
  t.equal(rejected.flags.reject, true)
  // Nor does it wait for ever for the answer to that.
  await clock.advance(5_000)
  await t.rejects(stored, { code: 'ERR_TIMEOUT' })
  t.equal(clock.pending, 0)
  client.abort(new Error('done'))
})

t.test('each acknowledgement gives the rest another 60 s', async t => {
  const { client, speaker, clock } = await scripted()
  const stored = put(client, [new Uint8Array(9)], { size: 9, fragmentBytes: 3, clock, keepAliveMs: 1e12, durable: true })
  stored.catch(() => {})
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 10 })
  await speaker.expect(channel, 'FileChunk', 'FileChunk', 'FileChunk')
  await clock.advance(59_000)
  await speaker.say(channel, { type: 'RecvAck', number: 0 })
  await clock.advance(59_999)
  t.equal(client.size, 1)
  await clock.advance(1)
  await t.rejects(stored, { code: 'ERR_TIMEOUT' })
  client.abort(new Error('done'))
})

t.test('conduct 6: a running upload keeps its reservation alive each 60 s, on channels of their own', async t => {
  const { client, speaker, clock } = await scripted()
  const gate = Promise.withResolvers<void>()
  const stored = put(client, (async function * () { await gate.promise; yield new Uint8Array(1) })(), { size: 1, clock })
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 1 })
  for (let minute = 0; minute < 3; minute++) {
    await clock.advance(60_000)
    const { flags, channel: other, chunkId } = await speaker.request('Commit')
    t.same([flags, chunkId], [{ reject: false, keepAlive: true, final: false }, CHUNK_ID])
    await speaker.say(other, { type: 'CommitOk' }, CLOSE)
    await speaker.expect(other, 'ChannelClose')
  }
  gate.resolve()
  await speaker.expect(channel, 'FileChunk')
  await speaker.say(channel, { type: 'RecvAck', number: 0 }, CLOSE)
  await speaker.expect(channel, 'ChannelClose')
  const { flags, channel: last } = await speaker.request('Commit')
  t.equal(flags.final, true)
  await speaker.say(last, { type: 'CommitOk' }, CLOSE)
  await stored
  t.equal(clock.pending, 0)
  client.abort(new Error('done'))
})

t.test('a channel on which nothing is asked is closed after 60 s, one that holds a lock after 300 s', async t => {
  const { speaker, node, store, clock } = await scene()
  store.plant(CHUNK_ID, new Uint8Array(1))
  await speaker.say(1, OPEN)
  await speaker.say(2, OPEN, { type: 'LockReq', kind: 'write', chunkId: CHUNK_ID })
  await speaker.expect(2, 'LockAcquire')
  await clock.advance(60_000)
  await speaker.expect(1, 'ChannelClose')
  await clock.advance(200_000)
  await speaker.say(2, { type: 'LockReq', kind: 'write', chunkId: CHUNK_ID })
  await speaker.expect(2, 'LockAcquire')
  await clock.advance(299_999)
  t.equal(node.locks.size, 1)
  await clock.advance(1)
  await speaker.expect(2, 'ChannelClose')
  t.equal(node.locks.size, 0)
  t.equal(clock.pending, 0)
})

t.test('an uploader that says nothing for 60 s, or a reader that acknowledges nothing, is given up', async t => {
  const { speaker, node, store, clock, events } = await scene()
  await begin(speaker, 1, 6)
  await clock.advance(59_999)
  await speaker.fragment(1, 0, 'abc')
  await speaker.expect(1, 'RecvAck')
  await clock.advance(59_999)
  t.equal(node.usage.uploads, 1)
  await clock.advance(1)
  await speaker.expect(1, 'ChannelClose')
  t.same([store.objects.size, node.usage.uploads, node.locks.size], [0, 0, 0])
  t.match(events.at(-1), { event: 'failed', code: 'ERR_TIMEOUT' })
  store.plant(CHUNK_ID, new Uint8Array(10))
  await speaker.say(2, OPEN, { type: 'Retrieve', chunkId: CHUNK_ID, chunkBuffer: 0 })
  await speaker.expect(2, 'FileChunk')
  await clock.advance(60_000)
  await speaker.expect(2, 'ChannelClose')
  t.same([store.openReaders, node.locks.size, clock.pending], [0, 0, 0])
})

t.test('finding 27: reservations live an hour, give their space back, and keep-alives prolong them', async t => {
  const ids = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(32))
  const { speaker, store, node, clock } = await scene({ node: { maxBytes: 100, newChunkId: () => ids.shift() as string } })
  for (const channel of [1, 2]) await speaker.say(channel, OPEN, { type: 'Reserve', flags: { ...NONE, durable: true, temp: true }, size: 40n })
  for (const channel of [1, 2]) await speaker.expect(channel, 'ReserveOk', 'ChannelClose')
  await begin(speaker, 3, 3)
  await speaker.fragment(3, 0, 'abc', true)
  await speaker.expect(3, 'RecvAck', 'ChannelClose')
  await clock.advance(3_000_000)
  await ask(speaker, 4, commitOf('keepAlive', 'b'.repeat(32)), 'CommitOk')
  await clock.advance(600_000)
  t.equal(node.usage.reservedBytes, 80)
  const { spaceLeft } = await ask(speaker, 5, { type: 'Reserve', flags: { ...NONE, temp: true }, size: 1000n }, 'ReserveErr')
  t.same([spaceLeft, node.usage.reservations, store.objects.size], [60n, 1, 0], 'one reservation and the chunk that nobody committed are gone')
  t.equal((await ask(speaker, 6, commitOf('final', 'c'.repeat(32)), 'CommitErr')).errorKind, 'not_found')
})

t.test('an upload under way is not swept, however long it takes', async t => {
  const { speaker, node, clock } = await scene({ serve: { progressMs: 1e9 }, node: { reservationLifeMs: 1000, sweepMs: 0 } })
  await begin(speaker, 1, 3)
  await clock.advance(5000)
  await node.sweep()
  await speaker.fragment(1, 0, 'abc', true)
  await speaker.expect(1, 'RecvAck', 'ChannelClose')
  t.equal((await ask(speaker, 2, QUERY, 'QueryResponse')).size, 3n)
})

t.test('an aborted signal ends the operation with its reason, tells the peer, and leaves nothing running', async t => {
  const clock = new VirtualClock()
  const { client, node, store } = await nodes({ attach: true })
  store.plant(CHUNK_ID, new Uint8Array(1_000_000))
  const aborted = AbortSignal.abort(new Error('before'))
  await t.rejects(query(client, CHUNK_ID, { signal: aborted }), { message: 'before' })
  await t.rejects(put(client, [], { size: 1, signal: aborted }), { message: 'before' })
  await t.rejects(drain(retrieve(client, CHUNK_ID, { signal: aborted })), { message: 'before' })

  const uploading = new AbortController()
  const released = Promise.withResolvers<void>()
  const source = (async function * () {
    try {
      yield new Uint8Array(300_000)
      await new Promise(() => {})
    } finally {
      released.resolve()
    }
  })()
  const stored = put(client, source, { size: 1_000_000, signal: uploading.signal, clock, onEvent: ({ event }) => { if (event === 'progress') uploading.abort(new Error('enough')) } })
  await t.rejects(stored, { message: 'enough' })
  t.same([store.objects.size, node.usage.uploads, node.usage.reservations], [1, 0, 0])

  const reading = new AbortController()
  await t.rejects((async () => {
    for await (const bytes of retrieve(client, CHUNK_ID, { signal: reading.signal, clock })) {
      t.ok(bytes.byteLength > 0)
      reading.abort(new Error('read enough'))
    }
  })(), { message: 'read enough' })
  await settle(() => client.size)
  t.same([client.size, clock.pending, node.locks.size, store.openReaders], [0, 0, 0, 0])
  await turn()
  await client.close()
})
