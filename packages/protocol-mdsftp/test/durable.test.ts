/** Uploads that outlive their connection, their peer and their process. */
import type { Connection, TransferEvent } from '@ropewalk/interface'
import { MemoryStore } from '@ropewalk/store-memory'
import { duplexPair, faulty, hexdump, link, patternAt, VirtualClock, verify } from '@ropewalk/testing'
import t from 'tap'
import { pause } from '../src/clock.ts'
import {
  acceptNode, connectNode, GIVE_UP_MS, JOURNAL_BYTES, MAX_DURABLE_SEND_BYTES, MAX_RESTARTS, MAX_SEND_BYTES, memoryJournal, Pool, putDurable, putPersistent, query, retrieve, serve, StorageNode, systemClock, upload,
  type DurableOptions, type RandomAccess, type StorageConnection, type Use
} from '../src/index.ts'
import { SEED } from '../src/codec.ts'
import { DIALER_ID, nodes } from './nodes.ts'
import { CLOSE } from './scene.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

const SIZE = 100_000
const WINDOW = 4096
const SMALL = { size: SIZE, fragmentBytes: 1000, maxBytes: WINDOW, backoffFirstMs: 0 }

t.test('a connection that breaks again and again: the upload ends whole, and no break sends more than a window twice', async t => {
  for (const every of [3_000, 17_011, 60_000]) {
    const node = new StorageNode({ store: new MemoryStore() })
    const content = reading()
    const events: TransferEvent[] = []
    let breaks = 0
    // Each connection carries more than the one before, or the shortest would never get anywhere.
    const use = using(node, connection => faulty(connection, { dropAfter: { bytes: every + 500 * breaks++ } }, 'outgoing'))
    const { chunkId } = await putPersistent(use, content, { ...SMALL, journal: memoryJournal(), onEvent: event => events.push(event) })
    await verify(retrieve(await connectTo(node), chunkId), SIZE)
    t.ok(breaks > 1, `${breaks} connections`)
    t.ok(content.bytes <= SIZE + breaks * WINDOW, `${content.bytes} bytes read over ${breaks} connections`)
    t.same([...new Set(events.map(({ transfer }) => transfer))].length, 1, 'one transfer in its events')
    t.same([events[0]?.event, events.at(-1)?.event], ['started', 'finished'])
    const seen = events.flatMap(event => event.event === 'progress' ? [event.bytes] : [])
    t.same(seen, [...seen].sort((a, b) => a - b), 'what was acknowledged never gets less')
    t.equal(seen.at(-1), SIZE)
    t.match(node.usage, { reservations: 0, reservedBytes: 0 })
  }
})

t.test('over a pool, a node that goes away and comes back is dialled again', async t => {
  const node = new StorageNode({ store: new MemoryStore() })
  let dials = 0
  await using pool = new Pool({
    backoffFirstMs: 0,
    dial: async () => {
      if (++dials % 2 === 0) throw new Error('refused')
      return await connectTo(node, connection => faulty(connection, { dropAfter: { bytes: 30_000 } }, 'outgoing'))
    }
  })
  const retried: unknown[] = []
  const { chunkId } = await putPersistent((operation, options) => pool.use(DIALER_ID, operation, options), reading(), { ...SMALL, journal: memoryJournal(), onRetry: error => retried.push((error as Error).message) })
  t.ok(dials > 3 && retried.includes('refused'), `${dials} attempts to connect`)
  await verify(retrieve(await connectTo(node), chunkId), SIZE)
})

