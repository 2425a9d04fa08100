/** Against the kernel, where there are sockets of packets; where there are none, that is what is said. */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection, Listener } from '@ropewalk/interface'
import t, { type Test } from 'tap'
import { dial, listen, MAX_PACKET_BYTES, RECEIVE_BUFFER_ITEMS, type ListenOptions, type SeqpacketAddress } from '../src/index.ts'
import { library } from '../src/library.ts'

async function place (t: Test): Promise<SeqpacketAddress> {
  const folder = await mkdtemp(join(tmpdir(), 'seqpacket-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  return { transport: 'seqpacket', path: join(folder, 'sock') }
}

async function pair (t: Test, options: ListenOptions = {}): Promise<{ listener: Listener<SeqpacketAddress>, left: Connection, right: Connection }> {
  const address = await place(t)
  const listener = await listen(address, options)
  t.teardown(async () => { await listener.close() })
  const left = await dial(address, options)
  const { value: right } = await listener[Symbol.asyncIterator]().next() as { value: Connection }
  t.teardown(() => { left.abort(new Error('over')); right.abort(new Error('over')) })
  return { listener, left, right }
}

async function packets (connection: Connection): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const list of connection.source) all.push(...list)
  return all
}

t.test('where the library or the system is another, the error says so and what to do', async t => {
  await t.rejects(library({ platform: 'darwin' }), { code: 'ERR_UNAVAILABLE', scope: 'connection', message: /Linux, not on darwin/ })
  await t.rejects(library({ platform: 'linux', load: async () => { throw new Error('Cannot find package\nat somewhere') } }), { code: 'ERR_UNAVAILABLE', message: /optional package node-unix-socket.*Cannot find package$/ })
})

const there = await library().then(() => true, () => false)

