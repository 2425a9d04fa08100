import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { collect, duplexPair, link, settle, TestingError, turn } from '../src/index.ts'

const HELLO = new TextEncoder().encode('hello')

t.test('carries bytes both ways, as they were written', async t => {
  const [left, right] = duplexPair()
  t.equal(left.remote.address, 'memory')
  const sent = Promise.all([left.sink([HELLO, new Uint8ArrayList(HELLO, HELLO)]), right.sink([Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2)])])
  const sizes: number[] = []
  for await (const bytes of right.source) sizes.push(bytes.byteLength)
  t.same(sizes, [5, 5, 5])
  t.same(await collect(left.source), Uint8Array.of(1, 2))
  await sent
})

t.test('a sink waits when the pair is full, and holds no more than the capacity', async t => {
  const [left, right] = duplexPair({ capacityBytes: 8 })
  let pulled = 0
  const sent = left.sink((function * () { for (; pulled < 10; pulled++) yield HELLO })())
  t.equal(await settle(() => pulled), 1, 'the second write of 5 does not fit into 8')
  const reader = right.source[Symbol.asyncIterator]()
  t.equal((await reader.next()).value?.byteLength, 5)
  t.equal(await settle(() => pulled), 2)
  let rest = 0
  for (let result = await reader.next(); result.done !== true; result = await reader.next()) rest += result.value.byteLength
  t.equal(rest, 45)
  await sent
})

t.test('delivers in the chunks that were asked for', async t => {
  const sizes = async (options: Parameters<typeof duplexPair>[0]): Promise<number[]> => {
    const [left, right] = duplexPair(options)
    const sent = left.sink([HELLO, HELLO, HELLO])
    await turn()
    const seen: number[] = []
    for await (const bytes of right.source) seen.push(bytes.byteLength)
    await sent
    return seen
  }
  t.same(await sizes({ chunkBytes: 7 }), [7, 7, 1])
  t.same(await sizes({ chunkBytes: 1 }), Array(15).fill(1))
  t.same(await sizes({ chunk: available => available - 1 }), [14, 1])
  t.same(await sizes({ chunk: () => 0 }), Array(15).fill(1))
})

t.test('each direction ends on its own', async t => {
  const [left, right] = duplexPair()
  await left.sink([])
  t.same(await collect(right.source), new Uint8Array())
  const sent = right.sink([HELLO])
  t.same(await collect(left.source), HELLO)
  await sent
})

t.test('abort fails all four halves: ours with the reason, theirs with ERR_RESET', async t => {
  const [left, right] = duplexPair({ capacityBytes: 1 })
  const reason = new Error('enough')
  const halves = [left.sink([HELLO]), collect(left.source), right.sink([HELLO]), collect(right.source)]
  left.abort(reason)
  left.abort(new Error('again'))
  const [sunk, read, theirSink, theirRead] = await Promise.allSettled(halves)
  t.match([sunk, read], [{ reason }, { reason }])
  t.match([theirSink, theirRead], [{ reason: { code: 'ERR_RESET', remote: true, cause: reason } }, { reason: { code: 'ERR_RESET' } }])
  await t.rejects(collect(right.source), { code: 'ERR_RESET' })
})

t.test('abort after both directions have ended changes nothing', async t => {
  const [left, right] = duplexPair()
  await Promise.all([left.sink([HELLO]), right.sink([HELLO]), collect(left.source), collect(right.source)])
  left.abort(new Error('late'))
  t.same(await collect(left.source), new Uint8Array())
  t.same(await collect(right.source), new Uint8Array())
})

t.test('a sink fails at once when the peer breaks off while the source is being awaited, and lets go of the source', async t => {
  const [left, right] = duplexPair()
  let returned = false
  const sent = left.sink({
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => { returned = true; return { done: true, value: undefined } }
    })
  })
  right.abort(new Error('gone'))
  await t.rejects(sent, { code: 'ERR_RESET' })
  t.ok(returned)
})

