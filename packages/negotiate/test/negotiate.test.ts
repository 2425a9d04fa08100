import type { Bytes, Channel } from '@ropewalk/interface'
import { counting, duplexPair, pattern, settle, turn, verify } from '@ropewalk/testing'
import t from 'tap'
import { handle, select } from '../src/index.ts'
import { bytes, HEADER, join, line, never, scripted, textOf } from './channels.ts'

t.test('the first protocol that both speak is selected', async t => {
  for (const [proposals, supported, expected] of [
    [['/a'], ['/a'], '/a'],
    [['/a', '/b', '/c'], ['/c', '/b'], '/b'],
    [['/ropewalk/warpdrive/1'], ['/x', '/ropewalk/warpdrive/1'], '/ropewalk/warpdrive/1']
  ] as const) {
    const [left, right] = duplexPair()
    const [selected, handled] = await Promise.all([select(left, proposals), handle(right, supported)])
    t.same([selected.protocol, handled.protocol], [expected, expected])
  }
})

for (const lazy of [false, true]) {
  for (const chunkBytes of [1, 7, 65536]) {
    t.test(`${lazy ? 'without' : 'with'} waiting, in chunks of ${chunkBytes}: both directions go on behind the handshake, and end on their own`, async t => {
      const [left, right] = duplexPair({ chunkBytes })
      const [dialler, listener] = await Promise.all([select(left, ['/a'], { lazy }), handle(right, ['/a'])])
      await dialler.channel.sink([bytes('question')])
      t.equal(await textOf(listener.channel), 'question')
      await listener.channel.sink((async function * () {
        yield bytes('long ')
        await turn()
        yield bytes('answer')
      })())
      t.equal(await textOf(dialler.channel), 'long answer')
    })
  }
}

t.test('where the channel hands its bytes over, so does the agreed one, as soon as what came with the handshake was read', async t => {
  const [left, right] = duplexPair()
  const handed: Array<number | undefined> = []
  const receive: Channel['receive'] = async (take, { most } = {}) => { handed.push(most); take(bytes('rest')) }
  const [{ channel }, { channel: listener }] = await Promise.all([select(Object.assign(left, { receive }), ['/a'], { lazy: true }), handle(right, ['/a'])])
  t.equal(channel.receive, undefined)
  t.equal(listener.receive, undefined, 'the one below has none')
  const sent = listener.sink([bytes('first')])
  await channel.source[Symbol.asyncIterator]().next()
  let got = ''
  await channel.receive?.(piece => { got += new TextDecoder().decode(piece) }, { most: 4 })
  t.same([got, handed], ['rest', [4]])
  await sent
})

t.test('a megabyte both ways at once', async () => {
  const [left, right] = duplexPair()
  const [{ channel: dialler }, { channel: listener }] = await Promise.all([select(left, ['/a']), handle(right, ['/a'])])
  const size = 1024 * 1024
  await Promise.all([dialler.sink(pattern(size, 1)), listener.sink(pattern(size, 2)), verify(listener.source, size, 1), verify(dialler.source, size, 2)])
})

t.test('on the wire: the header goes with the first proposal, and what comes in one piece with the answer is kept', async t => {
  const { channel, peer } = scripted()
  const selecting = select(channel, ['/a', '/b'])
  await peer.expect(join(HEADER, line('/a')))
  await peer.send(join(HEADER, line('na')))
  await peer.expect(line('/b'))
  await peer.send(join(line('/b'), bytes('and more')))
  const { channel: behind } = await selecting
  await peer.end()
  t.equal(await textOf(behind), 'and more')
  await behind.sink([bytes('x')])
  await peer.expect(bytes('x'))
})

t.test('on the wire: a listener says its header at once, answers na and ls, and keeps what came in one piece with the proposal', async t => {
  const { channel, peer } = scripted()
  const handling = handle(channel, ['/a', '/bc'])
  await peer.expect(HEADER)
  await peer.send(join(HEADER, line('/x'), line('ls'), line('na'), line('/bc'), bytes('data')))
  await peer.expect(join(line('na'), Uint8Array.of(10, 3, 0x2f, 0x61, 10, 4, 0x2f, 0x62, 0x63, 10, 10), line('na'), line('/bc')))
  const { protocol, channel: behind } = await handling
  t.equal(protocol, '/bc')
  await peer.end()
  t.equal(await textOf(behind), 'data')
})

t.test('without waiting, what is sent goes right behind the proposal', async t => {
  const { channel, peer } = scripted()
  const { channel: behind } = await select(channel, ['/a'], { lazy: true })
  const sent = behind.sink([bytes('early')])
  await peer.expect(join(HEADER, line('/a'), bytes('early')))
  await sent
  await peer.send(join(HEADER, line('/a'), bytes('late')))
  await peer.end()
  t.equal(await textOf(behind), 'late')
})

