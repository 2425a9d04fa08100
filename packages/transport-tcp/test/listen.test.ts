import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { dial, listen, type TransportError } from '../src/index.ts'
import { identity, KINDS, listening, socketPath, take } from './sockets.ts'

for (const kind of KINDS) {
  t.test(`${kind}: connections are taken in the order in which they came, until the listener closes`, async t => {
    const listener = await listening(t, kind)
    const seen: number[] = []
    const over = (async () => {
      for await (const connection of listener) {
        seen.push((await connection.source[Symbol.asyncIterator]().next()).value?.get(0) ?? -1)
        connection.abort(new Error('over'))
      }
    })()
    for (const id of [1, 2, 3]) {
      const connection = await dial(listener.address)
      const gone = connection.source[Symbol.asyncIterator]().next()
      await connection.sink([Uint8Array.of(id)])
      await gone.catch(() => {})
      connection.abort(new Error('over'))
    }
    await listener.close()
    await listener.close()
    await over
    t.same(seen, [1, 2, 3])
    await t.rejects(dial(listener.address), { code: 'ERR_CONNECT' })
  })

  t.test(`${kind}: connections that were taken outlive the listener, the others do not`, async t => {
    const listener = await listening(t, kind)
    const [first, taken] = await Promise.all([dial(listener.address), take(listener)])
    const second = await dial(listener.address)
    await turns()
    await listener.close()
    await t.rejects(second.sink(endless()), { name: 'TransportError' })

    await first.sink([Uint8Array.of(7)])
    t.equal((await taken.source[Symbol.asyncIterator]().next()).value?.get(0), 7)
    first.abort(new Error('over'))
    taken.abort(new Error('over'))
  })

  t.test(`${kind}: connections that nobody takes are bounded`, async t => {
    const refused: TransportError[] = []
    const third = Promise.withResolvers<void>()
    const listener = await listening(t, kind, { maxPendingConnections: 2, onRefused: error => { refused.push(error); third.resolve() } })
    const dialled = [await dial(listener.address), await dial(listener.address)]
    const late = await dial(listener.address).catch((error: unknown) => error)
    await third.promise
    t.match(refused, [{ code: 'ERR_ABORTED', message: /2 connections wait/ }])
    if (late instanceof Error) t.match(late, { name: 'TransportError' })
    else await t.rejects((late as Awaited<ReturnType<typeof dial>>).sink(endless()), { name: 'TransportError' })

    const taken = [await take(listener), await take(listener)]
    for (const connection of [...dialled, ...taken]) connection.abort(new Error('over'))
    const [again, accepted] = await Promise.all([dial(listener.address), take(listener)])
    again.abort(new Error('over'))
    accepted.abort(new Error('over'))
  })
}

t.test('aborting the signal closes the listener, and whoever iterates is told why', async t => {
  const controller = new AbortController()
  const reason = new Error('stop')
  const listener = await listening(t, 'tcp', { signal: controller.signal })
  const next = take(listener)
  controller.abort(reason)
  await t.rejects(next, reason)
  await t.rejects(dial(listener.address), { code: 'ERR_CONNECT' })
  await t.rejects(listen({ transport: 'tcp', host: '127.0.0.1', port: 0 }, { signal: controller.signal }), reason)
})

t.test('an address that is taken, or that is not ours, is a coded error', async t => {
  const { address } = await listening(t, 'tcp')
  await t.rejects(listen(address), { code: 'ERR_ADDRESS_IN_USE', cause: { code: 'EADDRINUSE' } })
  await t.rejects(listen({ transport: 'tcp', host: '192.0.2.1', port: 0 }), { code: 'ERR_ADDRESS', cause: { code: 'EADDRNOTAVAIL' } })
  await t.rejects(listen({ transport: 'unix', path: `${socketPath(t)}/no/such` }), { code: 'ERR_ADDRESS' })
})

t.test('unix: the socket is for its owner only, and is gone after the close', async t => {
  const path = socketPath(t)
  const umask = process.umask(0)
  const listener = await listen({ transport: 'unix', path }).finally(() => process.umask(umask))
  t.equal(statSync(path).mode & 0o777, 0o600)
  await listener[Symbol.asyncDispose]()
  t.notOk(existsSync(path))
})