t.test('a process that comes back with its journal goes on where the node is', async t => {
  const node = new StorageNode({ store: new MemoryStore() })
  const journal = memoryJournal()
  const first = await connectTo(node, connection => faulty(connection, { dropAfter: { bytes: 50_000 } }, 'outgoing'))
  await t.rejects(putDurable(first, reading(), { ...SMALL, journal }), { code: 'ERR_INTERRUPTED' })
  const { chunkId = '', acknowledged = -1 } = journal.record ?? {}
  const has = (await query(await connectTo(node), chunkId))?.size ?? -1
  t.ok(acknowledged > 0 && acknowledged <= has, `${acknowledged} of ${has} bytes`)

  // Another process has the record, and nothing else.
  const content = reading()
  const again = memoryJournal(structuredClone(journal.record))
  t.same(await putDurable(await connectTo(node), content, { ...SMALL, journal: again }), { chunkId, size: SIZE })
  t.same([content.first, content.bytes], [has, SIZE - has], 'what the node has is not even read')
  t.equal(again.record, undefined)
  await verify(retrieve(await connectTo(node), chunkId), SIZE)
})

t.test('a commit whose answer was lost is committed once, and nothing is sent again', async t => {
  const node = new StorageNode({ store: new MemoryStore() })
  const journal = memoryJournal()
  const { chunkId } = await putDurable(await connectTo(node), reading(), { ...SMALL, journal: { ...journal, save: journal.save, clear: async () => {} } })
  t.equal(journal.record?.chunkId, chunkId, 'the process died before it cleared its journal')
  const content = reading()
  t.same(await putDurable(await connectTo(node), content, { ...SMALL, journal }), { chunkId, size: SIZE })
  t.same([content.bytes, journal.record], [0, undefined])
})

t.test('a journal of other content is not used, and what it speaks of is given up', async t => {
  for (const change of [{ tag: 'changed since' }, { size: SIZE - 1 }]) {
    const node = new StorageNode({ store: new MemoryStore() })
    const journal = memoryJournal()
    const first = await connectTo(node, connection => faulty(connection, { dropAfter: { bytes: 50_000 } }, 'outgoing'))
    await t.rejects(putDurable(first, reading(), { ...SMALL, journal, tag: 'as it was' }), { code: 'ERR_INTERRUPTED' })
    const old = journal.record?.chunkId ?? ''
    const connection = await connectTo(node)
    const { chunkId, size } = await putDurable(connection, reading(), { ...SMALL, journal, tag: 'as it was', ...change })
    t.not(chunkId, old)
    t.equal(await query(connection, old), undefined)
    await verify(retrieve(connection, chunkId), size)
  }
})

t.test('finding 8: what the original counts after a second interruption is not trusted: deleted, and started over', async t => {
  const [left, right] = duplexPair({ attach: true })
  const speaker = new Speaker(right)
  const client = connectNode(left, { nodeId: DIALER_ID, peer: 'upstream' })
  await speaker.peer.expect(hexdump(DIALER_ID))
  const journal = memoryJournal({ chunkId: CHUNK_ID, size: 9, acknowledged: 6, tag: '' })
  const stored = putDurable(client, reading(), { size: 9, fragmentBytes: 9, journal })

  const asked = await speaker.request('Query')
  await speaker.say(asked.channel, { type: 'QueryResponse', exists: true, size: 3n }, CLOSE)
  await speaker.expect(asked.channel, 'ChannelClose')
  const rejected = await speaker.request('Commit')
  t.match(rejected, { flags: { reject: true }, chunkId: CHUNK_ID })
  await speaker.say(rejected.channel, { type: 'CommitOk' }, CLOSE)
  await speaker.expect(rejected.channel, 'ChannelClose')
  const { channel, flags } = await speaker.request('Reserve')
  t.match(flags, { durable: true, temp: true, autoStart: false })
  const fresh = 'c'.repeat(32)
  await speaker.say(channel, { type: 'ReserveOk', chunkId: fresh, chunkBuffer: 10 }, CLOSE)
  await speaker.expect(channel, 'ChannelClose')
  const put = await speaker.request('Put')
  t.match(put, { chunkId: fresh, append: false, size: 9n })
  t.match(journal.record, { chunkId: fresh, acknowledged: 0 }, 'remembered before the first byte')
  await speaker.say(put.channel, { type: 'PutOk', chunkBuffer: 10 })
  await speaker.expect(put.channel, 'FileChunk')
  await speaker.say(put.channel, { type: 'RecvAck', number: 0 }, CLOSE)
  await speaker.expect(put.channel, 'ChannelClose')
  const committed = await speaker.request('Commit')
  t.match(committed, { flags: { final: true }, chunkId: fresh })
  await speaker.say(committed.channel, { type: 'CommitOk' }, CLOSE)
  t.same(await stored, { chunkId: fresh, size: 9 })
})