t.test('without waiting, a refusal is an error on source and sink', async t => {
  const { channel, peer } = scripted()
  const { channel: behind } = await select(channel, ['/a'], { lazy: true })
  const sink = t.rejects(behind.sink(never()), { code: 'ERR_UNSUPPORTED' })
  await peer.send(join(HEADER, line('na')))
  await t.rejects(textOf(behind), { code: 'ERR_UNSUPPORTED', message: 'the peer speaks none of /a' })
  await sink
})

t.test('without waiting, a consumer that leaves at once does not break the handshake', async t => {
  const { channel, peer } = scripted()
  const { channel: behind } = await select(channel, ['/a'], { lazy: true })
  const iterator = behind.source[Symbol.asyncIterator]()
  await iterator.return?.()
  t.same(await iterator.next(), { done: true, value: undefined })
  await behind.sink([bytes('only this')])
  await peer.expect(join(HEADER, line('/a'), bytes('only this')))
  // Nobody reads behind the answer: this peer can write no more.
  await t.rejects(peer.send(join(HEADER, line('/a'))).then(() => peer.send(bytes('more'))))
})

t.test('a consumer that leaves, and a sleeping one, are passed on', async t => {
  const [left, right] = duplexPair({ capacityBytes: 1000 })
  const [{ channel: dialler }, { channel: listener }] = await Promise.all([select(left, ['/a']), handle(right, ['/a'])])
  const source = counting(pattern(1_000_000, 0, 100))
  const sink = dialler.sink(source)
  const taken = await settle(() => source.bytes)
  t.ok(taken < 3000, `${taken} bytes were taken while nobody reads`)
  for await (const list of listener.source) if (list.length > 0) break
  await t.rejects(sink)
})

t.test('a failing source, an abort and a signal reach the channel below', async t => {
  for (const breakOff of [
    (channel: { abort (reason: Error): void }, reason: Error) => { channel.abort(reason) },
    (_channel: unknown, reason: Error, controller: AbortController) => { controller.abort(reason) }
  ]) {
    const [left, right] = duplexPair()
    const [{ channel }, { channel: other }] = await Promise.all([select(left, ['/a']), handle(right, ['/a'])])
    const controller = new AbortController()
    const reason = new Error('enough')
    const sink = channel.sink(never(), { signal: controller.signal })
    const next = channel.source[Symbol.asyncIterator]().next()
    const seen = t.rejects(textOf(other))
    breakOff(channel, reason, controller)
    await Promise.all([t.rejects(sink, reason), t.rejects(next, reason), seen])
  }

  const [left, right] = duplexPair()
  const [{ channel }, { channel: other }] = await Promise.all([select(left, ['/a']), handle(right, ['/a'])])
  const reason = new Error('disk')
  await t.rejects(channel.sink((function * (): Generator<Bytes> { throw reason })()), reason)
  await t.rejects(textOf(other))
})

t.test('disposing without a sink sends what was begun, and the end', async t => {
  const { channel, peer } = scripted()
  const handling = handle(channel, ['/a'])
  await peer.send(join(HEADER, line('/a')))
  await peer.end()
  const { channel: behind } = await handling
  await behind[Symbol.asyncDispose]()
  t.same(await peer.readUntilEnd(), join(HEADER, line('/a')))
  await t.rejects(behind.sink([]), TypeError)
})

t.test('disposing is bounded where the channel takes nothing', async t => {
  const [left, right] = duplexPair({ capacityBytes: 10 })
  const { channel } = await select(left, ['/a'], { lazy: true, deadlineMs: 5 })
  await channel[Symbol.asyncDispose]()
  await t.rejects(right.source[Symbol.asyncIterator]().next(), { code: 'ERR_RESET' })
})

t.test('the caller is told of what it may not do', async t => {
  const [left, right] = duplexPair()
  await t.rejects(select(left, []), TypeError)
  await t.rejects(select(left, ['/a', '/b'], { lazy: true }), TypeError)
  await t.rejects(select(left, ['na']), RangeError)
  await t.rejects(handle(right, ['a\nb']), RangeError)
  await t.rejects(select(left, ['/a'], { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })

  const [{ channel }] = await Promise.all([select(left, ['/a']), handle(right, ['/a'])])
  await t.rejects(channel.sink(undefined as never), TypeError)
  await t.rejects(channel.sink([], { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })
  await channel.sink([])
  await t.rejects(channel.sink([]), TypeError)
})
