import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import t from 'tap'
import { dial } from '../src/index.ts'
import { bytesOf, connected, identity, KINDS, listening, socketPath, take } from './sockets.ts'

/** A server that accepts and does what `talk` says, and nothing more. */
async function server (t: Parameters<typeof socketPath>[0], talk: (socket: Socket) => void): Promise<{ host: string, port: number }> {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    talk(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

t.test('nobody there is ERR_CONNECT, with the address and the cause', async t => {
  const gone = await listening(t, 'tcp')
  await gone.close()
  const { address } = gone
  if (address.transport === 'unix') throw new Error('not this one')

  await t.rejects(dial(address), { name: 'TransportError', code: 'ERR_CONNECT', message: `127.0.0.1:${address.port}`, cause: { code: 'ECONNREFUSED' } })
  await t.rejects(dial({ ...address, transport: 'tls' }), { code: 'ERR_CONNECT' })
  await t.rejects(dial({ transport: 'unix', path: socketPath(t) }), { code: 'ERR_CONNECT', cause: { code: 'ENOENT' } })
})

t.test('a name with several addresses is tried until one answers', async t => {
  const { port } = await server(t, socket => { socket.end('hello') })
  const connection = await dial({ transport: 'tcp', host: 'localhost', port })
  t.equal(String(await bytesOf(connection.source)), 'hello')
  connection.abort(new Error('over'))
})

t.test('who is at the other end is known on both sides', async t => {
  for (const kind of KINDS) {
    const { dialled, accepted } = await connected(t, kind)
    if (kind === 'unix') {
      t.match(dialled.remote.address, /^unix:\/.*socket$/)
      t.equal(accepted.remote.address, dialled.remote.address)
    } else {
      t.match(dialled.remote.address, /^127\.0\.0\.1:\d+$/)
      t.match(accepted.remote.address, /^127\.0\.0\.1:\d+$/)
    }
    t.equal(dialled.remote.fingerprint, kind === 'tls' ? (await identity()).fingerprint : undefined)
    t.equal(accepted.remote.fingerprint, undefined)
  }
})

t.test('a server that never shakes hands is given up', async t => {
  const address = await server(t, () => {})
  await t.rejects(dial({ transport: 'tls', ...address }, { timeoutMs: 20 }), { code: 'ERR_TIMEOUT', message: /within 20 ms/ })
})

t.test('a server that talks nonsense is ERR_TLS', async t => {
  const address = await server(t, socket => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') })
  await t.rejects(dial({ transport: 'tls', ...address }), { code: 'ERR_TLS', cause: { library: 'SSL routines' } })
})

t.test('a server that leaves during the handshake is a coded error', async t => {
  const ends = await server(t, socket => { socket.end() })
  await t.rejects(dial({ transport: 'tls', ...ends }), { name: 'TransportError', remote: true })
  const resets = await server(t, socket => { socket.once('data', () => socket.resetAndDestroy()) })
  await t.rejects(dial({ transport: 'tls', ...resets }), { code: 'ERR_CONNECTION_RESET', remote: true })
})

t.test('a server without TLS 1.3 is refused', async t => {
  const { certificate, privateKey } = await identity()
  const old = createTlsServer({ cert: certificate, key: privateKey, maxVersion: 'TLSv1.2' })
  old.on('tlsClientError', () => {})
  old.listen(0, '127.0.0.1')
  await once(old, 'listening')
  t.teardown(() => old.close())
  const { port } = old.address() as AddressInfo
  await t.rejects(dial({ transport: 'tls', host: '127.0.0.1', port }, { tls: { verify: () => true } }), { code: 'ERR_TLS' })
})

t.test('an attempt leaves no timer', async t => {
  const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  const { dialled, accepted } = await connected(t, 'tls')
  t.equal(timers(), before)
  dialled.abort(new Error('over'))
  accepted.abort(new Error('over'))
})

t.test('a signal ends an attempt with its reason, and the server sees it go', async t => {
  const reason = new Error('changed my mind')
  await t.rejects(dial({ transport: 'tcp', host: 'localhost', port: 1 }, { signal: AbortSignal.abort(reason) }), reason)

  const controller = new AbortController()
  const closed = Promise.withResolvers<void>()
  const address = await server(t, socket => {
    socket.on('close', () => closed.resolve())
    socket.on('end', () => socket.end())
    socket.once('data', () => controller.abort(reason))
  })
  await t.rejects(dial({ transport: 'tls', ...address }, { signal: controller.signal }), reason)
  await closed.promise
})

t.test('a signal that aborts later does not touch the connection', async t => {
  const listener = await listening(t, 'tcp')
  const controller = new AbortController()
  const [dialled, accepted] = await Promise.all([dial(listener.address, { signal: controller.signal }), take(listener)])
  controller.abort(new Error('too late'))
  await dialled.sink([Uint8Array.of(1)])
  t.equal((await bytesOf(accepted.source)).length, 1)
  dialled.abort(new Error('over'))
  accepted.abort(new Error('over'))
})
