import type { ByteReceiver } from '@ropewalk/interface'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { bytesOf, connected, KINDS, next } from './sockets.ts'

const HELLO = Buffer.from('hello')

for (const kind of KINDS) {
  t.test(`${kind}: each direction ends on its own, the dialler's first`, async t => {
    const { left, right } = await connected(t, kind)
    await left.sink([HELLO])
    t.equal(String(await bytesOf(right.source)), 'hello')

    // The peer has ended; we still write, in several turns.
    await right.sink((async function * () {
      yield HELLO
      await turn()
      yield HELLO
    })())
    t.equal(String(await bytesOf(left.source)), 'hellohello')
    await Promise.all([left[Symbol.asyncDispose](), right[Symbol.asyncDispose]()])
  })

  t.test(`${kind}: each direction ends on its own, the acceptor's first`, async t => {
    const { left, right } = await connected(t, kind)
    await right.sink([HELLO])
    t.equal(String(await bytesOf(left.source)), 'hello')
    await left.sink([HELLO, HELLO])
    t.equal(String(await bytesOf(right.source)), 'hellohello')
  })

  t.test(`${kind}: what was sent before the peer asked is not lost, the end included`, async t => {
    const { left, right } = await connected(t, kind)
    await left.sink([HELLO])
    await turn()
    const received: string[] = []
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    right.attach?.({ bytes: bytes => { received.push(String(Buffer.from(bytes))) }, end: resolve })
    t.equal(await promise, undefined)
    t.equal(received.join(''), 'hello')
  })

  for (const side of ['left', 'right'] as const) {
    t.test(`${kind}: abort of the ${side} end rejects everything that waits with its reason, and reaches the peer as a reset`, async t => {
      const pair = await connected(t, kind)
      const other = pair[side === 'left' ? 'right' : 'left']
      const reason = new Error('enough')
      const never = new Promise<Uint8Array>(() => {})
      const waiting = next(pair[side])
      const sink = pair[side].sink((async function * () { yield await never })())
      const seen = next(other)
      pair[side].abort(reason)
      pair[side].abort(new Error('again'))

      await Promise.all([t.rejects(waiting, reason), t.rejects(sink, reason)])
      await t.rejects(next(pair[side]), reason)
      await t.rejects(pair[side].sink([]), TypeError)
      t.throws(() => pair[side].attach?.(deaf()), TypeError)
      await t.rejects(seen, { name: 'TransportError', code: 'ERR_CONNECTION_RESET', scope: 'connection', remote: true })
    })
  }

  t.test(`${kind}: a peer that breaks off in mid-transfer is a coded error on source and sink`, async t => {
    const { left, right } = await connected(t, kind)
    const sink = left.sink(endless())
    await next(right)
    right.abort(new Error('dies'))
    await t.rejects(sink, { name: 'TransportError', scope: 'connection', code: /^ERR_CONNECTION_(RESET|LOST)$/ })
    await t.rejects(bytesOf(left.source), { code: /^ERR_CONNECTION_(RESET|LOST)$/ })
  })

  t.test(`${kind}: disposing ends our direction, drops what still comes, and returns once the peer has ended too`, async t => {
    const { left, right } = await connected(t, kind)
    const sent = right.sink([new Uint8Array(1024 * 1024)])
    const waiting = next(left)
    const disposed = left[Symbol.asyncDispose]()
    await t.rejects(waiting, { code: 'ERR_ABORTED' })
    t.equal((await bytesOf(right.source)).length, 0)
    await sent
    await disposed
    await left[Symbol.asyncDispose]()
  })

  t.test(`${kind}: disposing lets a running sink finish`, async t => {
    const { left, right } = await connected(t, kind)
    const sent = left.sink([new Uint8Array(4 * 1024 * 1024)])
    const disposed = left[Symbol.asyncDispose]()
    t.equal((await bytesOf(right.source)).length, 4 * 1024 * 1024)
    await right.sink([])
    await Promise.all([sent, disposed])
  })

  t.test(`${kind}: a disposal that the peer does not answer is bounded`, async t => {
    const { left, right } = await connected(t, kind, { closeTimeoutMs: 1 })
    const read = bytesOf(right.source)
    await left[Symbol.asyncDispose]()
    await read
    await t.rejects(right.sink(endless()), { code: /^ERR_CONNECTION_(RESET|LOST)$/ })
  })

  t.test(`${kind}: a consumer that leaves does not hold the peer up, and our direction goes on`, async t => {
    const { left, right } = await connected(t, kind)
    const sent = right.sink([new Uint8Array(32 * 1024 * 1024)])
    for await (const bytes of left.source) {
      t.ok(bytes.length > 0)
      break
    }
    await sent
    await left.sink([HELLO])
    t.equal(String(await bytesOf(right.source)), 'hello')
    t.equal((await bytesOf(left.source)).length, 0, 'what it left is over')
  })

  t.test(`${kind}: after a consumer has left and our end is sent, a peer that never ends is bounded`, async t => {
    const { left, right } = await connected(t, kind, { closeTimeoutMs: 1 })
    const sent = right.sink(endless())
    for await (const bytes of left.source) if (bytes.length > 0) break
    await left.sink([])
    await bytesOf(right.source)
    await t.rejects(sent, { code: /^ERR_CONNECTION_(RESET|LOST)$/ })
  })

  t.test(`${kind}: aborting the signal of a sink ends the connection with the signal's reason`, async t => {
    const { left, right } = await connected(t, kind)
    const controller = new AbortController()
    const reason = new Error('stop')
    let told = false
    const sink = left.sink((function * () {
      try {
        for (;;) yield new Uint8Array(65536)
      } finally {
        told = true
      }
    })(), { signal: controller.signal })
    await next(right)
    controller.abort(reason)
    await t.rejects(sink, reason)
    t.ok(told, 'the source was told')
    await t.rejects(next(left), reason)
  })

  t.test(`${kind}: a source that fails is not taken for the end of the data`, async t => {
    const { left, right } = await connected(t, kind)
    const reason = new Error('disk')
    await t.rejects(left.sink((function * () {
      yield HELLO
      throw reason
    })()), reason)
    await t.rejects(next(left), reason)
    await t.rejects(bytesOf(right.source), { code: 'ERR_CONNECTION_RESET' })
  })

  t.test(`${kind}: without the subprotocol the end of one direction is the end of both`, async t => {
    const { left, right } = await connected(t, kind, { halfClose: false })
    await left.sink([HELLO])
    t.equal(String(await bytesOf(right.source)), 'hello')
    t.equal((await bytesOf(left.source)).length, 0)
    await t.rejects(right.sink([HELLO]), { code: 'ERR_CONNECTION_LOST', remote: true })
  })
}

t.test('the caller is told of what it may not do', async t => {
  const { left } = await connected(t, 'ws')
  const waiting = next(left)
  await t.rejects(next(left), TypeError)
  t.throws(() => left.attach?.(deaf()), TypeError)
  await t.rejects(left.sink(undefined as never), TypeError)
  await t.rejects(left.sink([], { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })
  await t.rejects(left.sink(['text'] as never), TypeError)
  await t.rejects(waiting, TypeError, 'half of what was to be sent is not sent')
})

function deaf (): ByteReceiver {
  return { bytes () {}, end () {} }
}

function * endless (): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(65536)
}
