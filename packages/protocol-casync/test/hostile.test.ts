import type { Channel, Chunk, ChunkSource } from '@ropewalk/interface'
import { counting, duplexPair, scriptedPeer, settle, turn, VirtualClock, type ScriptedPeer } from '@ropewalk/testing'
import t from 'tap'
import { HELLO_TIMEOUT_MS, IDLE_TIMEOUT_MS, LAST_WORDS_MS } from '../src/constants.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { encodeMessage, MessageDecoder, type Message } from '../src/message-codec.ts'
import { pull } from '../src/pull.ts'
import { push } from '../src/push.ts'
import { servePull } from '../src/serve-pull.ts'
import { servePush } from '../src/serve-push.ts'
import { chunksOf, gather, SMALL } from './blobs.ts'
import { encodeIndex } from '../src/index-file.ts'
import { counter, nodeHash } from './inputs.ts'
import { compression } from './scene.ts'

const ids = (...hex: string[]): Uint8Array => Buffer.from(hex.join(''), 'hex')
const id = (n: number): string => n.toString(16).padStart(64, '0')
const say = async (peer: ScriptedPeer, ...messages: Message[]): Promise<void> => { await peer.send(Buffer.concat(messages.flatMap(encodeMessage))) }

/** The next message that the side under test says. */
function listener (peer: ScriptedPeer): () => Promise<Message> {
  const decoder = new MessageDecoder()
  const heard: Message[] = []
  return async () => {
    while (heard.length === 0) heard.push(...decoder.push(await peer.read(1)))
    return heard.shift() as Message
  }
}

function scene (options: { capacityBytes?: number } = {}): { channel: Channel, peer: ScriptedPeer, clock: VirtualClock } {
  const [left, right] = duplexPair(options)
  return { channel: right, peer: scriptedPeer(left), clock: new VirtualClock() }
}

const file = (log: string[] = []): { write (): Promise<void>, commit (): Promise<void>, discard (): Promise<void> } => ({
  write: async () => {},
  commit: async () => { log.push('commit') },
  discard: async () => { log.push('discard') }
})
const nothing: ChunkSource = { get: async () => undefined }

const ROLES: ReadonlyArray<[string, (channel: Channel, more: object) => Promise<unknown>, bigint]> = [
  ['pull client', async (channel, more) => await pull(channel, { hash: nodeHash, compression, ...more }), 0x5n],
  ['pull server', async (channel, more) => await servePull(channel, { store: nothing, compression, ...more }), 0x40n],
  ['push client', async (channel, more) => await push(channel, { index: [new Uint8Array(104)], store: nothing, compression, ...more }), 0xan],
  ['push server', async (channel, more) => await servePush(channel, { index: file(), store: new MemoryStore(nodeHash), hash: nodeHash, compression, ...more }), 0xe00n]
]

for (const [role, begin, hello] of ROLES) {
  t.test(`${role}: whoever says no hello in time is told, and left`, async t => {
    const { channel, peer, clock } = scene()
    const next = listener(peer)
    const begun = begin(channel, { clock })
    begun.catch(() => {})
    t.equal((await next()).type, 'HELLO')
    await clock.advance(HELLO_TIMEOUT_MS - 1)
    await clock.advance(1)
    await t.rejects(begun, { code: 'ERR_TIMEOUT', message: 'no hello within 30000 ms', remote: true })
    t.match(await next(), { type: 'ABORT', errno: 110 })
    await clock.advance(LAST_WORDS_MS)
    t.match((await peer.readUntilGone()).error, { code: 'ERR_RESET' }, 'and cut off, if it does not go')
    t.equal(clock.pending, 0, 'no timer is left')
  })

  t.test(`${role}: an aborted signal ends it at once, and the peer is told`, async t => {
    const { channel, peer, clock } = scene()
    const next = listener(peer)
    const controller = new AbortController()
    const begun = begin(channel, { clock, signal: controller.signal })
    begun.catch(() => {})
    t.equal((await next()).type, 'HELLO')
    controller.abort(new Error('enough'))
    await t.rejects(begun, { message: 'enough' })
    t.equal((await next()).type, 'ABORT')
    await peer.end()
    await turn()
    t.equal(clock.pending, 0)
    await t.rejects(begin(scene().channel, { clock, signal: controller.signal }), { message: 'enough' }, 'before it begins, too')
  })

  t.test(`${role}: a peer that vanishes is an error with its cause`, async t => {
    const { channel, peer, clock } = scene()
    const begun = begin(channel, { clock })
    begun.catch(() => {})
    await say(peer, { type: 'HELLO', flags: hello })
    peer.die(new Error('power'))
    if (role !== 'pull client') await t.rejects(begun, { code: 'ERR_INTERRUPTED', cause: { code: 'ERR_RESET' } })
    else await t.rejects(begun.then(async session => await gather((session as { index: AsyncIterable<Uint8Array> }).index)), { code: 'ERR_INTERRUPTED' })
  })
}

