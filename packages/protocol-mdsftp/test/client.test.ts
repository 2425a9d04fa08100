/** What our client makes of servers, right and wrong. */
import type { TransferEvent } from '@ropewalk/interface'
import { collect, counting, duplexPair, hexdump, pattern, settle } from '@ropewalk/testing'
import t from 'tap'
import { commit, connectNode, lock, put, query, remove, reserve, retrieve, upload, type StorageConnection, type UploadOptions } from '../src/index.ts'
import { SEED, UPSTREAM, type ControlPacket, type Profile } from '../src/codec.ts'
import { DIALER_ID } from './nodes.ts'
import { CLOSE } from './scene.ts'
import { Speaker } from './speaker.ts'
import { CHUNK_ID } from './vectors.ts'

async function scripted (profile: Profile = UPSTREAM): Promise<{ client: StorageConnection, speaker: Speaker }> {
  const [left, right] = duplexPair({ attach: true })
  const speaker = new Speaker(right, profile)
  const client = connectNode(left, { nodeId: DIALER_ID, profile })
  await speaker.peer.expect(hexdump(DIALER_ID))
  return { client, speaker }
}

/** A promise whose failure is looked at later. */
function later<T> (promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** The client puts `size` bytes in fragments of 3, and the window is `window`. */
async function uploading (window: number, content: UploadOptions & { source: Parameters<typeof put>[1] }): Promise<{ client: StorageConnection, speaker: Speaker, channel: number, stored: Promise<unknown> }> {
  const { client, speaker } = await scripted()
  const stored = later(put(client, content.source, { fragmentBytes: 3, ...content }))
  const { channel, size, flags } = await speaker.request('Reserve')
  t.same([size, flags.autoStart], [BigInt(content.size), true])
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: window })
  return { client, speaker, channel, stored }
}

async function expectReject (speaker: Speaker): Promise<void> {
  const { channel, flags, chunkId } = await speaker.request('Commit')
  t.same([flags.reject, chunkId], [true, CHUNK_ID])
  await speaker.say(channel, { type: 'CommitOk' }, CLOSE)
}

/** What was sent already may come, but no last fragment. */
async function untilClosed (speaker: Speaker, channel: number): Promise<void> {
  for (;;) {
    const heard = await speaker.hear()
    if (heard.type === 'ChannelClose') return
    t.match(heard, { type: 'FileChunk', channel, last: false })
  }
}

t.test('finding 10: an acknowledgement of what was never sent fails the upload, and the peer is told to forget it', async t => {
  for (const numbers of [[3], [1, 0], [0xffff_ffff]]) {
    const { speaker, channel, stored } = await uploading(2, { source: [new Uint8Array(9)], size: 9 })
    await speaker.expect(channel, 'FileChunk', 'FileChunk')
    for (const number of numbers) await speaker.say(channel, { type: 'RecvAck', number })
    let heard = await speaker.hear()
    while (heard.type === 'FileChunk') heard = await speaker.hear()
    t.equal(heard.type, 'ChannelClose')
    await expectReject(speaker)
    await t.rejects(stored, { code: 'ERR_ACK', scope: 'transfer', remote: true })
  }
})

t.test('finding 6: a close before the last acknowledgement is a failure', async t => {
  for (const numbers of [[], [0], [1]]) {
    const { speaker, channel, stored } = await uploading(16, { source: [new Uint8Array(9)], size: 9 })
    await speaker.expect(channel, 'FileChunk', 'FileChunk', 'FileChunk')
    for (const number of numbers) await speaker.say(channel, { type: 'RecvAck', number })
    await speaker.say(channel, CLOSE)
    await speaker.expect(channel, 'ChannelClose')
    await expectReject(speaker)
    await t.rejects(stored, { code: 'ERR_INTERRUPTED', remote: true })
  }
})