t.test('a source that throws breaks the connection off', async t => {
  const [left, right] = duplexPair()
  const reason = new Error('disk')
  const sent = left.sink((function * () { yield HELLO; throw reason })())
  await t.rejects(sent, reason)
  await t.rejects(collect(right.source), { code: 'ERR_RESET', cause: reason })
})

t.test('a signal breaks a sink off, and one that has aborted before starts nothing', async t => {
  const [left, right] = duplexPair({ capacityBytes: 1 })
  await t.rejects(left.sink([HELLO], { signal: AbortSignal.abort(new Error('before')) }), { message: 'before' })
  const controller = new AbortController()
  const sent = left.sink([HELLO], { signal: controller.signal })
  controller.abort(new Error('during'))
  await t.rejects(sent, { message: 'during' })
  await t.rejects(collect(right.source), { code: 'ERR_RESET' })
})

t.test('a reader that breaks off stops the writer and not its own sink', async t => {
  const [left, right] = duplexPair({ capacityBytes: 5 })
  const sent = left.sink([HELLO, HELLO, HELLO])
  for await (const _ of right.source) break
  await t.rejects(sent, { code: 'ERR_STOPPED', remote: true })
})

t.test('sink is called once', async t => {
  const [left] = duplexPair()
  await left.sink([])
  await t.rejects(left.sink([]), TypeError)
})

t.test('disposing leaves what was sent to its end, and breaks off the rest', async t => {
  const [left, right] = duplexPair()
  await left.sink([HELLO])
  await left[Symbol.asyncDispose]()
  t.same(await collect(right.source), HELLO)
  await t.rejects(right.sink([HELLO]), { code: 'ERR_RESET' })

  const [one, other] = duplexPair()
  await one[Symbol.asyncDispose]()
  await t.rejects(collect(other.source), { code: 'ERR_RESET' })
})

t.test('a cut line: reset is an error for both, end is an end for both', async t => {
  for (const how of ['reset', 'end'] as const) {
    const { left, right, cut } = link({ capacityBytes: 1 })
    const reads = [collect(left.source), collect(right.source)]
    const sinks = [left.sink([HELLO, HELLO]), right.sink([HELLO, HELLO])]
    cut(how)
    const outcomes = (await Promise.allSettled(reads)).map(({ status }) => status)
    t.same(outcomes, how === 'reset' ? ['rejected', 'rejected'] : ['fulfilled', 'fulfilled'])
    for (const sink of sinks) await t.rejects(sink, { code: 'ERR_RESET' })
  }
})

t.test('the fast lane hands bytes over in lent memory, and pauses', async t => {
  const [left, right] = duplexPair({ attach: true })
  t.notOk(duplexPair()[0].attach, 'only when asked for')
  const kept: Uint8Array[] = []
  const seen: number[] = []
  const ended = Promise.withResolvers<Error | undefined>()
  const flow = right.attach?.({
    bytes (bytes) { kept.push(bytes); seen.push(...bytes) },
    end: ended.resolve
  })
  flow?.pause()
  await left.sink([Uint8Array.of(1, 2), Uint8Array.of(3)])
  t.same(await settle(() => seen.length), 0)
  flow?.resume()
  t.equal(await ended.promise, undefined)
  t.same(seen, [1, 2, 3])
  t.same(kept, [Uint8Array.of(0xdd, 0xdd), Uint8Array.of(0xdd)], 'what was kept is spoilt')

  const [one, other] = duplexPair({ attach: true })
  const failed = Promise.withResolvers<Error | undefined>()
  other.attach?.({ bytes () {}, end: failed.resolve })
  one.abort(new Error('gone'))
  t.match(await failed.promise, { code: 'ERR_RESET' })
})

t.test('refuses sizes that make no sense', async t => {
  t.throws(() => duplexPair({ capacityBytes: 0 }), RangeError)
  t.throws(() => duplexPair({ chunkBytes: 0 }), RangeError)
  t.ok(new TestingError('ERR_RESET', 'x') instanceof Error)
})
