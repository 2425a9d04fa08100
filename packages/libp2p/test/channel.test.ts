import type { Stream, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { collect, counting, pattern, verify } from '@ropewalk/testing'
import t from 'tap'
import { mdsftp, toChannel } from '../src/index.ts'
import { pair } from './nodes.ts'
import { still } from './still.ts'

const KIB = 1024
const MIB = 1024 * KIB
const WINDOW_BYTES = 256 * KIB
const CHUNK_BYTES = 64 * KIB

/** The muxers, with the most that a reader who does not come lets the peer send, and holds unread of it. */
const muxers: Array<{ name: string, muxer: () => StreamMuxerFactory, maxUnreadBytes: number }> = [
  { name: 'mdsftp', muxer: mdsftp(), maxUnreadBytes: WINDOW_BYTES },
  // The library opens the window again for what it has handed over, and lets it grow while the reader is fast.
  { name: 'yamux, window of 256 KiB', muxer: yamux({ streamOptions: { maxStreamWindowSize: WINDOW_BYTES } }), maxUnreadBytes: WINDOW_BYTES },
  { name: 'yamux as it comes', muxer: yamux(), maxUnreadBytes: 16 * MIB }
]

/** `lengthBytes` of one array, again and again. */
function * zeros (lengthBytes: number): Generator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (let sent = 0; sent < lengthBytes; sent += CHUNK_BYTES) yield chunk
}

for (const { name, muxer, maxUnreadBytes } of muxers) {
  // A window unread or on its way, a window that waits to be sent, and the chunks that were one too many.
  const maxPulledBytes = maxUnreadBytes + WINDOW_BYTES + 2 * CHUNK_BYTES
  t.test(name, async t => {
    const { open } = await pair(t, muxer)
    const channels = async (): Promise<{ near: Stream, far: Stream, left: ReturnType<typeof toChannel>, right: ReturnType<typeof toChannel> }> => {
      const [near, far] = await open()
      return { near, far, left: toChannel(near), right: toChannel(far) }
    }

    t.test('bytes go there and back, and both ends with them', async t => {
      const { near, far, left, right } = await channels()
      await Promise.all([left.sink(pattern(4 * MIB)), right.sink(right.source), verify(left.source, 4 * MIB)])
      t.equal(near.status, 'closed')
      t.equal(far.status, 'closed')
    })

    t.test('each direction ends on its own', async t => {
      const { near, left, right } = await channels()
      await left.sink([Uint8Array.of(1, 2, 3)])
      t.same(await collect(right.source), Uint8Array.of(1, 2, 3))
      t.equal(near.status, 'open')
      await right.sink([Uint8Array.of(4)])
      t.same(await collect(left.source), Uint8Array.of(4))
    })

    t.test('a sleeping reader stops the sender, also after it was fast', async t => {
      const { far, left, right } = await channels()
      const offered = counting(zeros(512 * MIB))
      const sent = left.sink(offered)
      let pulled = await still(() => offered.bytes)
      t.ok(pulled >= CHUNK_BYTES && pulled <= maxPulledBytes, `${pulled} <= ${maxPulledBytes} bytes`)

      const iterator = right.source[Symbol.asyncIterator]()
      // One read opens the window once, not for good.
      let read = (await iterator.next()).value.byteLength
      pulled = await still(() => offered.bytes)
      t.ok(pulled - read <= maxPulledBytes, `${pulled - read} <= ${maxPulledBytes} bytes`)
      t.ok(far.readBufferLength <= maxUnreadBytes, `${far.readBufferLength} <= ${maxUnreadBytes} bytes unread`)

      while (read < 32 * MIB) read += (await iterator.next()).value.byteLength
      pulled = await still(() => offered.bytes)
      t.ok(pulled - read <= maxPulledBytes, `${pulled - read} <= ${maxPulledBytes} bytes`)
      t.ok(far.readBufferLength <= maxUnreadBytes, `${far.readBufferLength} <= ${maxUnreadBytes} bytes unread`)

      right.abort(new Error('enough'))
      await t.rejects(sent)
      t.equal(offered.released, true)
    })

    t.test('a slow reader gets everything, in order', async () => {
      const { left, right } = await channels()
      const sent = left.sink(pattern(2 * MIB))
      await verify((async function * () {
        for await (const bytes of right.source) {
          yield bytes
          await new Promise(resolve => setImmediate(resolve))
        }
      })(), 2 * MIB)
      await sent
    })

    t.test('an abort reaches the other side, which reads first what came', async t => {
      const { left, right } = await channels()
      const reason = new Error('enough')
      const waiting = left.sink((async function * () {
        yield Uint8Array.of(1)
        await new Promise(() => {})
      })())
      const iterator = right.source[Symbol.asyncIterator]()
      t.same((await iterator.next()).value.subarray(), Uint8Array.of(1))

      left.abort(reason)
      left.abort(new Error('again'))
      await t.rejects(waiting, reason)
      await t.rejects(collect(left.source), reason)
      await t.rejects(iterator.next(), { code: 'ERR_STREAM_LOST', scope: 'channel', remote: true })
      await t.rejects(right.sink([Uint8Array.of(1)]), { code: 'ERR_STREAM_LOST' })
    })

    t.test('a signal aborts, and a source that fails resets', async t => {
      const first = await channels()
      const controller = new AbortController()
      const sent = first.left.sink((async function * (): AsyncGenerator<Uint8Array> { await new Promise(() => {}) })(), { signal: controller.signal })
      const reason = new Error('no longer wanted')
      controller.abort(reason)
      await t.rejects(sent, reason)
      await t.rejects(collect(first.right.source), { code: 'ERR_STREAM_LOST' })

      const second = await channels()
      const broken = new Error('broken')
      await t.rejects(second.left.sink((async function * () { throw broken })()), broken)
      await t.rejects(collect(second.right.source), { code: 'ERR_STREAM_LOST' })
    })

    t.test('who stops reading lets the peer go on, and may go on writing', async t => {
      const { left, right } = await channels()
      const sent = left.sink(pattern(4 * MIB))
      for await (const bytes of right.source) {
        t.ok(bytes.byteLength > 0)
        break
      }
      await right.sink([Uint8Array.of(9)])
      t.same(await collect(left.source), Uint8Array.of(9))
      await sent
    })

    t.test('a channel has one sink, and disposing of it resets', async t => {
      const { left, right } = await channels()
      const sent = left.sink((async function * () { await new Promise(() => {}) })())
      await t.rejects(left.sink([]), TypeError)
      await left[Symbol.asyncDispose]()
      await t.rejects(sent, { code: 'ERR_CLOSED', remote: false })
      await t.rejects(collect(right.source), { code: 'ERR_STREAM_LOST' })
    })
  })
}

t.test('a connection that goes away is not the end of the data', async t => {
  for (const muxer of [mdsftp(), yamux()]) {
    const { open, connection } = await pair(t, muxer)
    const [near, far] = await open()
    const right = toChannel(far)
    near.send(Uint8Array.of(1))
    const iterator = right.source[Symbol.asyncIterator]()
    t.same((await iterator.next()).value?.subarray(), Uint8Array.of(1))
    connection.abort(new Error('gone'))
    await t.rejects(iterator.next(), { name: 'Libp2pError' })
  }
})