t.test('one acknowledgement of the last fragment is enough, and so is one too many', async t => {
  const { client, speaker, channel, stored } = await uploading(16, { source: [new Uint8Array(9)], size: 9 })
  await speaker.expect(channel, 'FileChunk', 'FileChunk', 'FileChunk')
  await speaker.say(channel, { type: 'RecvAck', number: 2 }, { type: 'RecvAck', number: 2 }, CLOSE)
  await speaker.expect(channel, 'ChannelClose')
  const final = await speaker.request('Commit')
  await speaker.say(final.channel, { type: 'CommitErr', errorKind: 'not_available' }, CLOSE)
  await speaker.expect(final.channel, 'ChannelClose')
  await expectReject(speaker)
  await t.rejects(stored, { code: 'ERR_NOT_AVAILABLE' }, 'CommitErr is a failure, though the original never sends it')
  await settle(() => client.size)
  t.equal(client.size, 0)
})

t.test('a refused reservation says how much is left', async t => {
  const { client, speaker } = await scripted()
  const stored = later(put(client, [], { size: 100 }))
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveErr', spaceLeft: 99n }, CLOSE)
  await t.rejects(stored, { code: 'ERR_NO_SPACE', spaceLeft: 99n, message: /100 .*99/, remote: true })
})

t.test('the source is read no further than the window', async t => {
  for (const [window, chunks] of [[0, 1], [1, 1], [3, 3], [65535, 64]] as const) {
    const source = counting(pattern(3000, 0, 3))
    const { client, speaker, channel } = await uploading(window, { source, size: 3000 })
    t.equal(await settle(() => source.pulls), chunks)
    for (let sent = 0; sent < chunks; sent++) t.equal((await speaker.expect(channel, 'FileChunk')).number, sent)
    client.abort(new Error('done'))
    t.ok(await settle(() => source.released))
  }
  const source = counting(pattern(10_000_000, 0, 100_000))
  const { client } = await uploading(65535, { source, size: 10_000_000, fragmentBytes: 100_000 })
  t.equal(await settle(() => source.pulls), 41, '4 MiB in whole fragments')
  client.abort(new Error('done'))
})

t.test('finding 9: a source that is shorter or longer than announced fails, before its last fragment goes', async t => {
  for (const [bytes, code] of [[0, 'ERR_INCOMPLETE'], [8, 'ERR_INCOMPLETE'], [10, 'ERR_OVERFLOW'], [1000, 'ERR_OVERFLOW']] as const) {
    const source = counting(pattern(bytes, 0, 2))
    const { speaker, channel, stored } = await uploading(16, { source, size: 9 })
    await untilClosed(speaker, channel)
    await expectReject(speaker)
    await t.rejects(stored, { code, remote: false })
    t.ok(source.released)
    t.ok(source.pulls <= 6)
  }
  const { client, speaker } = await scripted()
  const empty = later(put(client, [new Uint8Array(1)], { size: 0 }))
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 1 })
  await speaker.expect(channel, 'ChannelClose')
  await expectReject(speaker)
  await t.rejects(empty, { code: 'ERR_OVERFLOW' })
})

t.test('a source that fails, fails the upload with its own error', async t => {
  const source = (async function * () { yield new Uint8Array(4); throw new Error('disk on fire') })()
  const { speaker, channel, stored } = await uploading(16, { source, size: 9 })
  await untilClosed(speaker, channel)
  await expectReject(speaker)
  await t.rejects(stored, { message: 'disk on fire' })
})

t.test('a durable upload that fails is left for who resumes it', async t => {
  let reserved = ''
  const { client, speaker, channel, stored } = await uploading(16, { source: [new Uint8Array(9)], size: 9, durable: true, onReserved: id => { reserved = id } })
  await speaker.expect(channel, 'FileChunk')
  await speaker.say(channel, CLOSE)
  await t.rejects(stored, { code: 'ERR_INTERRUPTED' })
  t.equal(reserved, CHUNK_ID)
  t.equal(client.size, 0, 'nothing is said about it')
})

