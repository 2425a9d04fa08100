import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { dial as dialPlatform, fromWebSocket } from '../src/index.ts'
import { dial, listen } from '../src/node/index.ts'
import { bytesOf, dialled, identity, listening, next, take } from './sockets.ts'

const DIALS = { ws: dial, platform: dialPlatform }

/** A server that takes connections and says nothing. */
async function silent (t: Test): Promise<string> {
  const server = createServer(socket => { socket.on('error', () => {}) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

for (const [kind, open] of Object.entries(DIALS)) {
  t.test(`${kind}: what cannot be an address is ERR_ADDRESS`, async t => {
    for (const address of ['', 'nonsense', 'http://localhost', 'tcp://localhost:1', 'ws://', 'ws://user:pass@localhost', 'ws://localhost/#a']) {
      await t.rejects(open(address), { name: 'TransportError', code: 'ERR_ADDRESS' }, address)
    }
    await t.rejects(open('ws://me:secret@localhost'), { message: /^((?!secret).)*$/ }, 'a password is not repeated')
  })

  t.test(`${kind}: a port where nobody listens is ERR_CONNECT`, async t => {
    const listener = await listening(t)
    await listener.close()
    await t.rejects(open(listener.address), { code: 'ERR_CONNECT' })
  })

  t.test(`${kind}: a server that never answers is ERR_TIMEOUT`, async t => {
    await t.rejects(open(await silent(t), { timeoutMs: 20 }), { code: 'ERR_TIMEOUT', message: /within 20 ms/ })
  })

  t.test(`${kind}: aborting rejects with the signal's reason, before and during`, async t => {
    const reason = new Error('stop')
    await t.rejects(open('ws://127.0.0.1:1', { signal: AbortSignal.abort(reason) }), reason)
    const controller = new AbortController()
    const opening = open(await silent(t), { signal: controller.signal })
    controller.abort(reason)
    await t.rejects(opening, reason)
  })

  t.test(`${kind}: a server that refuses is a coded error`, async t => {
    const listener = await listening(t)
    await t.rejects(open(new URL('/other', listener.address)), { code: kind === 'ws' ? 'ERR_REFUSED' : 'ERR_CONNECT', message: kind === 'ws' ? /404 Not Found/ : /./ })
  })

  t.test(`${kind}: a server without the subprotocol must be asked for without it`, async t => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => false })
    server.on('connection', socket => socket.on('message', data => { socket.send(data) }))
    await once(server, 'listening')
    t.teardown(() => server.close())
    const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    await t.rejects(open(address), { code: 'ERR_CONNECT' })
    const connection = await open(address, { halfClose: false })
    const { promise, resolve } = Promise.withResolvers<void>()
    const sunk = connection.sink((async function * () {
      yield Uint8Array.of(1, 2, 3)
      await promise
    })())
    t.same((await next(connection)).value?.subarray(), Uint8Array.of(1, 2, 3))
    resolve()
    await sunk
    t.equal((await bytesOf(connection.source)).length, 0)
  })
}

t.test('an HTTP server that is no WebSocket server is ERR_REFUSED, with its status', async t => {
  const server = createHttpServer((_request, response) => { response.writeHead(200).end('hello') })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  await t.rejects(dial(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`), { code: 'ERR_REFUSED', message: /200 OK/, remote: true })
})

t.test('headers reach the server', async t => {
  const server = createHttpServer()
  const listener = await listen('ws://localhost/node', { server })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const asked = once(server, 'upgrade')
  const [left, right, [request]] = await Promise.all([dial(listener.address, { headers: { authorization: 'Bearer x' } }), take(listener), asked])
  t.equal(request.headers.authorization, 'Bearer x')
  await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
  await listener.close()
  t.ok(server.listening, 'a server that was given is its owner\'s')
})

t.test('a certificate that nobody vouches for is ERR_TLS', async t => {
  const listener = await listening(t, {}, 'wss')
  await t.rejects(dial(listener.address), { code: 'ERR_TLS' })
  const [left, right] = await Promise.all([dial(listener.address, { tls: { ca: (await identity()).certificate } }), take(listener)])
  await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
})

t.test('a WebSocket that is open can be wrapped, one that is not cannot', async t => {
  const listener = await listening(t)
  const socket = new WebSocket(listener.address, 'ropewalk.1')
  t.throws(() => fromWebSocket(socket), TypeError)
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.onopen = () => resolve()
  const [right] = await Promise.all([take(listener), promise])
  const left = fromWebSocket(socket)
  t.equal(left.remote.address, listener.address)
  await Promise.all([left.sink([Uint8Array.of(1)]), right.sink([])])
  t.same(await bytesOf(right.source), Uint8Array.of(1))
})

/** As browsers have it: what Web IDL calls a BufferSource is neither shared nor resizable. */
class Strict extends WebSocket {
  override send (data: Uint8Array<ArrayBuffer>): void {
    if (!(data.buffer instanceof ArrayBuffer) || data.buffer.resizable) throw new TypeError('no BufferSource')
    super.send(data)
  }
}

t.test('memory that a WebSocket refuses, because it is shared or could be resized, is sent all the same', async t => {
  const listener = await listening(t)
  for (const memory of [new ArrayBuffer(3, { maxByteLength: 5 }), new SharedArrayBuffer(3)]) {
    const [left, right] = await Promise.all([dialPlatform(listener.address, { WebSocket: Strict as never }), take(listener)])
    await Promise.all([left.sink([new Uint8Array(memory).fill(7)]), right.sink([])])
    t.same(await bytesOf(right.source), Uint8Array.of(7, 7, 7))
    await bytesOf(left.source)
  }
})

t.test('where the platform has no WebSocket, one must be given', async t => {
  await t.rejects(dialPlatform('ws://127.0.0.1:1', { WebSocket: null as never }), TypeError)
  const listener = await listening(t)
  const [left, right] = await Promise.all([dialPlatform(listener.address, { WebSocket }), take(listener)])
  await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
})

t.test('connections leave no listeners on a signal', async t => {
  const listener = await listening(t)
  const { signal } = new AbortController()
  let listeners = 0
  const { addEventListener: add, removeEventListener: remove } = signal
  signal.addEventListener = function (this: AbortSignal, ...rest: Parameters<typeof add>) { listeners++; return add.apply(this, rest) } as typeof add
  signal.removeEventListener = function (this: AbortSignal, ...rest: Parameters<typeof remove>) { listeners--; return remove.apply(this, rest) } as typeof remove
  for (const kind of ['ws', 'platform'] as const) {
    const [left, right] = await Promise.all([dialled(kind, listener.address, { signal }), take(listener)])
    await Promise.all([left.sink([], { signal }), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
  }
  t.equal(listeners, 0)
})