t.test('what no other attempt can cure is passed on at once', async t => {
  const full = new StorageNode({ store: new MemoryStore(), maxBytes: 10 })
  const node = new StorageNode({ store: new MemoryStore() })
  const short: RandomAccess = { read: async () => 0 }
  let retried = 0
  const onRetry = (): void => { retried++ }
  await t.rejects(putPersistent(using(full), reading(), { ...SMALL, journal: memoryJournal(), onRetry }), { code: 'ERR_NO_SPACE' })
  await t.rejects(putPersistent(using(node), short, { ...SMALL, journal: memoryJournal(), onRetry }), { code: 'ERR_INCOMPLETE', remote: false })
  await t.rejects(putPersistent(using(node), { read: async () => { throw new Error('unreadable') } }, { ...SMALL, journal: memoryJournal(), onRetry }), { message: 'unreadable' })
  await t.rejects(putPersistent(async () => { throw new Error('not trusted') }, reading(), { ...SMALL, journal: memoryJournal(), onRetry, retry: () => false }), { message: 'not trusted' })
  t.equal(retried, 0)
  const { client } = await nodes({ wire: { profile: SEED } })
  await t.rejects(putDurable(client, reading(), { ...SMALL, journal: memoryJournal() }), RangeError)
})

t.test('attempts that bring nothing new end after five minutes, with the last error', async t => {
  const clock = new VirtualClock()
  let attempts = 0
  const stored = putPersistent(async () => { throw new Error(`attempt ${++attempts}`) }, reading(), { ...SMALL, backoffFirstMs: 500, journal: memoryJournal(), clock, random: () => 0 })
  stored.catch(() => {})
  await clock.advance(GIVE_UP_MS - 1)
  const before = attempts
  t.ok(before > 5 && before < 40, `${before} attempts, further and further apart`)
  await clock.advance(30_000)
  await t.rejects(stored, { message: `attempt ${before + 1}` })
  t.equal(clock.pending, 0)
})

t.test('a node that loses what it had is begun with anew, but not for ever', async t => {
  let nodesMade = 0
  const forgetful = (most: number): Use => async operation => await operation(await connectTo(
    new StorageNode({ store: new MemoryStore() }),
    connection => ++nodesMade > most ? connection : faulty(connection, { dropAfter: { bytes: 20_000 } }, 'outgoing')
  ))
  await putPersistent(forgetful(4), reading(), { ...SMALL, journal: memoryJournal() })
  t.equal(nodesMade, 5)

  let restarts = 0
  const lost: DurableOptions['journal'] = { load: async () => ({ chunkId: CHUNK_ID, size: SIZE, acknowledged: 0, tag: '' }), save: async () => {}, clear: async () => { restarts++ } }
  const liar: Use = async operation => {
    const [left, right] = duplexPair()
    const speaker = new Speaker(right)
    const asked = operation(connectNode(left, { nodeId: DIALER_ID }))
    await speaker.peer.read(16)
    const { channel } = await speaker.request('Query')
    await speaker.say(channel, { type: 'QueryResponse', exists: true, size: BigInt(SIZE) }, CLOSE)
    await speaker.expect(channel, 'ChannelClose')
    const committed = await speaker.request('Commit')
    await speaker.say(committed.channel, { type: 'CommitErr', errorKind: 'not_found' }, CLOSE)
    return await asked
  }
  await t.rejects(putPersistent(liar, reading(), { ...SMALL, journal: lost }), { code: 'ERR_NOT_FOUND' })
  t.equal(restarts, MAX_RESTARTS + 1)
})

