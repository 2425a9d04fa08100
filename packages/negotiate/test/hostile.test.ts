import { duplexPair, scriptedPeer } from '@ropewalk/testing'
import t from 'tap'
import { handle, MAX_PROPOSALS, select } from '../src/index.ts'
import { bytes, HEADER, join, line, scripted } from './channels.ts'

const HTTP = bytes('GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: somebody who speaks another language\r\n\r\n')

const ANSWERS: ReadonlyArray<readonly [string, Uint8Array, string]> = [
  ['another header', line('/multistream/2.0.0'), 'ERR_WRONG_HEADER'],
  ['no header', line('/a'), 'ERR_WRONG_HEADER'],
  ['something else altogether', HTTP, 'ERR_BAD_LINE'],
  ['a protocol that was not proposed', join(HEADER, line('/b')), 'ERR_UNEXPECTED_ANSWER'],
  ['a list that nobody asked for', join(HEADER, line('ls')), 'ERR_UNEXPECTED_ANSWER'],
  ['the header twice', join(HEADER, HEADER), 'ERR_UNEXPECTED_ANSWER'],
  ['an endless line', join(HEADER, Uint8Array.of(0xff, 0x7f), new Uint8Array(5000)), 'ERR_LINE_TOO_LONG'],
  ['a bad length', join(HEADER, Uint8Array.of(0x83, 0, 0x6e, 0x61, 10)), 'ERR_BAD_LENGTH'],
  ['no to everything', join(HEADER, line('na')), 'ERR_UNSUPPORTED']
]

t.test('what a hostile listener answers is a coded error, and breaks the channel off', async t => {
  for (const [name, answer, code] of ANSWERS) {
    const { channel, peer } = scripted()
    const selecting = t.rejects(select(channel, ['/a']), { name: 'NegotiateError', code, scope: 'channel', remote: true }, name)
    await peer.send(answer).catch(() => {})
    await selecting
    t.ok((await peer.readUntilGone()).error, `${name}: the peer sees a reset`)
  }
})

const PROPOSALS: ReadonlyArray<readonly [string, Uint8Array, string]> = [
  ['another header', line('/multistream/2.0.0'), 'ERR_WRONG_HEADER'],
  ['no header', line('/a'), 'ERR_WRONG_HEADER'],
  ['something else altogether', HTTP, 'ERR_BAD_LINE'],
  ['an endless line', join(HEADER, Uint8Array.of(0xff, 0x7f), new Uint8Array(5000)), 'ERR_LINE_TOO_LONG'],
  ['an endless length', new Uint8Array(5000).fill(0x80), 'ERR_BAD_LENGTH'],
  ['no line feed', join(HEADER, Uint8Array.of(2, 0x2f, 0x61)), 'ERR_BAD_LINE'],
  ['a flood of proposals', join(HEADER, ...Array.from({ length: 10_000 }, () => line('/x'))), 'ERR_TOO_MANY_PROPOSALS'],
  ['a flood of ls', join(HEADER, ...Array.from({ length: 10_000 }, () => line('ls'))), 'ERR_TOO_MANY_PROPOSALS']
]

t.test('what a hostile dialler proposes is a coded error, and breaks the channel off', async t => {
  for (const [name, proposal, code] of PROPOSALS) {
    const { channel, peer } = scripted()
    const handling = t.rejects(handle(channel, ['/a']), { name: 'NegotiateError', code, scope: 'channel', remote: true }, name)
    await peer.send(proposal).catch(() => {})
    await handling
    t.ok((await peer.readUntilGone()).error, `${name}: the peer sees a reset`)
  }
})

t.test('the last proposal that there may be is answered', async t => {
  const { channel, peer } = scripted()
  const handling = handle(channel, ['/a'])
  await peer.send(join(HEADER, ...Array.from({ length: MAX_PROPOSALS - 1 }, () => line('/x')), line('/a')))
  t.equal((await handling).protocol, '/a')

  const strict = scripted()
  const refused = t.rejects(handle(strict.channel, ['/a'], { maxProposals: 1 }), { code: 'ERR_TOO_MANY_PROPOSALS', message: 'no protocol of ours among 1 proposals' })
  await strict.peer.send(join(HEADER, line('/x'), line('/a'))).catch(() => {})
  await refused
})

