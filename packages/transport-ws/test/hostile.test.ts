import { once } from 'node:events'
import type { Socket } from 'node:net'
import { settle } from '@ropewalk/testing'
import t from 'tap'
import type { TransportError } from '../src/index.ts'
import { bytesOf, dialled, frame, listening, next, Opcode, raw, take, upgraded } from './sockets.ts'

const { Text, Binary, Close, Ping, Continuation } = Opcode
const HELLO = Buffer.from('hello')

const TABLE: ReadonlyArray<readonly [string, Uint8Array[], string, number]> = [
  ['a text message', [frame(Text, HELLO)], 'ERR_TEXT_MESSAGE', 4003],
  ['a frame that claims 2^53 - 1 bytes, from its header alone', [frame(Binary, HELLO, { claimedBytes: Number.MAX_SAFE_INTEGER })], 'ERR_MESSAGE_TOO_LARGE', 1009],
  ['a frame one byte too large, from its header alone', [frame(Binary, HELLO, { claimedBytes: 1025 })], 'ERR_MESSAGE_TOO_LARGE', 1009],
  ['a message that grows too large in fragments', [frame(Binary, new Uint8Array(1000), { fin: false }), frame(Continuation, new Uint8Array(25))], 'ERR_MESSAGE_TOO_LARGE', 1009],
  ['bytes after the end of data', [frame(Binary, new Uint8Array(0)), frame(Binary, HELLO)], '', 4002],
  ['a second end of data', [frame(Binary, new Uint8Array(0)), frame(Binary, new Uint8Array(0))], '', 4002],
  ['an unmasked frame', [Uint8Array.of(0x82, 1, 1)], 'ERR_PROTOCOL', 1002],
  ['a reserved opcode', [frame(0x3, HELLO)], 'ERR_PROTOCOL', 1002],
  ['a reserved bit', [frame(0x42, HELLO)], 'ERR_PROTOCOL', 1002],
  ['a continuation of nothing', [frame(Continuation, HELLO)], 'ERR_PROTOCOL', 1002],
  ['a ping of 126 bytes', [frame(Ping, new Uint8Array(126))], 'ERR_PROTOCOL', 1002],
  ['a close with a bad code', [frame(Close, Uint8Array.of(0, 5))], 'ERR_PROTOCOL', 1002],
  ['a close before the end of data', [frame(Close, Uint8Array.of(3, 232))], 'ERR_CONNECTION_LOST', 1000],
  ['a close with a code of its own', [frame(Close, Uint8Array.of(15, 160, 34))], 'ERR_CONNECTION_RESET', 4000]
]

t.test('what a hostile client sends is a coded error, and the client is told with a close code', async t => {
  const listener = await listening(t, { maxMessageBytes: 1024, closeTimeoutMs: 20 })
  for (const [name, frames, code, closeCode] of TABLE) {
    const { socket, right } = await upgraded(t, listener)
    const closed = closeCodeOf(socket)
    const sink = right.sink((async function * () { yield await new Promise<Uint8Array>(() => {}) })())
    const rejected = t.rejects(sink, { name: 'TransportError', code: code === '' ? 'ERR_PROTOCOL' : code, scope: 'connection', remote: true }, name)
    for (const bytes of frames) socket.write(bytes)
    if (code === '') t.equal((await bytesOf(right.source)).length, 0, `${name}: the end itself was good`)
    else await t.rejects(bytesOf(right.source), { code }, name)
    await rejected
    t.equal(await closed, closeCode, name)
  }
})

t.test('what came before a bad frame is still delivered', async t => {
  const listener = await listening(t)
  const { socket, right } = await upgraded(t, listener)
  socket.write(Buffer.concat([frame(Binary, HELLO), frame(Text, HELLO)]))
  const iterator = right.source[Symbol.asyncIterator]()
  t.same((await iterator.next()).value?.subarray(), HELLO)
  await t.rejects(iterator.next(), { code: 'ERR_TEXT_MESSAGE' })
})

t.test('a client that ends and then breaks off is seen, although nobody reads', async t => {
  const listener = await listening(t, { receiveBufferBytes: 1 })
  const { socket, right } = await upgraded(t, listener)
  const sink = t.rejects(right.sink((async function * () { yield await new Promise<Uint8Array>(() => {}) })()), { code: 'ERR_CONNECTION_RESET' })
  socket.write(Buffer.concat([frame(Binary, HELLO), frame(Binary, new Uint8Array(0))]))
  socket.write(frame(Close, Uint8Array.of(15, 160)))
  socket.resume()
  await sink
  t.same(await bytesOf(right.source), HELLO)
})

t.test('a client that dies without a word is a lost connection', async t => {
  const listener = await listening(t)
  for (const die of [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.end()]) {
    const { socket, right } = await upgraded(t, listener)
    const waiting = next(right)
    die(socket)
    await t.rejects(waiting, { code: /^ERR_CONNECTION_(LOST|RESET)$/, remote: true })
    await t.rejects(right.sink([HELLO]), { code: /^ERR_CONNECTION_(LOST|RESET)$/ })
  }
})

