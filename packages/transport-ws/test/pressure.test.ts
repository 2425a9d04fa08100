import { settle } from '@ropewalk/testing'
import t from 'tap'
import { dial } from '../src/index.ts'
import type { TransportError } from '../src/index.ts'
import { Inbound } from '../src/inbound.ts'
import { bytesOf, connected, dialled, KINDS, listening, next, take } from './sockets.ts'

const MIB = 1024 * 1024

/** What two kernels may hold on loopback, by autotuning. */
const KERNEL_BYTES = 12 * MIB

for (const kind of KINDS) {
  t.test(`${kind}: a consumer that sleeps stops the sender, and gets everything when it wakes`, async t => {
    const { left, right } = await connected(t, kind)
    let sent = 0
    const iterator = right.source[Symbol.asyncIterator]()
    const sink = left.sink((function * () {
      for (; sent < 64 * MIB; sent += 65536) yield new Uint8Array(65536)
    })())
    let received = (await iterator.next()).value?.length ?? 0
    const stopped = await settle(() => sent)
    t.ok(stopped < KERNEL_BYTES, `${stopped} bytes were taken from the source`)

    const waiting = (await iterator.next()).value?.length ?? 0
    t.ok(waiting <= 256 * 1024 + MIB + 65536, `${waiting} bytes waited here`)
    received += waiting
    for (;;) {
      const { done, value } = await iterator.next()
      if (done === true) break
      received += value.length
    }
    await sink
    t.equal(received, 64 * MIB)
  })
}

t.test('a connection that nobody reads holds nothing but what the kernel holds', async t => {
  const { left, right } = await connected(t, 'ws')
  let sent = 0
  const sink = left.sink((function * () { for (;; sent += 65536) yield new Uint8Array(65536) })())
  t.ok(await settle(() => sent) < KERNEL_BYTES)
  left.abort(new Error('enough'))
  await t.rejects(sink)
  await t.rejects(bytesOf(right.source), { code: /^ERR_CONNECTION_/ })
})

t.test('what waits is held for its size, not for that of the buffer it came in', async t => {
  const inbound = new Inbound({ open () {}, close () {}, left () {} }, { receiveBufferBytes: MIB, maxBufferedBytes: MIB })
  for (let n = 0; n < 100; n++) inbound.receive(new Uint8Array(65536).subarray(0, 600))
  const list = (await inbound.next()).value
  t.equal(list?.length, 60_000)
  t.ok([...list ?? []].every(({ buffer, length }) => buffer.byteLength <= 2 * length))
})

t.test('ws: a message that is too large ends the connection, from its header alone', async t => {
  const listener = await listening(t, { maxSendBytes: 2048 })
  const [left, right] = await Promise.all([dialled('ws', listener.address, { maxMessageBytes: 1024 }), take(listener)])
  const told = t.rejects(next(right), { code: 'ERR_CONNECTION_RESET', message: /1009/ })
  await right.sink([new Uint8Array(2048)]).catch(() => {})
  await t.rejects(next(left), { code: 'ERR_MESSAGE_TOO_LARGE' })
  await told
})

t.test('platform: what cannot be paused is bounded by ending the connection', async t => {
  const listener = await listening(t)
  const [left, right] = await Promise.all([dial(listener.address, { maxBufferedBytes: MIB }), take(listener)])
  const sink = right.sink((function * () { for (;;) yield new Uint8Array(65536) })())
  const rejected = t.rejects(sink, { code: 'ERR_CONNECTION_RESET', message: /4008 "ERR_BUFFER_FULL"/ })
  right.source[Symbol.asyncIterator]().next().catch(() => {})
  await rejected
  let held = 0
  const error = await (async () => { for await (const list of left.source) held += list.length })().catch((error: TransportError) => error)
  t.match(error, { code: 'ERR_BUFFER_FULL', message: `${MIB + 65536} > ${MIB} bytes wait unread`, remote: true })
  t.equal(held, MIB, 'what was held can still be taken')
})

t.test('platform: a message that is too large ends the connection', async t => {
  const listener = await listening(t, { maxSendBytes: 2048 })
  const [left, right] = await Promise.all([dial(listener.address, { maxMessageBytes: 1024 }), take(listener)])
  const told = t.rejects(next(right), { code: 'ERR_CONNECTION_RESET', message: /4009/ })
  await right.sink([new Uint8Array(2048)]).catch(() => {})
  await t.rejects(next(left), { code: 'ERR_MESSAGE_TOO_LARGE', message: 'message of 2048 > 1024 bytes' })
  await told
})

for (const kind of KINDS) {
  t.test(`${kind}: an attached receiver gets nothing while it is paused, and all of it in order`, async t => {
    const { left, right } = await connected(t, kind, {}, { receiveBufferBytes: 4096 })
    const sizes: number[] = []
    let paused = false
    let last = -1
    const ended = Promise.withResolvers<Error | undefined>()
    const flow = right.attach?.({
      bytes (bytes) {
        if (paused) throw new Error('bytes while paused')
        for (const byte of bytes) {
          if (byte !== (last + 1) % 251) throw new Error('out of order')
          last = byte
        }
        sizes.push(bytes.length)
        paused = true
        flow?.pause()
        setImmediate(() => {
          paused = false
          flow?.resume()
        })
      },
      end: ended.resolve
    })
    t.throws(() => right.attach?.({ bytes () {}, end () {} }), TypeError)
    await t.rejects(next(right), TypeError)
    const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251)
    await left.sink((function * () { for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700) })())
    t.equal(await ended.promise, undefined)
    t.equal(sizes.reduce((sum, size) => sum + size, 0), bytes.length)
  })
}