t.test('section 4.6: nothing is uploaded by closing, and the close goes before the commit', async t => {
  const { speaker, channel, stored } = await uploading(10, { source: [], size: 0 })
  await speaker.expect(channel, 'ChannelClose')
  const { channel: other, flags } = await speaker.request('Commit')
  t.ok(flags.final)
  await speaker.say(other, { type: 'CommitOk' }, CLOSE)
  t.same(await stored, { chunkId: CHUNK_ID, size: 0 })
})

t.test('a lost connection is told as such, with its cause', async t => {
  const { speaker, channel, stored } = await uploading(10, { source: [new Uint8Array(9)], size: 9 })
  await speaker.expect(channel, 'FileChunk')
  speaker.peer.die()
  await t.rejects(stored, { code: 'ERR_INTERRUPTED', scope: 'connection', remote: true, cause: { code: 'ERR_CONNECTION_LOST' } })
})

t.test('events tell of acknowledged bytes, and of the end', async t => {
  const events: TransferEvent[] = []
  const { speaker, channel, stored } = await uploading(10, { source: [new Uint8Array(7)], size: 7, name: 'a file', onEvent: event => events.push(event) })
  await speaker.expect(channel, 'FileChunk', 'FileChunk', 'FileChunk')
  await speaker.say(channel, { type: 'RecvAck', number: 1 }, { type: 'RecvAck', number: 2 }, CLOSE)
  await speaker.expect(channel, 'ChannelClose')
  const { channel: other } = await speaker.request('Commit')
  await speaker.say(other, { type: 'CommitOk' }, CLOSE)
  await stored
  const [started] = events
  const base = { transfer: started?.transfer, name: 'a file', direction: 'send' }
  t.same(events, [
    { event: 'started', ...base, size: 7 },
    { event: 'progress', ...base, bytes: 6, size: 7 },
    { event: 'progress', ...base, bytes: 7, size: 7 },
    { event: 'finished', ...base, bytes: 7 }
  ])
})

/** The client retrieves a chunk of `size` bytes. */
async function retrieving (size: number, options: { window?: number, profile?: Profile } = {}): Promise<{ client: StorageConnection, speaker: Speaker, channel: number, iterator: AsyncIterator<{ subarray: () => Uint8Array, byteLength: number }>, first: Promise<unknown>, request: ControlPacket }> {
  const { profile = UPSTREAM, window } = options
  const { client, speaker } = await scripted(profile)
  const iterator = retrieve(client, CHUNK_ID, { ...(profile === SEED ? {} : { size }), window })[Symbol.asyncIterator]()
  const first = later(iterator.next())
  const request = await speaker.request('Retrieve')
  return { client, speaker, channel: request.channel, iterator, first, request }
}

t.test('conduct 4: 16 fragments are asked for, and each is acknowledged when the next is wanted', async t => {
  const { client, speaker, channel, iterator, first, request } = await retrieving(6)
  t.match(request, { chunkBuffer: 16, range: undefined, chunkId: CHUNK_ID })
  await speaker.fragment(channel, 0, 'abc')
  await speaker.fragment(channel, 1, 'def', true)
  t.match(await first, { done: false })
  // A packet on another channel shows that nothing was said on this one.
  const asked = query(client, CHUNK_ID)
  const other = await speaker.request('Query')
  await speaker.say(other.channel, { type: 'QueryResponse', exists: true, size: 6n }, CLOSE)
  await asked
  await speaker.expect(other.channel, 'ChannelClose')
  const second = iterator.next()
  t.equal((await speaker.expect(channel, 'RecvAck')).number, 0)
  t.equal((await second).done, false)
  t.equal((await iterator.next()).done, true)
  t.equal((await speaker.expect(channel, 'RecvAck')).number, 1)
  await speaker.expect(channel, 'ChannelClose')
})