t.test('an abort ends the wait for the next attempt, and the journal stays', async t => {
  const over = new AbortController()
  const journal = memoryJournal({ chunkId: CHUNK_ID, size: SIZE, acknowledged: 0, tag: '' })
  const stored = putPersistent(async () => { throw new Error('refused') }, reading(), {
    ...SMALL, backoffFirstMs: 1e6, backoffMostMs: 1e6, journal, signal: over.signal, onRetry: () => { queueMicrotask(() => over.abort(new Error('enough'))) }
  })
  await t.rejects(stored, { message: 'enough' })
  t.equal(journal.record?.chunkId, CHUNK_ID)
})

t.test('nothing at all is stored as well', async t => {
  const node = new StorageNode({ store: new MemoryStore() })
  const journal = memoryJournal()
  const { chunkId } = await putPersistent(using(node), reading(), { size: 0, journal })
  t.equal((await node.store.stat(chunkId))?.committed, true)
})

t.test('the journal is written anew each 16 MiB, and one that cannot be is no reason to stop', async t => {
  t.equal(JOURNAL_BYTES, 16 * 1024 * 1024)
  const node = new StorageNode({ store: new MemoryStore() })
  const saved: number[] = []
  const journal = memoryJournal()
  await putDurable(await connectTo(node), reading(), {
    ...SMALL, journalBytes: 30_000, journal: { ...journal, save: async record => {
      saved.push(record.acknowledged)
      if (saved.length > 1) throw new Error('the disk is full')
    } }
  })
  t.match(saved, [0, 30_000, 60_000, 90_000])
})

t.test('a process does not end while an attempt waits for the next', async t => {
  const waiting = (): number => process.getActiveResourcesInfo().filter(what => what === 'Timeout').length
  const before = waiting()
  const over = new AbortController()
  const wait = pause(systemClock, 60_000, over.signal)
  t.equal(waiting(), before + 1)
  over.abort(new Error('over'))
  await t.rejects(wait, { message: 'over' })
  t.equal(waiting(), before)
})

interface Reading extends RandomAccess { bytes: number, first: number }

/** The pattern from byte 0 on, and how much of it was read. */
function reading (): Reading {
  return {
    bytes: 0,
    first: -1,
    async read (into, position) {
      if (this.first < 0) this.first = position
      into.set(patternAt(position, into.length))
      this.bytes += into.length
      return into.length
    }
  }
}

type Disturb = (connection: Connection) => Connection

async function connectTo (node: StorageNode, disturb: Disturb = connection => connection): Promise<StorageConnection> {
  const { left, right } = link()
  const connection = connectNode(disturb(left), { nodeId: DIALER_ID })
  serve(await acceptNode(right), { node }).catch(() => {})
  return connection
}

function using (node: StorageNode, disturb?: Disturb): Use {
  return async operation => await operation(await connectTo(node, disturb))
}

t.test('what a durable upload has unacknowledged is at most 1 MiB, and of any other at most 4 MiB', async t => {
  for (const [durable, most] of [[true, MAX_DURABLE_SEND_BYTES], [false, MAX_SEND_BYTES]] as const) {
    const store = new MemoryStore()
    const stuck = Promise.withResolvers<void>()
    const write = store.write.bind(store)
    store.write = async (...args) => Object.assign(await write(...args), { write: async () => { stuck.resolve(); await new Promise(() => {}) } })
    const [left, right] = duplexPair()
    const client = connectNode(left, { nodeId: DIALER_ID })
    void serve(await acceptNode(right), { node: new StorageNode({ store }), window: 64 }).catch(() => {})
    let bytes = 0
    const all = Promise.withResolvers<void>()
    const content = { read: async (into: Uint8Array) => { if ((bytes += into.length) >= most) all.resolve(); return into.length } }
    const uploading = upload(client, content, { size: 32 * 1024 * 1024, durable })
    uploading.catch(() => {})
    await Promise.all([stuck.promise, all.promise])
    // As long as the node takes nothing more, everything that could have been read has been.
    await new Promise(resolve => { setImmediate(resolve) })
    t.equal(bytes, most)
    client.abort(new Error('enough'))
    await t.rejects(uploading)
  }
})
