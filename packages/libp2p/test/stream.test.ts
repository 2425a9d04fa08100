import type { StreamCloseEvent } from '@libp2p/interface'
import { pattern, PatternCheck, verify } from '@ropewalk/testing'
import t from 'tap'
import type { MdsftpStream } from '../src/index.ts'
import { next, stage } from './stage.ts'
import { still } from './still.ts'

const WINDOW_BYTES = 262_144
const FILE_BYTES = 4 * WINDOW_BYTES

t.test('a stream without a listener holds one window, and hands it over with the rest when there is one', async t => {
  const { open } = stage()
  const [near, far] = await open()
  for (const chunk of pattern(FILE_BYTES)) near.send(chunk)
  void near.close()
  t.equal(await still(() => far.readBufferLength), WINDOW_BYTES)
  t.equal(near.writableNeedsDrain, true)

  const check = new PatternCheck()
  far.addEventListener('message', ({ data }) => check.push(data))
  await next(far, 'end')
  t.equal(check.offset, FILE_BYTES)
  t.equal(far.readBufferLength, 0)
})

t.test('a paused stream holds one window, and loses nothing when it goes on', async t => {
  const { open } = stage()
  const [near, far] = await open()
  const check = new PatternCheck()
  let most = 0
  const paused: number[] = []
  far.addEventListener('message', ({ data }) => {
    check.push(data)
    most = Math.max(most, far.readBufferLength)
    if (paused.length < 3) {
      far.pause()
      paused.push(check.offset)
    }
  })
  for (const chunk of pattern(FILE_BYTES)) near.send(chunk)
  void near.close()

  for (let times = 1; times <= 3; times++) {
    const unread = await still(() => far.readBufferLength)
    t.equal(paused.length, times)
    t.ok(unread <= WINDOW_BYTES && unread > WINDOW_BYTES / 2, `${unread} bytes unread`)
    t.equal(check.offset, paused.at(-1))
    far.resume()
  }
  await next(far, 'end')
  t.equal(check.offset, FILE_BYTES)
  t.ok(most <= WINDOW_BYTES)
})

t.test('the end of the data waits for a paused reader', async t => {
  const { open } = stage()
  const [near, far] = await open()
  const messages: number[] = []
  far.addEventListener('message', ({ data }) => { messages.push(data.byteLength) })
  far.pause()
  near.send(new Uint8Array(5))
  near.send(new Uint8Array(7))
  await Promise.all([near.close(), next(far, 'remoteCloseWrite'), far.close(), next(far, 'close')])
  t.equal(far.status, 'closed')
  t.equal(far.readableEnded, false)
  far.resume()
  t.same(messages, [5, 7])
  t.equal(far.readableEnded, true)
})

t.test('an iterator takes one message at a time', async t => {
  const { open } = stage()
  const [near, far] = await open()
  const messages: number[] = []
  far.addEventListener('message', ({ data }) => { messages.push(data.byteLength) })
  const iterator = far[Symbol.asyncIterator]()
  const first = iterator.next()
  for (const chunk of pattern(FILE_BYTES)) near.send(chunk)
  const { value } = await first
  const unread = await still(() => far.readBufferLength)
  t.same(messages, [value?.byteLength])
  t.ok(unread <= WINDOW_BYTES && unread > WINDOW_BYTES / 2, `${unread} bytes unread`)

  // Who leaves the loop leaves the stream to its other listeners.
  await iterator.return(undefined)
  await still(() => messages.length)
  t.equal(far.readBufferLength, 0)
})

t.test('an iterator tells a reset from an end', async t => {
  const { open } = stage()
  const [near, far] = await open()
  near.send(Uint8Array.of(1))
  const iterator = far[Symbol.asyncIterator]()
  t.same((await iterator.next()).value?.subarray(), Uint8Array.of(1))
  const waiting = iterator.next()
  near.abort(new Error('enough'))
  await t.rejects(waiting, { name: 'StreamResetError' })
  await t.rejects(far[Symbol.asyncIterator]().next(), { name: 'StreamResetError' })
})

t.test('after closeRead the peer is not left waiting', async t => {
  const { open } = stage()
  const [near, far] = await open()
  await far.closeRead()
  for (const chunk of pattern(FILE_BYTES)) near.send(chunk)
  await near.close()
  t.equal(far.readBufferLength, 0)
  await Promise.all([far.close(), next(near, 'close')])
  t.equal(near.status, 'closed')
})

t.test('a close that gave up waiting ends all the same when there is room again', async t => {
  const { open, dialer } = stage()
  const [near, far] = await open()
  for (const chunk of pattern(WINDOW_BYTES + 1000)) near.send(chunk)
  const controller = new AbortController()
  const closing = near.close({ signal: controller.signal })
  const reason = new Error('no time')
  controller.abort(reason)
  await t.rejects(closing, reason)

  await Promise.all([far.close(), verify(far, WINDOW_BYTES + 1000)])
  await still(() => near.status)
  t.equal(near.status, 'closed')
  t.same(dialer.streams, [])
})