t.test('conduct 10: too short, too long, out of order, or closed early is a failure', async t => {
  const cases: Array<[string, (speaker: Speaker, channel: number) => Promise<void>]> = [
    ['ERR_FRAGMENT_ORDER', async (speaker, channel) => await speaker.fragment(channel, 1, 'def')],
    ['ERR_INCOMPLETE', async (speaker, channel) => await speaker.fragment(channel, 0, 'abc', true)],
    ['ERR_OVERFLOW', async (speaker, channel) => await speaker.fragment(channel, 0, 'abcdefghij')],
    ['ERR_INTERRUPTED', async (speaker, channel) => await speaker.say(channel, CLOSE)],
    ['ERR_NOT_FOUND', async (speaker, channel) => await speaker.say(channel, { type: 'LockErr', kind: 'read', errorKind: 'not_found', chunkId: CHUNK_ID }, CLOSE)],
    ['ERR_NOT_AVAILABLE', async (speaker, channel) => await speaker.say(channel, { type: 'LockErr', kind: 'read', errorKind: 'not_available', chunkId: CHUNK_ID })]
  ]
  for (const [code, lie] of cases) {
    const { client, speaker, channel, first } = await retrieving(9)
    await lie(speaker, channel)
    await t.rejects(first, { code, remote: true }, code)
    await speaker.expect(channel, 'ChannelClose')
    t.equal(client.size, 0)
  }
  const { speaker, channel, iterator, first } = await retrieving(9)
  await speaker.fragment(channel, 0, 'abc')
  await speaker.say(channel, CLOSE)
  await first
  await t.rejects(iterator.next(), { code: 'ERR_INCOMPLETE', message: /3 of 9/ })
})

t.test('fragments beyond the window, and the one more that the original sends, end the connection', async t => {
  const { client, speaker, channel, first } = await retrieving(1000, { window: 2 })
  for (let number = 0; number < 3; number++) await speaker.fragment(channel, number, 'x')
  await first
  const asked = query(client, CHUNK_ID)
  const { channel: other } = await speaker.request('Query')
  await speaker.say(other, { type: 'QueryResponse', exists: true, size: 1n }, CLOSE)
  t.equal((await asked)?.size, 1)
  await speaker.expect(other, 'ChannelClose')
  await speaker.fragment(channel, 3, 'x').catch(() => {})
  t.ok((await speaker.peer.readUntilGone()).error)
  await t.rejects(query(client, CHUNK_ID), { code: 'ERR_INTERRUPTED', scope: 'connection', cause: { code: 'ERR_UNEXPECTED_PACKET' } })
})

t.test('an acknowledgement where none is due ends the connection', async t => {
  const { client, speaker, channel, first } = await retrieving(9)
  await speaker.say(channel, { type: 'RecvAck', number: 0 })
  await t.rejects(first, { code: 'ERR_UNEXPECTED_PACKET', scope: 'connection' })
  await t.rejects(query(client, CHUNK_ID), { code: 'ERR_UNEXPECTED_PACKET' })
  const other = await scripted()
  const asked = later(query(other.client, CHUNK_ID))
  const { channel: second } = await other.speaker.request('Query')
  await other.speaker.say(second, { type: 'RecvAck', number: 0 })
  await t.rejects(asked, { code: 'ERR_UNEXPECTED_PACKET', scope: 'connection' })
})

t.test('a reader that leaves closes the channel', async t => {
  const { client, speaker, channel, iterator, first } = await retrieving(1000)
  await speaker.fragment(channel, 0, 'abc')
  await first
  await iterator.return?.()
  await speaker.expect(channel, 'ChannelClose')
  t.equal(client.size, 0)
})