t.test('pull client: a server that falls silent while it owes something is left', async t => {
  const { channel, peer, clock } = scene()
  const next = listener(peer)
  const begun = pull(channel, { index: false, hash: nodeHash, compression, clock })
  await say(peer, { type: 'HELLO', flags: 0x1n })
  const session = await begun
  await next()
  await clock.advance(10 * IDLE_TIMEOUT_MS)
  t.equal(clock.pending, 0, 'nothing is owed')
  const got = session.get(id(1))
  got.catch(() => {})
  t.match(await next(), { type: 'REQUEST' })
  await clock.advance(IDLE_TIMEOUT_MS)
  await t.rejects(got, { code: 'ERR_TIMEOUT', message: 'no byte within 300000 ms' })
  await t.rejects(session.get(id(2)), { code: 'ERR_TIMEOUT' }, 'and the session is over')
})

t.test('pull client: takes a chunk once, when it is asked for, and only if it fits', async t => {
  const { channel, peer, clock } = scene()
  const next = listener(peer)
  const begun = pull(channel, { index: false, hash: nodeHash, compression, clock, maxOutstanding: 2 })
  await say(peer, { type: 'HELLO', flags: 0x1n })
  const session = await begun
  await next()
  const [one, two, three] = (await chunksOf(counter('once', 3000))).slice(0, 3) as unknown as [Chunk, Chunk, Chunk]
  const gets = [one, two, three].map((chunk, i) => session.get(chunk.id, { urgent: i === 1, length: chunk.bytes.length }))
  for (const get of gets) get.catch(() => {})
  t.match(await next(), { type: 'REQUEST', high: false, ids: ids(one.id) })
  t.match(await next(), { type: 'REQUEST', high: true, ids: ids(two.id) })
  await say(peer, { type: 'CHUNK', compressed: false, id: two.id, data: two.bytes })
  t.same((await gets[1])?.bytes, Buffer.from(two.bytes))
  t.match(await next(), { type: 'REQUEST', ids: ids(three.id) }, 'the third waited for room')
  await t.rejects(session.get(two.id), { code: 'ERR_ASKED_BEFORE', remote: false }, 'the original would never answer')
  await say(peer, { type: 'MISSING', id: three.id })
  t.equal(await gets[2], undefined)
  t.equal(await session.get(three.id), undefined, 'what is missing stays so, unasked')
  const wrong = Uint8Array.from(one.bytes)
  wrong[5] = (wrong[5] as number) ^ 1
  await say(peer, { type: 'CHUNK', compressed: false, id: one.id, data: wrong })
  await t.rejects(gets[0] as Promise<unknown>, { code: 'ERR_CHUNK_DAMAGED', scope: 'transfer', id: one.id })
  await say(peer, { type: 'CHUNK', compressed: false, id: two.id, data: two.bytes })
  t.match(await next(), { type: 'ABORT', errno: 74, reason: /not asked for/ })
  await t.rejects(session.get(id(9)), { code: 'ERR_UNREQUESTED', id: two.id })
})

t.test('pull client: a chunk that cannot be what it should is not even decompressed', async t => {
  const { channel, peer } = scene()
  let decompressed = 0
  const begun = pull(channel, { index: false, hash: nodeHash, compression: { ...compression, decompress: async () => { decompressed++; return new Uint8Array(0) } } })
  await say(peer, { type: 'HELLO', flags: 0x1n })
  const session = await begun
  const got = session.get(id(1), { length: 1000 })
  got.catch(() => {})
  await say(peer, { type: 'CHUNK', compressed: true, id: id(1), data: new Uint8Array(100_000) })
  await t.rejects(got, { code: 'ERR_CHUNK_SIZE', message: /100000 bytes for a chunk of up to 1000/ })
  t.equal(decompressed, 0)
})