t.test('onDrain waits each time, and no longer than the stream lives', async t => {
  const { open } = stage()
  const [near, far] = await open()
  const check = new PatternCheck()
  await near.onDrain()
  for (const chunk of pattern(FILE_BYTES)) {
    if (near.send(chunk)) continue
    const before = check.offset
    if (far.listenerCount('message') === 0) far.addEventListener('message', ({ data }) => check.push(data))
    await near.onDrain()
    t.equal(near.writableNeedsDrain, false)
    t.ok(check.offset > before)
  }
  far.pause()
  while (near.send(new Uint8Array(65_536)));
  const reason = new Error('no time')
  await t.rejects(near.onDrain({ signal: AbortSignal.abort(reason) }), reason)
  const controller = new AbortController()
  const waiting = near.onDrain({ signal: controller.signal })
  controller.abort(reason)
  await t.rejects(waiting, reason)
  const lost = near.onDrain()
  far.abort(new Error('enough'))
  await t.rejects(lost, { name: 'StreamResetError' })
  t.equal(near.listenerCount('drain'), 1)
})

t.test('unread bytes on all streams together stop the connection', async t => {
  const { open, inbound } = stage({ maxBufferedBytes: 1_048_576 })
  const ends: Array<[MdsftpStream, MdsftpStream]> = []
  for (let index = 0; index < 16; index++) ends.push(await open())
  for (const [near] of ends) for (const chunk of pattern(WINDOW_BYTES)) near.send(chunk)
  const unread = await still(() => ends.reduce((sum, [, far]) => sum + far.readBufferLength, 0))
  t.ok(unread <= 1_048_576 + 65_536 && unread > 1_048_576 / 2, `${unread} bytes`)
  t.match(inbound, { readStatus: 'paused' })

  await Promise.all(ends.map(async ([near, far]) => {
    void near.close()
    await verify(far, WINDOW_BYTES)
  }))
  t.match(inbound, { readStatus: 'readable' })
})

t.test('streams over the limit are refused, on either side', async t => {
  const { dialer, listener, open } = stage({ maxInboundStreams: 2, maxOutboundStreams: 3 })
  const [, far] = await open()
  await open()
  const third = await dialer.createStream()
  const { error } = await next<StreamCloseEvent>(third, 'close')
  t.equal(error?.name, 'StreamResetError')
  t.equal(listener.streams.length, 2)

  dialer.addEventListener('stream', () => {})
  for (let index = 0; index < 3; index++) await listener.createStream()
  await t.rejects(listener.createStream(), { name: 'TooManyOutboundProtocolStreamsError' })

  far.abort(new Error('room'))
  await still(() => dialer.streams.length)
  await open()
  t.equal(listener.streams.length, 5)
})

t.test('streams that come before anybody listens wait for it, with what was sent on them', async t => {
  const { dialer, listener } = stage()
  for (let index = 0; index < 20; index++) {
    const stream = await dialer.createStream()
    stream.send(Uint8Array.of(index))
    void stream.close()
  }
  await still(() => listener.streams.length)
  const came: number[] = []
  listener.addEventListener('stream', ({ detail: stream }) => {
    stream.addEventListener('message', ({ data }) => { came.push(data.subarray()[0] as number) })
  })
  await still(() => came.length)
  t.same(came, Array.from({ length: 20 }, (_, index) => index))
})

t.test('a connection that goes away fails the streams that had something to lose', async t => {
  const { open, inbound } = stage()
  const [, left] = await open()
  const [near, right] = await open()
  await near.close()
  await still(() => right.remoteWriteStatus)

  const ends = Promise.all([next<StreamCloseEvent>(left, 'close'), next<StreamCloseEvent>(right, 'close')])
  await inbound.close()
  const [lost, ended] = await ends
  t.match(lost.error, { code: 'ERR_CONNECTION_LOST' })
  t.equal(ended.error, undefined)
  t.equal(right.status, 'closed')
})

t.test('a peer that breaks the protocol loses the connection', async t => {
  const { open, outbound, inbound, listener } = stage()
  const [, far] = await open()
  const closed = next<StreamCloseEvent>(far, 'close')
  outbound.send(new Uint8Array(9).fill(0xff))
  t.match((await closed).error, { code: 'ERR_UNKNOWN_KIND' })
  t.equal(inbound.status, 'aborted')
  t.equal(listener.status, 'closed')
  await t.rejects(listener.createStream(), { name: 'MuxerClosedError' })
})