t.test('section 4.6: an empty chunk is retrieved by a bare last fragment, by a close, or not at all when its size is known', async t => {
  for (const bare of [false, true]) {
    const { client, speaker } = await scripted()
    const content = collect(retrieve(client, CHUNK_ID))
    const asked = await speaker.request('Query')
    await speaker.say(asked.channel, { type: 'QueryResponse', exists: true, size: 0n }, CLOSE)
    await speaker.expect(asked.channel, 'ChannelClose')
    const { channel } = await speaker.request('Retrieve')
    if (bare) await speaker.fragment(channel, 0, '', true)
    else await speaker.say(channel, CLOSE)
    t.equal((await content).length, 0)
    if (bare) await speaker.expect(channel, 'RecvAck')
    await speaker.expect(channel, 'ChannelClose')
  }
  const { client } = await scripted()
  t.equal((await collect(retrieve(client, CHUNK_ID, { size: 0 }))).length, 0)
  t.equal((await collect(retrieve(client, CHUNK_ID, { size: 9, range: { start: 5, end: 5 } }))).length, 0)
  t.equal(client.size, 0)
})

t.test('what is only reserved is not taken for an empty chunk', async t => {
  const { client, speaker } = await scripted()
  const content = later(collect(retrieve(client, CHUNK_ID)))
  const asked = await speaker.request('Query')
  await speaker.say(asked.channel, { type: 'QueryResponse', exists: true, size: 0n }, CLOSE)
  await speaker.expect(asked.channel, 'ChannelClose')
  const { channel } = await speaker.request('Retrieve')
  await speaker.say(channel, { type: 'LockErr', kind: 'read', errorKind: 'not_found', chunkId: CHUNK_ID }, CLOSE)
  await t.rejects(content, { code: 'ERR_NOT_FOUND' })
})

t.test('conduct 8: the size is asked for first; ranges are cut to it', async t => {
  const { client, speaker } = await scripted()
  const content = collect(retrieve(client, CHUNK_ID, { range: { start: 2, end: 100 } }))
  const asked = await speaker.request('Query')
  await speaker.say(asked.channel, { type: 'QueryResponse', exists: true, size: 4n }, CLOSE)
  await speaker.expect(asked.channel, 'ChannelClose')
  const { channel, range } = await speaker.request('Retrieve')
  t.same(range, { start: 2n, end: 4n })
  await speaker.fragment(channel, 0, 'cd', true)
  t.same(await content, new TextEncoder().encode('cd'))
  for (const range of [{ start: -1, end: 1 }, { start: 2, end: 1 }, { start: 0.5, end: 1 }, { start: 0, end: 2 ** 53 }]) t.throws(() => retrieve(client, CHUNK_ID, { range }), RangeError)
  await t.rejects(collect(retrieve(client, CHUNK_ID, { size: 4, range: { start: 5, end: 6 } })), { code: 'ERR_BAD_RANGE', remote: false })
})

t.test('absent and impossible answers to Query', async t => {
  for (const [exists, size, wanted] of [[false, 77n, undefined], [true, 2n ** 53n, 'ERR_OVERFLOW']] as const) {
    const { client, speaker } = await scripted()
    const asked = later(query(client, CHUNK_ID))
    const { channel } = await speaker.request('Query')
    await speaker.say(channel, { type: 'QueryResponse', exists, size }, CLOSE)
    if (wanted === undefined) t.equal(await asked, undefined)
    else await t.rejects(asked, { code: wanted })
  }
  const { client, speaker } = await scripted()
  const content = later(collect(retrieve(client, CHUNK_ID)))
  const { channel } = await speaker.request('Query')
  await speaker.say(channel, { type: 'QueryResponse', exists: false, size: 0n })
  await t.rejects(content, { code: 'ERR_NOT_FOUND' })
})

