import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Connection } from '@ropewalk/interface'
import { settle, turn } from '@ropewalk/testing'
import t from 'tap'
import { SocketConnection } from '../src/connection.ts'
import { RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_ITEMS, SEND_BUFFER_BYTES } from '../src/constants.ts'
import { Inbound } from '../src/inbound.ts'
import { dial, fromSocket } from '../src/index.ts'
import { ReadBuffer, withReadBuffer } from '../src/read-buffer.ts'
import { connected, KINDS, rawPair } from './sockets.ts'

const ITEM = 65_536
/** More than any kernel buffers between two sockets of one machine. */
const TOTAL = 64 * 1024 * 1024
/** What one read may add after the queue is full: 'data' events and our own buffers hold as much, and a Readable keeps as much again. */
const ONE_READ = 256 * 1024 + 65_536

for (const kind of KINDS) {
  t.test(`${kind}: a reader that sleeps stops the writer, and none of it is lost when it wakes`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    let produced = 0
    const sent = dialled.sink((function * () {
      for (; produced < TOTAL; produced += ITEM) yield new Uint8Array(ITEM)
    })())
    const iterator = accepted.source[Symbol.asyncIterator]()
    let received = (await iterator.next()).value?.length ?? 0

    await settle(() => produced)
    t.ok(produced < TOTAL / 2, `${produced} bytes are under way`)

    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) received += step.value.length
    await sent
    t.equal(received, TOTAL)
  })
}

t.test('a sink is never further ahead of the kernel than its buffer and one item', async t => {
  const { left } = await rawPair(t)
  let most = 0
  let produced = 0
  const sink = fromSocket(left).sink((function * () {
    for (; ; produced += ITEM) {
      most = Math.max(most, left.writableLength)
      yield new Uint8Array(ITEM)
    }
  })())
  await settle(() => produced)
  t.ok(left.writableLength > SEND_BUFFER_BYTES, 'it is full')
  t.ok(most <= SEND_BUFFER_BYTES, `asked for more at ${most} bytes`)
  t.ok(left.writableLength <= SEND_BUFFER_BYTES + ITEM)
  left.destroy()
  await t.rejects(sink, { code: 'ERR_CONNECTION_LOST' }, 'nor does it miss the end while it waits')
})

t.test('a source that never waits lets others run, however fast its bytes are taken', async t => {
  const taken = new Duplex({ write: (_bytes, _encoding, done) => done(), read () {} })
  const socket = Object.assign(taken, { setNoDelay () {} }) as unknown as Socket
  let turns = 0
  let running = true
  void (async () => { for (; running; turns++) await turn() })()
  await new SocketConnection(socket, { address: 'test' }, {}, {}).sink((function * () {
    for (let i = 0; i < 256; i++) yield new Uint8Array(ITEM)
  })())
  running = false
  t.ok(turns >= 8, `${turns} turns of the event loop`)
})

for (const [name, open] of [['data events', plain], ['a buffer of ours', withBuffer]] as const) {
  t.test(`${name}: what waits unread is bounded in bytes, and reading goes on when it is taken`, async t => {
    const { peer, socket, connection } = await open(t)
    const iterator = connection.source[Symbol.asyncIterator]()
    let offered = 0
    const writer = new SocketConnection(peer, { address: 'peer' }, {}, {}).sink((function * () {
      for (; offered < TOTAL; offered += ITEM) yield new Uint8Array(ITEM)
    })())
    let received = (await iterator.next()).value?.length ?? 0
    await settle(() => socket.bytesRead)
    t.ok(socket.bytesRead - received >= RECEIVE_BUFFER_BYTES, 'it is full')
    t.ok(socket.bytesRead - received <= RECEIVE_BUFFER_BYTES + ONE_READ, `${socket.bytesRead - received} bytes wait`)

    for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) received += step.value.length
    await writer
    t.equal(received, TOTAL)
  })

  t.test(`${name}: what waits unread is bounded in pieces`, async t => {
    const { peer, socket, connection } = await open(t)
    const iterator = connection.source[Symbol.asyncIterator]()
    const first = iterator.next()
    peer.write('a')
    await first
    const pieces = RECEIVE_BUFFER_ITEMS + 100
    for (let i = 0; i < pieces; i++) {
      const before = socket.bytesRead
      peer.write('b')
      await until(() => socket.bytesRead > before, 20)
    }
    const { value } = await iterator.next()
    t.ok([...value ?? []].length <= RECEIVE_BUFFER_ITEMS, `${[...value ?? []].length} pieces`)
    let received = value?.length ?? 0
    while (received < pieces) received += (await iterator.next()).value?.length ?? 0
    t.equal(received, pieces)
  })

  t.test(`${name}: attached, bytes come as they arrive until it is paused`, async t => {
    const { peer, socket, connection } = await open(t)
    let received = 0
    const ended = Promise.withResolvers<Error | undefined>()
    const flow = connection.attach?.({
      bytes (bytes) {
        received += bytes.length
        if (received >= 1024 * 1024 && !resumed) flow?.pause()
      },
      end: ended.resolve
    })
    let resumed = false
    const bulk = Buffer.from(Array.from({ length: ITEM }, (_, i) => i & 0xff))
    for (let i = 0; i < TOTAL / ITEM; i++) peer.write(bulk)
    peer.end()

    await settle(() => socket.bytesRead)
    t.ok(received >= 1024 * 1024 && received < 1024 * 1024 + ONE_READ, `${received} bytes before it was paused`)
    t.ok(socket.bytesRead - received <= ONE_READ)
    flow?.pause()

    resumed = true
    flow?.resume()
    flow?.resume()
    t.equal(await ended.promise, undefined)
    t.equal(received, TOTAL)
  })
}