if (!there) {
  t.test('no sockets of packets on this machine', async t => {
    await t.rejects(dial({ transport: 'seqpacket', path: '/nowhere' }), { code: 'ERR_UNAVAILABLE' })
    await t.rejects(listen({ transport: 'seqpacket', path: '/nowhere' }), { code: 'ERR_UNAVAILABLE' })
  })
} else {
  t.test('packets arrive as they were sent, whole and apart, in both directions', async t => {
    const { left, right } = await pair(t)
    const sizes = [1, 6, 1000, 22_000, MAX_PACKET_BYTES, 7]
    const sent = sizes.map((size, at) => new Uint8Array(size).fill(at + 1))
    const [there, back] = await Promise.all([packets(right), packets(left), left.sink(sent), right.sink([Uint8Array.of(9), new Uint8Array(0), Uint8Array.of(8, 7)])])
    t.same(there.map(({ length }) => length), sizes)
    t.ok(there.every((packet, at) => packet.every(byte => byte === at + 1)))
    t.same(back.map(packet => [...packet]), [[9], [8, 7]], 'an empty packet would be an end, and is not sent')
  })

  t.test('each direction ends on its own, and a source is read no faster than the kernel takes', async t => {
    const { left, right } = await pair(t)
    let pulled = 0
    let most = 0
    async function * endless (): AsyncGenerator<Uint8Array> {
      for (; pulled < 1000; pulled++) yield new Uint8Array(22_000)
    }
    await right.sink([Uint8Array.of(1)])
    // In one turn nothing reaches the other end: what is pulled until then is what the sink and the kernel take.
    const watch = setImmediate(() => { most = pulled })
    t.teardown(() => { clearImmediate(watch) })
    t.same((await packets(left)).length, 1)
    const [got] = await Promise.all([packets(right), left.sink(endless())])
    t.equal(got.length, 1000)
    t.ok(most < 100, `${most} packets ahead`)
  })

  t.test('what nobody takes is bounded: the connection is cut off, and what had come can be taken', async t => {
    const { left, right } = await pair(t, { receiveBufferBytes: 100_000 })
    const refused = left.sink((function * () { for (let at = 0; at < 1000; at++) yield new Uint8Array(10_000) })())
    await t.rejects(refused, { code: 'ERR_CONNECTION_RESET' })
    let bytes = 0
    await t.rejects((async () => { for await (const list of right.source) bytes += list.byteLength })(), { code: 'ERR_OVERFLOW', remote: true })
    t.ok(bytes <= 100_000, `${bytes} bytes`)
    const small = await pair(t)
    const many = small.left.sink((function * () { for (let at = 0; at < RECEIVE_BUFFER_ITEMS * 3; at++) yield Uint8Array.of(1) })())
    await t.rejects(many, { code: 'ERR_CONNECTION_RESET' })
    await t.rejects(packets(small.right), { code: 'ERR_OVERFLOW' })
  })

  t.test('packets that are too large are refused on both sides', async t => {
    const { left, right } = await pair(t)
    await t.rejects(left.sink([new Uint8Array(MAX_PACKET_BYTES + 1)]), { code: 'ERR_TOO_LARGE' })
    t.same(await packets(right).catch((error: unknown) => [error]).then(all => all.filter(packet => packet instanceof Uint8Array)), [])

    const address = await place(t)
    await using listener = await listen(address)
    const { SeqpacketSocket } = await library()
    const socket = new SeqpacketSocket()
    await new Promise<void>(resolve => { socket.connect(address.path, resolve) })
    socket.write(Buffer.alloc(MAX_PACKET_BYTES + 1), 0, MAX_PACKET_BYTES + 1, () => {})
    const { value: connection } = await listener[Symbol.asyncIterator]().next() as { value: Connection }
    await t.rejects(packets(connection), { code: 'ERR_TOO_LARGE', remote: true })
    socket.destroy()
  })

  t.test('a close waits for the peer\'s end, and not for ever', async t => {
    const { left, right } = await pair(t, { closeTimeoutMs: 50 })
    const began = performance.now()
    await left[Symbol.asyncDispose]()
    t.ok(performance.now() - began >= 45, 'the peer has ended nothing')
    t.same(await packets(right), [], 'it has heard the end')
    const both = await pair(t)
    await Promise.all([both.left[Symbol.asyncDispose](), both.right[Symbol.asyncDispose]()])
    t.ok(performance.now() - began < 4000)
  })

  t.test('an abort ends both directions here with its reason, and there with an end or a reset', async t => {
    const { left, right } = await pair(t)
    const why = new Error('why')
    const reading = packets(left)
    left.abort(why)
    left.abort(new Error('later'))
    await t.rejects(reading, why)
    await t.rejects(left.sink([Uint8Array.of(1)]), why)
    await packets(right).catch((error: unknown) => { t.match(error, { code: 'ERR_CONNECTION_RESET' }) })
    await right[Symbol.asyncDispose]()
    const aborted = await pair(t)
    const signal = AbortSignal.abort(why)
    await t.rejects(aborted.left.sink([], { signal }), why)
    await t.rejects(dial(aborted.listener.address, { signal }), why)
    await t.rejects(listen(await place(t), { signal }), why)
  })

  t.test('no socket, one of streams, one that is dead, one that lives, and a file', async t => {
    const address = await place(t)
    await t.rejects(dial(address), { code: 'ERR_CONNECT', message: /no such file/ })
    const streams = createServer().listen(address.path)
    await once(streams, 'listening')
    await t.rejects(dial(address), { code: 'ERR_CONNECT', message: /one of streams, not of packets/ })
    await t.rejects(listen(address), { code: 'ERR_ADDRESS_IN_USE' })
    streams.close()
    await once(streams, 'close')

    const first = await listen(address)
    t.equal((await stat(address.path)).mode & 0o777, 0o600)
    await t.rejects(listen(address), { code: 'ERR_ADDRESS_IN_USE', message: /somebody listens/ })
    const wrong = connect(address.path)
    const [error] = await once(wrong, 'error') as [NodeJS.ErrnoException]
    t.equal(error.code, 'EPROTOTYPE')
    await first.close()
    t.same(await readdir(join(address.path, '..')), [], 'it takes its socket away')

    // What a killed process leaves behind: a socket on which nobody listens.
    const { SeqpacketServer } = await library()
    const dead = new SeqpacketServer()
    dead.listen(address.path, 1)
    dead.close()
    await using again = await listen(address)
    await dial(again.address).then(connection => { connection.abort(new Error('enough')) })

    const file = await place(t)
    await writeFile(file.path, '')
    await t.rejects(listen(file), { code: 'ERR_ADDRESS_IN_USE', message: /not a socket/ })
    await t.rejects(listen({ transport: 'seqpacket', path: `${file.path}/below` }), { code: 'ERR_ADDRESS', message: /directory/ })
    for (const path of ['', 'a\0b', 'x'.repeat(108)]) await t.rejects(dial({ transport: 'seqpacket', path }), { code: 'ERR_ADDRESS' })
  })

  t.test('connections wait to be taken, so many and no more; a closed listener is over', async t => {
    const address = await place(t)
    const refused = Promise.withResolvers<Error>()
    const listener = await listen(address, { maxPendingConnections: 2, onRefused: error => { refused.resolve(error) } })
    const dialled = await Promise.all([1, 2, 3].map(async () => await dial(address)))
    t.match(await refused.promise, { code: 'ERR_ABORTED' })
    const iterator = listener[Symbol.asyncIterator]()
    t.match(await iterator.next(), { done: false, value: { remote: { address: `seqpacket:${address.path}` } } })
    const stop = new AbortController()
    await listener.close()
    t.match(await iterator.next(), { done: true })
    stop.abort()
    for (const connection of dialled) connection.abort(new Error('over'))
    const other = await listen(await place(t), { signal: stop.signal }).catch((error: unknown) => error)
    t.equal(other, stop.signal.reason)
  })
}