t.test('replies that were not asked for are ignored, a close instead of a reply is an interruption', async t => {
  const { client, speaker } = await scripted()
  const asked = later(commit(client, CHUNK_ID))
  const { channel } = await speaker.request('Commit')
  await speaker.say(channel, { type: 'ReserveErr', spaceLeft: 1n }, { type: 'PutOk', chunkBuffer: 1 }, { type: 'QueryResponse', exists: true, size: 1n }, { type: 'CommitOk' })
  await asked
  const other = later(reserve(client, 5))
  await speaker.expect(channel, 'ChannelClose')
  const { channel: second } = await speaker.request('Reserve')
  await speaker.say(second, CLOSE)
  await t.rejects(other, { code: 'ERR_INTERRUPTED', scope: 'channel' })
})

t.test('section 5.7: delete is over when the peer closes', async t => {
  const { client, speaker } = await scripted()
  let over = false
  const removed = remove(client, CHUNK_ID).then(() => { over = true })
  const { channel } = await speaker.request('DeleteChunk')
  await settle(() => over)
  t.equal(over, false)
  await speaker.say(channel, CLOSE)
  await removed
})

t.test('a lock is held until it is released, or taken back', async t => {
  for (const how of ['release', 'peer', 'connection'] as const) {
    const { client, speaker } = await scripted()
    const asking = lock(client, CHUNK_ID, 'write')
    const { channel } = await speaker.request('LockReq')
    await speaker.say(channel, { type: 'LockAcquire', kind: 'write', chunkId: CHUNK_ID })
    const held = await asking
    t.equal(held.lost.aborted, false)
    if (how === 'release') {
      held.release()
      held[Symbol.dispose]()
      await speaker.expect(channel, 'ChannelClose')
    } else if (how === 'peer') await speaker.say(channel, CLOSE)
    else speaker.peer.die()
    t.equal(await settle(() => held.lost.aborted), how !== 'release')
    if (how !== 'release') t.match(held.lost.reason, { code: 'ERR_INTERRUPTED' })
    if (how !== 'connection') t.equal(client.size, 0)
  }
})

t.test('seed: upload is all there is to put, and the short retrieval takes what comes', async t => {
  const { client, speaker } = await scripted(SEED)
  const stored = put(client, [new Uint8Array(3)], { size: 3 })
  const { channel } = await speaker.request('Reserve')
  await speaker.say(channel, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 2 })
  await speaker.expect(channel, 'FileChunk')
  await speaker.say(channel, { type: 'RecvAck', number: 0 }, CLOSE)
  t.same(await stored, { chunkId: CHUNK_ID, size: 3 })
  t.throws(() => retrieve(client, CHUNK_ID, { range: { start: 0, end: 1 } }), RangeError)
  await t.rejects(commit(client, CHUNK_ID), RangeError)
  const scene = await retrieving(0, { profile: SEED })
  await scene.speaker.fragment(scene.channel, 0, 'abc')
  await scene.speaker.fragment(scene.channel, 1, 'd', true)
  await scene.first
  t.equal((await scene.iterator.next()).done, false)
  t.equal((await scene.iterator.next()).done, true)
  const failing = later(upload(client, [], { size: 3 }))
  await speaker.expect(channel, 'ChannelClose')
  const { channel: other } = await speaker.request('Reserve')
  await speaker.say(other, { type: 'ReserveOk', chunkId: CHUNK_ID, chunkBuffer: 2 })
  await speaker.expect(other, 'ChannelClose')
  const { channel: last, chunkId } = await speaker.request('ReserveCancel')
  t.equal(chunkId, CHUNK_ID)
  await speaker.say(last, CLOSE)
  await t.rejects(failing, { code: 'ERR_INCOMPLETE' })
})

t.test('what the caller gets wrong is told before anything is sent', async t => {
  const { client } = await scripted()
  for (const size of [-1, 1.5, NaN, 2 ** 53]) {
    await t.rejects(put(client, [], { size }), RangeError)
    await t.rejects(reserve(client, size), RangeError)
  }
  for (const fragmentBytes of [0, 16_777_217, 1.5]) await t.rejects(put(client, [], { size: 1, fragmentBytes }), RangeError)
  await settle(() => client.size)
  t.equal(client.size, 0)
})