t.test('without the subprotocol, an empty message is nothing, and a close is the end', async t => {
  const listener = await listening(t)
  const { socket, right } = await upgraded(t, listener, '')
  socket.write(Buffer.concat([frame(Binary, new Uint8Array(0)), frame(Binary, HELLO), frame(Close, Uint8Array.of(3, 232))]))
  socket.resume()
  t.equal(String(await bytesOf(right.source)), 'hello')
})

t.test('a client that sends no request is dropped at the deadline, and one more than may be is dropped at once', async t => {
  const refused: TransportError[] = []
  const listener = await listening(t, { handshakeTimeoutMs: 50, maxHandshakes: 2, onRefused: error => refused.push(error) })
  const silent = await raw(t, listener)
  const slow = await raw(t, listener)
  slow.write('GET /node HTTP/1.1\r\nX: ')
  const third = await raw(t, listener)
  await Promise.all([silent, slow, third].map(socket => once(socket, 'close')))
  t.same(refused.map(({ code }) => code).sort(), ['ERR_REFUSED', 'ERR_TIMEOUT', 'ERR_TIMEOUT'])

  const [left, right] = await Promise.all([dialled('ws', listener.address), take(listener)])
  await Promise.all([left.sink([HELLO]), right.sink([]), bytesOf(left.source), bytesOf(right.source)])
})

t.test('requests that are no WebSocket of ours are answered with a status', async t => {
  const refused: TransportError[] = []
  const listener = await listening(t, { onRefused: error => refused.push(error) })
  const upgrade = 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
  const requests: Array<[string, number]> = [
    ['GET /node HTTP/1.1\r\nHost: x\r\n\r\n', 426],
    [`GET /other HTTP/1.1\r\n${upgrade}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`, 404],
    [`GET /node HTTP/1.1\r\n${upgrade}Origin: https://evil.example\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`, 403],
    [`GET /node HTTP/1.1\r\n${upgrade}Sec-WebSocket-Key: short\r\n\r\n`, 400],
    [`POST /node HTTP/1.1\r\n${upgrade}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`, 400],
    [`GET /node HTTP/1.1\r\n${upgrade.replace('13', '99')}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`, 400],
    [`GET /node HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['no HTTP at all\r\n\r\n', 400]
  ]
  for (const [request, status] of requests) {
    const socket = await raw(t, listener)
    socket.write(request)
    const chunks: Buffer[] = []
    socket.on('data', chunk => chunks.push(chunk))
    await once(socket, 'close')
    t.equal(Number(String(Buffer.concat(chunks)).split(' ')[1]), status, request.slice(0, 60))
  }
  t.same(refused.map(({ code }) => code), ['ERR_REFUSED', 'ERR_REFUSED', 'ERR_PROTOCOL', 'ERR_PROTOCOL', 'ERR_PROTOCOL'])
})

t.test('a flood of pings whose answers nobody takes is bounded', async t => {
  const listener = await listening(t)
  const { socket, right } = await upgraded(t, listener)
  const closed = t.rejects(next(right), { code: /^ERR_CONNECTION_(LOST|RESET)$/ })
  const flood = Buffer.concat(Array.from({ length: 1000 }, () => frame(Ping, new Uint8Array(125))))
  const gone = new Promise(resolve => { socket.once('close', resolve) })
  const write = (): void => { while (!socket.destroyed && socket.write(flood)); }
  socket.pause()
  socket.on('drain', write)
  write()
  await Promise.all([gone, closed])
})

t.test('a flood of single bytes to a consumer that sleeps is bounded in bytes and in pieces', async t => {
  const listener = await listening(t, { receiveBufferBytes: 4096 })
  const { socket, right } = await upgraded(t, listener)
  const iterator = right.source[Symbol.asyncIterator]()
  socket.write(frame(Binary, HELLO))
  await iterator.next()
  const one = Buffer.concat(Array.from({ length: 10_000 }, () => frame(Binary, Uint8Array.of(1))))
  socket.on('drain', () => socket.write(one))
  while (socket.write(one));
  await settle(() => socket.bytesWritten)
  const list = (await iterator.next()).value
  t.ok(list !== undefined && list.length < 4096 + 65536, `${list?.length} bytes waited`)
  t.ok(list !== undefined && [...list].length <= 64, 'in few pieces')
})

/** The code of the close frame that a server sends. */
function closeCodeOf (socket: Socket): Promise<number> {
  return new Promise(resolve => {
    let bytes = Buffer.alloc(0)
    socket.on('data', chunk => { bytes = Buffer.concat([bytes, chunk]) })
    socket.on('end', () => {
      const at = bytes.indexOf(0x88, bytes.indexOf('\r\n\r\n') + 4)
      resolve(at === -1 ? 0 : bytes.readUInt16BE(at + 2))
    })
  })
}