t.test('pull client: an index is kept up to its limit while nobody reads it', async t => {
  const { channel, peer } = scene()
  const begun = pull(channel, { chunks: false, hash: nodeHash, compression, maxIndexBytes: 1000 })
  await say(peer, { type: 'HELLO', flags: 0x4n }, { type: 'INDEX', data: new Uint8Array(1000) })
  const session = await begun
  await say(peer, { type: 'INDEX', data: new Uint8Array(1) })
  await t.rejects(gather(session.index), { code: 'ERR_INDEX_TOO_LARGE', message: 'index too large: 1001 > 1000 bytes' })
})

t.test('pull server: a client that asks and does not read fills nothing', async t => {
  const { channel, peer } = scene({ capacityBytes: 64 * 1024 })
  let looked = 0
  const bytes = counter('greedy', 65_536)
  const store: ChunkSource = { get: async id => { looked++; return { id, bytes, compressed: bytes } } }
  const controller = new AbortController()
  const serving = servePull(channel, { store, compression, maxQueued: 50, signal: controller.signal })
  serving.catch(() => {})
  await say(peer, { type: 'HELLO', flags: 0x40n })
  const requests = counting((function * () {
    for (let i = 0; i < 4000; i++) yield Buffer.concat(encodeMessage({ type: 'REQUEST', high: false, ids: ids(...Array.from({ length: 100 }, (_, k) => id(i * 100 + k))) }))
  })())
  void (async () => { for await (const bytes of requests) await peer.send(bytes as Uint8Array) })().catch(() => {})
  await settle(() => looked + requests.bytes)
  t.ok(looked < 30, `${looked} chunks were looked at`)
  t.ok(requests.bytes < 200_000, `${requests.bytes} bytes of requests were taken, of 12 million`)
  controller.abort(new Error('enough'))
  await t.rejects(serving, { message: 'enough' })
})

t.test('pull server: a damaged chunk is not sent, and its name is told', async t => {
  const { channel, peer } = scene()
  const next = listener(peer)
  const damage = Object.assign(new Error('bad disk in /secret/place'), { code: 'ERR_CHUNK_DAMAGED', id: id(3) })
  const serving = servePull(channel, { store: { get: async () => { throw damage } }, compression })
  serving.catch(() => {})
  await say(peer, { type: 'HELLO', flags: 0x40n }, { type: 'REQUEST', high: true, ids: ids(id(3)) })
  await next()
  t.match(await next(), { type: 'ABORT', errno: 74, reason: 'ERR_CHUNK_DAMAGED' }, 'not where our files are')
  await t.rejects(serving, { code: 'ERR_CHUNK_DAMAGED', id: id(3), remote: false, cause: damage })
})

t.test('push client: requests are answered once each, up to the limit', async t => {
  const { channel, peer } = scene()
  const pushing = push(channel, { index: [new Uint8Array(104)], store: nothing, compression, maxChunks: 3 })
  pushing.catch(() => {})
  await say(peer, { type: 'HELLO', flags: 0xan }, { type: 'REQUEST', high: false, ids: ids(id(1), id(2), id(1), id(3)) }, { type: 'REQUEST', high: true, ids: ids(id(2)) })
  await say(peer, { type: 'REQUEST', high: false, ids: ids(id(4)) })
  await t.rejects(pushing, { code: 'ERR_TOO_MANY_REQUESTS', message: '4 > 3 chunks were asked for' })
})

t.test('push client: fails when the server ends without a goodbye, whatever it was given', async t => {
  const { channel, peer } = scene()
  const pushing = push(channel, { index: [new Uint8Array(104)], store: nothing, compression })
  pushing.catch(() => {})
  await say(peer, { type: 'HELLO', flags: 0xan })
  await peer.end()
  await t.rejects(pushing, { code: 'ERR_INTERRUPTED', message: /without a goodbye/ })
})

t.test('push server: nothing that does not fit its id reaches the store, and no index appears', async t => {
  const chunks = await chunksOf(counter('pushed', 2000))
  const index = Buffer.concat(await gather(encodeIndex({ sizes: SMALL })(chunks)))
  const [first] = chunks as unknown as [Chunk]
  const wrong = Uint8Array.from(first.bytes)
  wrong[0] = (wrong[0] as number) ^ 0x80
  for (const data of [wrong, first.bytes.subarray(1), Buffer.concat([first.bytes, first.bytes]), new Uint8Array(1_000_000)]) {
    const { channel, peer } = scene()
    const store = new MemoryStore(nodeHash)
    const log: string[] = []
    const serving = servePush(channel, { index: file(log), store, hash: nodeHash, compression })
    serving.catch(() => {})
    const next = listener(peer)
    await say(peer, { type: 'HELLO', flags: 0xe00n }, { type: 'INDEX', data: index }, { type: 'INDEX_EOF' })
    await next()
    t.match(await next(), { type: 'REQUEST', high: false })
    await say(peer, { type: 'CHUNK', compressed: false, id: first.id, data })
    t.match(await next(), { type: 'ABORT', errno: 74 })
    await t.rejects(serving, { code: /ERR_CHUNK_(DAMAGED|SIZE)/, id: first.id })
    t.same(await gather(store.list()), [])
    t.same(log, ['discard'])
  }
})

