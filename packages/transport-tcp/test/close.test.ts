import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { ByteReceiver, Connection } from '@ropewalk/interface'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { fromSocket } from '../src/index.ts'
import { bytesOf, connected, KINDS, rawPair } from './sockets.ts'

const HELLO = Buffer.from('hello')

for (const kind of KINDS) {
  t.test(`${kind}: each direction ends on its own, the dialler's first`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    await dialled.sink([HELLO])
    t.equal(String(await bytesOf(accepted.source)), 'hello')

    // The peer has ended; we still write, in several turns.
    await accepted.sink((async function * () {
      yield HELLO
      await turn()
      yield HELLO
    })())
    t.equal(String(await bytesOf(dialled.source)), 'hellohello')
  })

  t.test(`${kind}: each direction ends on its own, the acceptor's first`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    await accepted.sink([HELLO])
    t.equal(String(await bytesOf(dialled.source)), 'hello')
    await dialled.sink([HELLO, HELLO])
    t.equal(String(await bytesOf(accepted.source)), 'hellohello')
  })

  t.test(`${kind}: what was sent before the peer asked is not lost, the end included`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    await dialled.sink([HELLO])
    await turn()
    const received: string[] = []
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    accepted.attach?.({ bytes: bytes => { received.push(String(Buffer.from(bytes))) }, end: resolve })
    t.equal(await promise, undefined)
    t.equal(received.join(''), 'hello')
  })

  for (const side of ['dialled', 'accepted'] as const) {
    t.test(`${kind}: abort of the ${side} end rejects everything that waits with its reason`, async t => {
      const pair = await connected(t, kind)
      const reason = new Error('enough')
      const never = new Promise<Uint8Array>(() => {})
      const next = pair[side].source[Symbol.asyncIterator]().next()
      const sink = pair[side].sink((async function * () { yield await never })())
      pair[side].abort(reason)
      pair[side].abort(new Error('again'))

      await Promise.all([t.rejects(next, reason), t.rejects(sink, reason)])
      await t.rejects(pair[side].source[Symbol.asyncIterator]().next(), reason)
      await t.rejects(pair[side].sink([]), TypeError)
      t.throws(() => pair[side].attach?.(deaf()), TypeError)
    })
  }

  t.test(`${kind}: a peer that is destroyed in mid-transfer is a coded error on source or sink`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const sink = dialled.sink(endless())
    const iterator = accepted.source[Symbol.asyncIterator]()
    await iterator.next()
    accepted.abort(new Error('dies'))
    await t.rejects(sink, { name: 'TransportError', scope: 'connection', code: 'ERR_CONNECTION_RESET', remote: true, cause: Error })
    await t.rejects(bytesOf(dialled.source), { code: 'ERR_CONNECTION_RESET' })
  })

  t.test(`${kind}: disposing ends our direction, drops what still comes, and returns once the peer has ended too`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const sent = accepted.sink([new Uint8Array(1024 * 1024)])
    const next = dialled.source[Symbol.asyncIterator]().next()
    const disposed = dialled[Symbol.asyncDispose]()
    await t.rejects(next, { code: 'ERR_ABORTED' })
    t.equal((await bytesOf(accepted.source)).length, 0)
    await sent
    await disposed
    await dialled[Symbol.asyncDispose]()
  })

  t.test(`${kind}: disposing lets the peer finish what nobody has asked for`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const sent = accepted.sink([new Uint8Array(16 * 1024 * 1024)])
    const disposed = dialled[Symbol.asyncDispose]()
    await sent
    t.equal((await bytesOf(accepted.source)).length, 0)
    await disposed
  })

  t.test(`${kind}: disposing lets a running sink finish`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const sent = dialled.sink([new Uint8Array(4 * 1024 * 1024)])
    const disposed = dialled[Symbol.asyncDispose]()
    t.equal((await bytesOf(accepted.source)).length, 4 * 1024 * 1024)
    await accepted.sink([])
    await Promise.all([sent, disposed])
  })

  t.test(`${kind}: a disposal that the peer does not answer is bounded`, async t => {
    const { dialled, accepted } = await connected(t, kind, { closeTimeoutMs: 1 })
    await dialled[Symbol.asyncDispose]()
    await t.rejects(accepted.sink(endless()), { code: 'ERR_CONNECTION_RESET' })
  })

  t.test(`${kind}: a consumer that leaves does not hold the peer up, and our direction goes on`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const sent = accepted.sink([new Uint8Array(32 * 1024 * 1024)])
    for await (const bytes of dialled.source) {
      t.ok(bytes.length > 0)
      break
    }
    await sent
    await dialled.sink([HELLO])
    t.equal(String(await bytesOf(accepted.source)), 'hello')
    t.equal((await bytesOf(dialled.source)).length, 0, 'what it left is over')
  })

  t.test(`${kind}: after a consumer has left and our end is sent, a peer that never ends is bounded`, async t => {
    const { dialled, accepted } = await connected(t, kind, { closeTimeoutMs: 1 })
    const sent = accepted.sink(endless())
    for await (const bytes of dialled.source) if (bytes.length > 0) break
    await dialled.sink([])
    await t.rejects(sent, { code: 'ERR_CONNECTION_RESET' })
  })

  t.test(`${kind}: a consumer that leaves after our end is sent does not wait for ever either`, async t => {
    const { dialled, accepted } = await connected(t, kind, { closeTimeoutMs: 1 })
    await dialled.sink([])
    const sent = accepted.sink(endless())
    for await (const bytes of dialled.source) if (bytes.length > 0) break
    await t.rejects(sent, { code: 'ERR_CONNECTION_RESET' })
  })

  t.test(`${kind}: aborting the signal of a sink ends the connection with the signal's reason`, async t => {
    const { dialled, accepted } = await connected(t, kind)
    const controller = new AbortController()
    const reason = new Error('stop')
    let left = false
    const sink = dialled.sink((function * () {
      try {
        for (;;) yield new Uint8Array(65536)
      } finally {
        left = true
      }
    })(), { signal: controller.signal })
    await accepted.source[Symbol.asyncIterator]().next()
    controller.abort(reason)
    await t.rejects(sink, reason)
    t.ok(left, 'the source was told')
    await t.rejects(dialled.source[Symbol.asyncIterator]().next(), reason)
  })

  t.test(`${kind}: a source that fails is not taken for the end of the data`, async t => {
    const { dialled } = await connected(t, kind)
    const reason = new Error('disk')
    await t.rejects(dialled.sink((function * () {
      yield HELLO
      throw reason
    })()), reason)
    await t.rejects(dialled.source[Symbol.asyncIterator]().next(), reason)
  })
}

