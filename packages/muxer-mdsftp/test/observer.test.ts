import { collect, duplexPair, settle } from '@ropewalk/testing'
import t from 'tap'
import { mdsftp, WINDOW_BYTES, type BytesChannel, type ChannelObserver } from '../src/index.ts'

/** Two muxers and the two ends of one channel; `heard` notes what the observer of the acceptor's end is told. */
async function scene (): Promise<{ left: BytesChannel, right: BytesChannel, heard: string[], observer: ChannelObserver }> {
  const [a, b] = duplexPair()
  const dialer = mdsftp(a, { role: 'dialer' })
  const acceptor = mdsftp(b, { role: 'acceptor' })
  const left = await dialer.open()
  const { value: right } = await acceptor[Symbol.asyncIterator]().next() as IteratorYieldResult<BytesChannel>
  const heard: string[] = []
  const observer: ChannelObserver = {
    readable: () => { heard.push('readable') },
    ended: () => { heard.push('ended') },
    writable: () => { heard.push('writable') },
    finished: () => { heard.push('finished') },
    failed: error => { heard.push(`failed ${(error as { code?: string }).code ?? error.message}`) }
  }
  return { left, right, heard, observer }
}

t.test('an observer hears of bytes and of their end before it has taken them', async t => {
  const { left, right, heard, observer } = await scene()
  right.observe(observer)
  await left.sink([Uint8Array.of(1, 2, 3)])
  await settle(() => right.unread)

  t.same([...new Set(heard)], ['readable', 'ended'])
  t.equal(right.unread, 3)
  t.same(right.read()?.subarray(), Uint8Array.of(1, 2, 3))
  t.equal(right.read(), undefined)

  t.equal(right.write(Uint8Array.of(9)), true)
  right.end()
  t.same(await collect(left.source), Uint8Array.of(9))
  t.ok(heard.includes('finished'))
})

t.test('who observes late is told at once what has happened', async t => {
  const { left, right, heard, observer } = await scene()
  await left.sink([Uint8Array.of(1)])
  await settle(() => right.unread)
  right.observe(observer)
  t.same(heard, ['readable', 'ended'])
})

t.test('bytes that nobody reads are not credited, and what was written waits', async t => {
  const { left, right, heard, observer } = await scene()
  right.observe({ ...observer, readable: () => {} })
  left.observe({ readable: () => {}, ended: () => {}, finished: () => {}, failed: () => {}, writable: () => { heard.push('left writable') } })
  left.write(new Uint8Array(1_000_000))
  await settle(() => right.unread)
  t.equal(right.unread, WINDOW_BYTES)
  t.equal(left.waiting, 1_000_000 - WINDOW_BYTES)
  t.notOk(heard.includes('left writable'))

  let taken = 0
  while (taken < 1_000_000) {
    taken += right.read()?.byteLength ?? 0
    await settle(() => right.unread)
  }
  t.equal(left.waiting, 0)
  t.ok(heard.includes('left writable'))
})

t.test('each write is a fragment of its own', async t => {
  const { left, right, observer } = await scene()
  left.observe({ ...observer, finished: () => {} })
  const came: number[] = []
  right.observe({ ...observer, readable: () => { came.push(right.read()?.byteLength ?? 0) } })
  for (const length of [5, 0, 7, 1]) left.write(new Uint8Array(length))
  left.end()
  await settle(() => came.length)
  t.same(came, [5, 7, 1])
})

t.test('a reset is told at once, and what came before it can be read', async t => {
  const { left, right, heard, observer } = await scene()
  right.observe(observer)
  left.observe({ ...observer, failed: () => {} })
  left.write(Uint8Array.of(7))
  await settle(() => right.unread)
  left.abort(new Error('enough'))
  await settle(() => heard.length)
  t.equal(heard.at(-1), 'failed ERR_CHANNEL_RESET')
  t.same(right.read()?.subarray(), Uint8Array.of(7))
  t.equal(right.write(Uint8Array.of(1)), false)
})

t.test('a channel has one user', async t => {
  const { left, observer } = await scene()
  left.observe(observer)
  t.throws(() => left.observe(observer), TypeError)
  await t.rejects(left.sink([]), TypeError)
})