t.test('a connection has memory of its own for as long as its reads are large', async t => {
  const got: Uint8Array[] = []
  const readBuffer = new ReadBuffer()
  readBuffer.serve({ lends: false, receive: (bytes: Uint8Array, lent: boolean) => { got.push(t.notOk(lent) ? bytes : new Uint8Array()) } } as unknown as Inbound)
  let into = (readBuffer.onread.buffer as () => Uint8Array)()
  const shared = into.buffer
  const expected: Uint8Array[] = []
  const read = (length: number): void => {
    const bytes = new Uint8Array(length).fill(expected.length + 1)
    into.set(bytes)
    expected.push(bytes)
    readBuffer.onread.callback(length, into)
    into = (readBuffer.onread.buffer as () => Uint8Array)()
  }
  read(100)
  t.equal(into.buffer, shared)
  read(16_384)
  t.not(into.buffer, shared)
  for (let small = 1; small < 16; small++) read(100)
  t.not(into.buffer, shared)
  read(16_384)
  const own = into.buffer
  for (let small = 1; small <= 16; small++) read(100)
  t.equal(into.buffer, shared)
  read(16_384)
  t.notOk([shared, own].includes(into.buffer), 'which it did not keep')
  into.fill(255)
  t.strictSame(got.map(bytes => Buffer.from(bytes)), expected.map(bytes => Buffer.from(bytes)), 'and nothing that was read is overwritten')
})

t.test('the end waits for what came while the receiver had paused', async t => {
  const inbound = new Inbound({ open () {}, close () {}, left () {} }, 1024)
  const told: string[] = []
  const flow = inbound.attach({ bytes: bytes => { told.push(String(Buffer.from(bytes))) }, end: error => { told.push(`end ${String(error)}`) } })
  flow.pause()
  const lent = new TextEncoder().encode('one')
  inbound.receive(lent, true)
  lent.fill(0)
  inbound.receive(new TextEncoder().encode('two'), false)
  await turn()
  t.same(told, [])
  flow.resume()
  inbound.receive(new TextEncoder().encode('three'), true)
  inbound.end()
  await turn()
  t.same(told, ['one', 'two', 'three', 'end undefined'])
})

t.test('a receiver that keeps what comes is given memory of its own, and one that changes its mind is lent to again', async t => {
  const { peer, connection } = await withBuffer(t)
  const given: Uint8Array[] = []
  const lent: boolean[] = []
  let keeps = false
  const ended = Promise.withResolvers<Error | undefined>()
  connection.attach?.({
    get keeps () { return keeps },
    bytes (bytes, isLent = true) {
      lent.push(isLent)
      given.push(isLent ? bytes.slice() : bytes)
      keeps = given.length % 3 !== 0
    },
    end: ended.resolve
  })
  const sent = Buffer.from(Array.from({ length: 4_000_000 }, (_, i) => (i * 7) >> 3))
  peer.end(sent)
  t.equal(await ended.promise, undefined)
  t.equal(Buffer.compare(Buffer.concat(given), sent), 0)
  t.ok(lent.includes(true) && lent.includes(false))
})

t.test('lent bytes are the right ones on many sockets at once, though all lend from one buffer', async t => {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.once('data', ([id]) => socket.end(Buffer.alloc(300_000, id)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }

  await Promise.all(Array.from({ length: 40 }, async (_, id) => {
    const connection = await dial({ transport: 'tcp', host: '127.0.0.1', port })
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    let [received, wrong] = [0, 0]
    connection.attach?.({
      bytes (bytes) {
        received += bytes.length
        for (const byte of bytes) if (byte !== id) wrong++
      },
      end: resolve
    })
    await connection.sink([Uint8Array.of(id)])
    t.equal(await promise, undefined)
    t.same([received, wrong], [300_000, 0])
  }))
})

t.test('nothing is read before somebody asks', async t => {
  const { peer, socket, connection } = await withBuffer(t)
  peer.write('hello')
  await until(() => socket.bytesRead > 0, 100)
  t.equal(socket.bytesRead, 0)
  t.equal((await connection.source[Symbol.asyncIterator]().next()).value?.length, 5)
})

t.test('an accepted socket keeps its events where this Node has no buffers of ours', async t => {
  const { left, right } = await rawPair(t)
  Object.assign((right as unknown as { _handle: object })._handle, { useUserBuffer: undefined })
  const { socket, readBuffer } = withReadBuffer(right)
  t.equal(socket, right)
  t.equal(readBuffer, undefined)
  left.end('hello')
  const { value } = await fromSocket(socket).source[Symbol.asyncIterator]().next()
  t.equal(String(value?.subarray()), 'hello')
})

interface Ends { peer: Socket, socket: Socket, connection: Connection }

async function plain (t: Parameters<typeof rawPair>[0]): Promise<Ends> {
  const { left, right } = await rawPair(t)
  return { peer: left, socket: right, connection: fromSocket(right) }
}

async function withBuffer (t: Parameters<typeof rawPair>[0]): Promise<Ends> {
  const { left, right } = await rawPair(t, { pauseOnConnect: true })
  const { socket, readBuffer } = withReadBuffer(right)
  t.ok(readBuffer instanceof ReadBuffer, 'this Node has them')
  t.teardown(() => socket.destroy())
  return { peer: left, socket, connection: new SocketConnection(socket, { address: 'test' }, {}, { readBuffer }) }
}

/** Lets the event loop turn until something holds, at most so many times. */
async function until (holds: () => boolean, turns: number): Promise<void> {
  for (let i = 0; i < turns && !holds(); i++) await turn()
}