t.test('unix: the socket of a dead process is replaced, that of a living one is not', async t => {
  const path = socketPath(t)
  const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`])
  await once(child.stdout, 'data')
  await t.rejects(listen({ transport: 'unix', path }), { code: 'ERR_ADDRESS_IN_USE', message: /somebody listens/ })
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.ok(existsSync(path), 'it left its socket')

  const [listener, other] = await Promise.allSettled([listen({ transport: 'unix', path }), listen({ transport: 'unix', path })])
  const [won, lost] = listener.status === 'fulfilled' ? [listener, other] : [other, listener]
  t.match(lost, { status: 'rejected', reason: { code: 'ERR_ADDRESS_IN_USE' } }, 'one of two that start at once')
  t.same(readdirSync(dirname(path)), ['socket'], 'nothing else is left')
  const connection = await dial({ transport: 'unix', path })
  connection.abort(new Error('over'))
  if (won?.status === 'fulfilled') await won.value.close()
})

t.test('unix: a socket that was replaced while it was looked at is put back', async t => {
  const path = socketPath(t)
  const other = createServer()
  t.teardown(() => other.close())
  const { removeStaleSocket } = await t.mockImport<typeof import('../src/stale-socket.ts')>('../src/stale-socket.ts', {
    'node:fs/promises': {
      ...fs,
      rename: async (from: string, to: string) => {
        await fs.rm(path)
        other.listen(path)
        await once(other, 'listening')
        return await fs.rename(from, to)
      }
    }
  })
  const child = spawn(process.execPath, ['-e', `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`])
  await once(child, 'exit')

  await t.rejects(removeStaleSocket(path), { code: 'ERR_ADDRESS_IN_USE', message: /somebody else/ })
  t.same(readdirSync(dirname(path)), ['socket'])
  const connection = await dial({ transport: 'unix', path })
  connection.abort(new Error('over'))
})

t.test('unix: what is no socket is left alone', async t => {
  const path = socketPath(t)
  writeFileSync(path, 'precious')
  await t.rejects(listen({ transport: 'unix', path }), { code: 'ERR_ADDRESS_IN_USE', message: /not a socket/ })
  t.equal(statSync(path).size, 8)
})

t.test('tls: bad handshakes harm nobody else', async t => {
  const refused: TransportError[] = []
  let told = Promise.withResolvers<void>()
  const listener = await listening(t, 'tls', { onRefused: error => { refused.push(error); told.resolve() } })
  const { address } = listener
  if (address.transport === 'unix') throw new Error('not this one')

  for (const talk of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00\x05hello', '']) {
    told = Promise.withResolvers()
    const client = connect({ port: address.port, host: address.host })
    client.on('error', () => {})
    client.end(talk, 'latin1')
    await told.promise
    client.destroy()
  }
  told = Promise.withResolvers()
  const { connect: connectTls } = await import('node:tls')
  const old = connectTls({ port: address.port, host: address.host, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  await t.rejects(once(old, 'secureConnect'), { code: /PROTOCOL_VERSION/ })
  await told.promise

  t.equal(refused.length, 4)
  t.match(refused[0], { code: 'ERR_TLS', message: /^127\.0\.0\.1:\d+: / })
  t.match(refused[2], { code: 'ERR_CONNECTION_LOST', remote: true })
  t.match(refused[3], { code: 'ERR_TLS' })
  const [dialled, accepted] = await Promise.all([dial(address), take(listener)])
  dialled.abort(new Error('over'))
  accepted.abort(new Error('over'))
})

t.test('tls: handshakes are bounded in number and in time', async t => {
  const refused: TransportError[] = []
  const all = Promise.withResolvers<void>()
  const listener = await listening(t, 'tls', {
    maxHandshakes: 2,
    handshakeTimeoutMs: 100,
    onRefused: error => { if (refused.push(error) === 3) all.resolve() }
  })
  const { address } = listener
  if (address.transport === 'unix') throw new Error('not this one')

  const clients = [1, 2, 3].map(() => connect({ port: address.port, host: address.host }).on('error', () => {}))
  await all.promise
  t.match(refused, [{ code: 'ERR_TLS', message: /2 handshakes are under way/ }, { code: 'ERR_TIMEOUT' }, { code: 'ERR_TIMEOUT' }])
  for (const client of clients) client.destroy()

  const [dialled, accepted] = await Promise.all([dial(address), take(listener)])
  dialled.abort(new Error('over'))
  accepted.abort(new Error('over'))
})

t.test('tls: closing the listener ends handshakes that are under way', async t => {
  const listener = await listening(t, 'tls', { handshakeTimeoutMs: 600_000 })
  const { address } = listener
  if (address.transport === 'unix') throw new Error('not this one')
  const client = connect({ port: address.port, host: address.host })
  await once(client, 'connect')
  await turns()
  await listener.close()
  await new Promise(resolve => { client.on('close', resolve).on('error', () => {}).resume() })
})

t.test('a listener outlives trouble with accepting', async t => {
  const refused: TransportError[] = []
  const servers: Server[] = []
  const note = (message: unknown): void => { servers.push((message as { server: Server }).server) }
  subscribe('tracing:net.server.listen:asyncStart', note)
  const listener = await listening(t, 'tcp', { onRefused: error => { refused.push(error) } })
  unsubscribe('tracing:net.server.listen:asyncStart', note)
  servers[0]?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.match(refused, [{ name: 'TransportError', cause: { code: 'EMFILE' } }])
  const [dialled, accepted] = await Promise.all([dial(listener.address), take(listener)])
  dialled.abort(new Error('over'))
  accepted.abort(new Error('over'))
})

t.test('the fingerprint of a tls listener is part of its address', async t => {
  t.match((await listening(t, 'tls')).address, { fingerprint: (await identity()).fingerprint })
})

/** Lets the listener accept what the kernel has for it. Closing earlier would be answered in the same way, only by the kernel. */
async function turns (): Promise<void> {
  for (let i = 0; i < 50; i++) await turn()
}

function * endless (): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(65536)
}