t.test('push server: an index appears when its last chunk is stored and durable, not when it has come', async t => {
  const chunks = await chunksOf(counter('slow', 300))
  const { channel, peer } = scene()
  const next = listener(peer)
  const log: string[] = []
  const store = new MemoryStore(nodeHash)
  const gate = Promise.withResolvers<void>()
  const slow = {
    get: store.get.bind(store),
    has: store.has.bind(store),
    put: async (chunk: Chunk) => {
      if (chunk.id === chunks.at(-1)?.id) await gate.promise
      log.push('put')
      return await store.put(chunk)
    },
    sync: async () => { log.push('sync') }
  }
  const serving = servePush(channel, { index: file(log), store: slow, hash: nodeHash, compression })
  await say(peer, { type: 'HELLO', flags: 0xe00n }, { type: 'INDEX', data: Buffer.concat(await gather(encodeIndex({ sizes: SMALL })(chunks))) }, { type: 'INDEX_EOF' })
  await next()
  await next()
  await say(peer, ...chunks.map(({ id, bytes }): Message => ({ type: 'CHUNK', compressed: false, id, data: bytes })))
  // Nothing more will come from there: what is here is enough.
  await peer.end()
  await settle(() => log.length)
  t.same(log, chunks.slice(1).map(() => 'put'))
  gate.resolve()
  t.equal((await next()).type, 'GOODBYE')
  t.same(log, [...chunks.map(() => 'put'), 'sync', 'commit'])
  t.equal((await serving).chunks, chunks.length)
})

t.test('push server: an index over its limit is refused before it is kept', async t => {
  const { channel, peer } = scene()
  let written = 0
  const serving = servePush(channel, { index: { ...file(), write: async (bytes?: Uint8Array) => { written += bytes?.length ?? 0 } }, store: new MemoryStore(nodeHash), hash: nodeHash, compression, maxIndexBytes: 500 })
  serving.catch(() => {})
  const index = Buffer.concat(await gather(encodeIndex({ sizes: SMALL })(await chunksOf(counter('long', 3000)))))
  await say(peer, { type: 'HELLO', flags: 0xe00n }, { type: 'INDEX', data: index })
  await t.rejects(serving, { code: 'ERR_INDEX_TOO_LARGE', message: new RegExp(`${index.length} > 500 bytes`) })
  t.equal(written, 0)
})

t.test('push server: what our own side cannot do is told as a number, and kept as the cause', async t => {
  const { channel, peer } = scene()
  const next = listener(peer)
  const full = Object.assign(new Error('/secret/place is full'), { code: 'ENOSPC' })
  const serving = servePush(channel, { index: { ...file(), write: async () => { throw full } }, store: new MemoryStore(nodeHash), hash: nodeHash, compression })
  serving.catch(() => {})
  await say(peer, { type: 'HELLO', flags: 0xe00n }, { type: 'INDEX', data: Buffer.concat(await gather(encodeIndex()([]))) })
  await next()
  t.same(await next(), { type: 'ABORT', errno: 28, reason: 'ERR_STORE' })
  await t.rejects(serving, { code: 'ERR_STORE', remote: false, cause: full })
})

t.test('an ABORT of the peer is told by its number and its text, made printable', async t => {
  const { channel, peer } = scene()
  const begun = pull(channel, { hash: nodeHash, compression })
  begun.catch(() => {})
  const [abort] = encodeMessage({ type: 'ABORT', errno: 13, reason: 'no??[31mred' }) as [Uint8Array]
  abort.set([0xc2, 0x9b], 16 + 8 + 2)
  await peer.send(abort)
  await t.rejects(begun, { code: 'ERR_ABORTED', errno: 13, reason: 'no [31mred', message: 'the peer gave up: no [31mred (error 13)', remote: true })
})
