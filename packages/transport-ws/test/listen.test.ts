import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createIdentity, fingerprintOf, type Identity } from '@ropewalk/transport-tcp'
import type { TransportError } from '../src/index.ts'
import { dial, type DialOptions, listen } from '../src/node/index.ts'
import { bytesOf, frame, identity, listening, next, Opcode, take, upgraded } from './sockets.ts'

t.test('the address of a listener is one to dial', async t => {
  const listener = await listening(t)
  t.match(listener.address, /^ws:\/\/127\.0\.0\.1:[1-9]\d*\/node$/)
})

t.test('IPv6 works like IPv4', async t => {
  const listener = await listen('ws://[::1]:0')
  t.teardown(() => listener.close())
  const [left, right] = await Promise.all([dial(listener.address), take(listener)])
  t.match(right.remote.address, /^\[::1\]:\d+$/)
  await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
})

t.test('what cannot be listened on is a coded error', async t => {
  const listener = await listening(t)
  await t.rejects(listen(listener.address), { code: 'ERR_ADDRESS_IN_USE' })
  await t.rejects(listen('ws://192.0.2.1:0'), { code: 'ERR_ADDRESS' })
  await t.rejects(listen('tcp://127.0.0.1:0'), { code: 'ERR_ADDRESS' })
  await t.rejects(listen('wss://127.0.0.1:0'), TypeError)
  await t.rejects(listen('ws://127.0.0.1:0', { tls: { cert: '', key: '' } }), TypeError)
  const { certificate } = await identity()
  await t.rejects(listen('wss://127.0.0.1:0', { tls: { cert: certificate, key: certificate } }), { code: /./ })
})

t.test('closing ends the iteration, refuses newcomers, and leaves what was accepted alone', async t => {
  const listener = await listening(t)
  const [left, right] = await Promise.all([dial(listener.address), take(listener)])
  const waiting = listener[Symbol.asyncIterator]().next()
  await listener.close()
  await listener.close()
  t.same(await waiting, { done: true, value: undefined })
  await t.rejects(dial(listener.address), { code: 'ERR_CONNECT' })
  await Promise.all([left.sink([Uint8Array.of(1)]), right.sink([])])
  t.same(await bytesOf(right.source), Uint8Array.of(1))
})

t.test('aborting the signal closes, and whoever waits for a connection is told why', async t => {
  const controller = new AbortController()
  const reason = new Error('stop')
  const listener = await listening(t, { signal: controller.signal })
  const waiting = listener[Symbol.asyncIterator]().next()
  controller.abort(reason)
  await t.rejects(waiting, reason)
  await t.rejects(listen('ws://127.0.0.1:0', { signal: controller.signal }), reason)
})

t.test('a connection that nobody takes is refused when too many wait, and closed with the listener', async t => {
  const refused: TransportError[] = []
  const listener = await listening(t, { maxPendingConnections: 1, onRefused: error => refused.push(error) })
  const first = await dial(listener.address)
  await t.rejects(dial(listener.address), { code: 'ERR_REFUSED', message: /503/ })
  t.match(refused, [{ code: 'ERR_REFUSED', message: /1 connections wait/, remote: false }])
  await listener.close()
  await t.rejects(next(first), { code: 'ERR_CONNECTION_RESET' })
})

t.test('a waiting connection that is gone gives its place to another', async t => {
  const listener = await listening(t, { maxPendingConnections: 1 })
  const first = await dial(listener.address)
  first.abort(new Error('changed my mind'))
  const second = await (async () => {
    for (;;) {
      try {
        return await dial(listener.address)
      } catch (error) {
        if ((error as TransportError).code !== 'ERR_REFUSED') throw error
      }
    }
  })()
  const right = await take(listener)
  await Promise.all([second.sink([Uint8Array.of(2)]), right.sink([])])
  t.same(await bytesOf(right.source), Uint8Array.of(2))
})

t.test('web pages may connect where their origin is named', async t => {
  const named = await listening(t, { origins: ['https://example.org'] })
  const [left, right] = await Promise.all([dial(named.address, { headers: { origin: 'https://example.org' } }), take(named)])
  await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
  await t.rejects(dial(named.address, { headers: { origin: 'https://example.org.evil' } }), { code: 'ERR_REFUSED', message: /403/ })
  await t.rejects(dial(named.address, { headers: { origin: 'null' } }), { code: 'ERR_REFUSED' })

  const open = await listening(t, { origins: '*' })
  const [page, served] = await Promise.all([dial(open.address, { headers: { origin: 'https://anything' } }), take(open)])
  await Promise.all([page.sink([]), served.sink([]), bytesOf(page.source), bytesOf(served.source)])

  await t.rejects(dial((await listening(t)).address, { headers: { origin: 'https://example.org' } }), { code: 'ERR_REFUSED' }, 'by default none may')
})