t.test('tcp: an abort reaches the peer as a reset, not as an end', async t => {
  const { dialled, accepted } = await connected(t, 'tcp')
  await dialled.source[Symbol.asyncIterator]().return?.()
  dialled.abort(new Error('enough'))
  await t.rejects(bytesOf(accepted.source), { code: 'ERR_CONNECTION_RESET', remote: true })
})

t.test('what came before a reset is still delivered', async t => {
  const { left, right } = await rawPair(t)
  const connection = fromSocket(right)
  const iterator = connection.source[Symbol.asyncIterator]()
  left.write('first')
  t.equal(String((await iterator.next()).value?.subarray()), 'first')
  const arrived = once(right, 'data')
  left.write('second')
  await arrived
  const closed = new Promise(resolve => { right.once('close', resolve) })
  left.resetAndDestroy()
  await closed
  t.equal(String((await iterator.next()).value?.subarray()), 'second')
  await t.rejects(iterator.next(), { code: 'ERR_CONNECTION_RESET' })
})

t.test('a socket that somebody else destroys is a lost connection', async t => {
  const { right } = await rawPair(t)
  const connection = fromSocket(right)
  const next = connection.source[Symbol.asyncIterator]().next()
  const sink = connection.sink((async function * () { yield await new Promise<Uint8Array>(() => {}) })())
  right.destroy()
  await Promise.all([t.rejects(next, { code: 'ERR_CONNECTION_LOST' }), t.rejects(sink, { code: 'ERR_CONNECTION_LOST' })])

  const late = fromSocket(right)
  await t.rejects(late.source[Symbol.asyncIterator]().next(), { code: 'ERR_CONNECTION_LOST' })
  await t.rejects(late.sink([]), { code: 'ERR_CONNECTION_LOST' })
  const { promise, resolve } = Promise.withResolvers<Error | undefined>()
  fromSocket(right).attach?.({ bytes () {}, end: resolve })
  t.match(await promise, { code: 'ERR_CONNECTION_LOST' })
  await late[Symbol.asyncDispose]()
})

t.test('the caller is told of what it may not do', async t => {
  const { dialled } = await connected(t, 'tcp')
  const iterator = dialled.source[Symbol.asyncIterator]()
  const next = iterator.next()
  await t.rejects(iterator.next(), TypeError)
  t.throws(() => dialled.attach?.(deaf()), TypeError)
  await t.rejects(dialled.sink(undefined as never), TypeError)
  await t.rejects(dialled.sink([], { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })
  await t.rejects(dialled.sink(['text'] as never), TypeError)
  await t.rejects(next, TypeError, 'half of what was to be sent is not sent')
})

t.test('1,000 connections leave no listeners', async t => {
  const server = createServer({ allowHalfOpen: true }, socket => { socket.resume().end() })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { signal } = new AbortController()
  let aborts = 0
  const { addEventListener: add, removeEventListener: remove } = signal
  signal.addEventListener = function (this: AbortSignal, ...rest: Parameters<typeof add>) { aborts++; return add.apply(this, rest) } as typeof add
  signal.removeEventListener = function (this: AbortSignal, ...rest: Parameters<typeof remove>) { aborts--; return remove.apply(this, rest) } as typeof remove
  const address = server.address() as { port: number }

  const left = new Set<string>()
  for (let round = 0; round < 50; round++) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const client = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true })
      await once(client, 'connect')
      const before = count(client)
      const connection: Connection = fromSocket(client)
      const closed = once(client, 'close')
      await connection.sink([HELLO], { signal })
      await bytesOf(connection.source)
      await closed
      const after = count(client)
      for (const [name, listeners] of after) if (listeners > (before.get(name) ?? 0)) left.add(`${name}: ${listeners - (before.get(name) ?? 0)}`)
    }))
  }
  t.same([...left], ['error: 1'], 'all but the one against unhandled errors')
  t.equal(aborts, 0)
})

function count (socket: Socket): Map<string, number> {
  return new Map(socket.eventNames().map(name => [String(name), socket.listenerCount(name)]))
}

function deaf (): ByteReceiver {
  return { bytes () {}, end () {} }
}

function * endless (): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(65536)
}