t.test('answers that nobody takes are not piled up', async t => {
  const [channel, other] = duplexPair({ capacityBytes: 64 })
  const supported = ['/' + 'x'.repeat(1000)]
  const handling = t.rejects(handle(channel, supported, { deadlineMs: 50 }), { code: 'ERR_TIMEOUT' })
  let sent = 0
  await other.sink((function * () {
    yield HEADER
    for (;; sent++) yield line('ls')
  })()).catch(() => {})
  await handling
  t.ok(sent < 64, `${sent} questions were taken`)
})

t.test('whoever says nothing, or not enough, is given up at the deadline', async t => {
  for (const words of [new Uint8Array(0), HEADER.subarray(0, 5), HEADER, join(HEADER, Uint8Array.of(0x80))]) {
    for (const role of [(channel: Parameters<typeof select>[0]) => select(channel, ['/a'], { deadlineMs: 5 }), (channel: Parameters<typeof select>[0]) => handle(channel, ['/a'], { deadlineMs: 5 })]) {
      const { channel, peer } = scripted()
      const failing = t.rejects(role(channel), { code: 'ERR_TIMEOUT', message: /within 5 ms/ })
      await peer.send(words).catch(() => {})
      await failing
    }
  }
})

t.test('without waiting, the deadline is the answer\'s', async t => {
  const { channel } = scripted()
  const { channel: behind } = await select(channel, ['/a'], { lazy: true, deadlineMs: 5 })
  await t.rejects(behind.source[Symbol.asyncIterator]().next(), { code: 'ERR_TIMEOUT' })
})

t.test('once agreed, there is no deadline', async t => {
  const [left, right] = duplexPair()
  const [{ channel }, { channel: other }] = await Promise.all([select(left, ['/a'], { deadlineMs: 5 }), handle(right, ['/a'], { deadlineMs: 5 })])
  const next = other.source[Symbol.asyncIterator]().next()
  // A clock that ran out after the others would have.
  await t.rejects(select(duplexPair()[0], ['/a'], { deadlineMs: 10 }), { code: 'ERR_TIMEOUT' })
  await channel.sink([bytes('late')])
  t.same((await next).value?.subarray(), bytes('late'))
})

t.test('an end, a reset and a signal in the middle of it', async t => {
  const ending = scripted()
  const ended = t.rejects(select(ending.channel, ['/a']), { code: 'ERR_TRUNCATED' })
  await ending.peer.send(HEADER)
  await ending.peer.end()
  await ended

  const dying = scripted()
  const died = t.rejects(handle(dying.channel, ['/a']), { code: 'ERR_RESET' }, 'the error of the channel is passed on')
  dying.peer.die()
  await died

  const [channel, other] = duplexPair()
  const controller = new AbortController()
  const reason = new Error('stop')
  const aborted = t.rejects(select(channel, ['/a'], { signal: controller.signal }), reason)
  controller.abort(reason)
  await aborted
  t.ok((await scriptedPeer(other).readUntilGone()).error)
})

t.test('a channel that cannot be written fails the handshake, however silent it is', async t => {
  const [silent] = duplexPair()
  const broken = {
    source: silent.source,
    sink: async () => { throw new Error('broken pipe') },
    abort: (reason: Error) => silent.abort(reason),
    [Symbol.asyncDispose]: () => silent[Symbol.asyncDispose]()
  }
  await t.rejects(select(broken, ['/a']), { message: 'broken pipe' })
})

t.test('a handshake leaves no listeners on its signal', async t => {
  const { signal } = new AbortController()
  let listeners = 0
  const { addEventListener: add, removeEventListener: remove } = signal
  signal.addEventListener = function (this: AbortSignal, ...rest: Parameters<typeof add>) { listeners++; return add.apply(this, rest) } as typeof add
  signal.removeEventListener = function (this: AbortSignal, ...rest: Parameters<typeof remove>) { listeners--; return remove.apply(this, rest) } as typeof remove
  const [left, right] = duplexPair()
  const [{ channel }] = await Promise.all([select(left, ['/a'], { signal }), handle(right, ['/a'], { signal })])
  await channel.sink([], { signal })
  t.equal(listeners, 0)
})