t.test('two listeners share one HTTP server, each with its path', async t => {
  const server = createServer((_request, response) => { response.end('a page') })
  const [one, two] = await Promise.all([listen('ws://x/one', { server }), listen('ws://x/two', { server })])
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const { port } = server.address() as AddressInfo
  for (const [path, listener] of [['one', one], ['two', two]] as const) {
    const [left, right] = await Promise.all([dial(`ws://127.0.0.1:${port}/${path}`), take(listener)])
    await Promise.all([left.sink([]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
  }
  t.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'a page')
  await one.close()
  await t.rejects(dial(`ws://127.0.0.1:${port}/one`), { code: 'ERR_REFUSED', message: /404/ })
  await two.close()
})

t.test('keep-alive: a peer that is silent and does not answer is lost, one that answers lives', async t => {
  const listener = await listening(t, { keepAlive: { intervalMs: 5, timeoutMs: 30 } })
  const { right: deaf } = await upgraded(t, listener)
  const [left, right] = await Promise.all([dial(listener.address, { keepAlive: { intervalMs: 5, timeoutMs: 30 } }), take(listener)])
  const living = [bytesOf(right.source), bytesOf(left.source)]
  await t.rejects(next(deaf), { code: 'ERR_TIMEOUT', message: /30 ms after a ping/, remote: true })
  // The living have been asked as often, since they were asked by the same clock.
  const { right: another } = await upgraded(t, listener)
  await t.rejects(next(another), { code: 'ERR_TIMEOUT' })
  await Promise.all([left.sink([]), right.sink([]), ...living])
})

t.test('keep-alive: while we do not read, silence says nothing', async t => {
  const listener = await listening(t, { keepAlive: { intervalMs: 1, timeoutMs: 1 }, receiveBufferBytes: 1 })
  const { socket, right } = await upgraded(t, listener)
  socket.write(frame(Opcode.Binary, Uint8Array.of(1)))
  let lost = false
  right.sink((async function * () { yield await new Promise<Uint8Array>(() => {}) })()).catch(() => { lost = true })
  // Full, so that nothing more is read. Other connections are the clock.
  for (let n = 0; n < 3; n++) await t.rejects(next((await upgraded(t, listener)).right), { code: 'ERR_TIMEOUT' })
  t.notOk(lost)
  const iterator = right.source[Symbol.asyncIterator]()
  t.same((await iterator.next()).value?.subarray(), Uint8Array.of(1))
  await t.rejects(iterator.next(), { code: 'ERR_TIMEOUT' }, 'once it reads, silence counts')
})

t.test('who pins keys is told both certificates, and refuses at either end', async t => {
  const { certificate, privateKey, fingerprint } = await identity()
  const client = await createIdentity({ names: ['client'] })
  const blocked = await createIdentity({ names: ['blocked'] })
  const refused: TransportError[] = []
  const listener = await listen('wss://127.0.0.1:0/node', {
    onRefused: error => { refused.push(error) },
    tls: {
      cert: certificate,
      key: privateKey,
      identify: shown => {
        if (fingerprintOf(shown) === blocked.fingerprint) throw new Error('not this one')
        return fingerprintOf(shown)
      }
    }
  })
  t.teardown(() => listener.close())
  const shows = ({ certificate: cert, privateKey: key }: Identity): DialOptions => ({ tls: { cert, key, identify: fingerprintOf } })

  const [left, right] = await Promise.all([dial(listener.address, shows(client)), take(listener)])
  t.equal(left.remote.fingerprint, fingerprint)
  t.equal(right.remote.fingerprint, client.fingerprint)
  await Promise.all([left.sink([Uint8Array.of(1)]), right.sink([Uint8Array.of(2)])])
  t.same([...await bytesOf(left.source), ...await bytesOf(right.source)], [2, 1])

  const [nameless, stranger] = await Promise.all([dial(listener.address, { tls: { identify: fingerprintOf } }), take(listener)])
  t.equal(stranger.remote.fingerprint, undefined, 'a client that shows nothing')
  nameless.abort(new Error('over'))
  await t.rejects(bytesOf(stranger.source))

  await t.rejects(dial(listener.address, shows(blocked)), { code: 'ERR_REFUSED' })
  t.match(refused, [{ code: 'ERR_REFUSED', message: /not this one/, cause: { message: 'not this one' } }])

  await t.rejects(dial(listener.address, { tls: { identify: async () => { throw new TypeError('another key') } } }), { name: 'TypeError', message: 'another key' })
  const judged = await take(listener)
  await t.rejects(bytesOf(judged.source), 'the server hears that it was left')
  await t.rejects(dial(listener.address, { tls: { ca: client.certificate, identify: fingerprintOf } }), { code: 'ERR_TLS' }, 'an authority that was named is asked all the same')
  await t.rejects(listen('wss://127.0.0.1:0/node', { server: createServer(), tls: { cert: certificate, key: privateKey, identify: fingerprintOf } }), TypeError, 'nor behind a server that sees no certificate')
  await t.rejects(dial('ws://127.0.0.1:1/node', { tls: { identify: fingerprintOf } }), TypeError, 'where nobody shows a key, none can be asked for')
})
