import { Uint8ArrayList } from 'uint8arraylist'
import t from 'tap'
import { Inlet, Outlet, SEND_BUFFER_BYTES, SEND_BUFFER_PIECES } from '../src/index.ts'

function inlet (): { inlet: Inlet, taken: number[], left: () => number } {
  const taken: number[] = []
  let left = 0
  return { inlet: new Inlet({ taken: bytes => { taken.push(bytes) }, left: () => { left++ } }), taken, left: () => left }
}

function outlet (): { outlet: Outlet, aborted: Error[], ready: () => number } {
  const aborted: Error[] = []
  let ready = 0
  return { outlet: new Outlet({ ready: () => { ready++ }, abort: error => { aborted.push(error) } }), aborted, ready: () => ready }
}

t.test('what arrives is told when it is taken, not before', async t => {
  const { inlet: half, taken } = inlet()
  half.push(Uint8Array.of(1, 2), false)
  half.push(Uint8Array.of(3), true)
  t.same(taken, [])
  const reader = half[Symbol.asyncIterator]()
  t.same((await reader.next()).value.subarray(), Uint8Array.of(1, 2, 3))
  t.same(taken, [3])

  const waiting = reader.next()
  half.push(Uint8Array.of(4), true)
  t.same(taken, [3, 1], 'a reader that waits takes at once')
  t.same((await waiting).value.subarray(), Uint8Array.of(4))
  half.push(Uint8Array.of(5), false)
  half.end()
  t.equal(half.done, false, 'not before the last byte is taken')
  t.same((await reader.next()).value.subarray(), Uint8Array.of(5))
  t.equal(half.done, true)
  t.same(await reader.next(), { done: true, value: undefined })
})

t.test('a reader that waits gets large pieces as they are; small ones, and lent ones, are copied', async t => {
  const buffer = new ArrayBuffer(262_144)
  for (const [length, lent, same] of [[16_384, false, true], [16_383, false, false], [65_536, true, false]] as const) {
    const { inlet: half, taken } = inlet()
    const waiting = half[Symbol.asyncIterator]().next()
    half.push(new Uint8Array(buffer, 0, length), lent)
    const [piece] = (await waiting).value as Uint8ArrayList
    t.same(taken, [length])
    t.equal(piece?.buffer === buffer, same, `${length} bytes${lent ? ', lent' : ''}`)
  }
})

t.test('a reader that waits gets what one read brought in one list, without a copy', async t => {
  const read = new Uint8Array(262_144).map((_, at) => at % 251)
  const pieces = [read.subarray(0, 20_000), read.subarray(20_000, 20_100), read.subarray(20_100, 90_000)]
  const { inlet: half, taken } = inlet()
  const waiting = half[Symbol.asyncIterator]().next()
  for (const piece of pieces) half.push(piece, false)
  t.same(taken, [], 'credited with the list')
  const list = (await waiting).value as Uint8ArrayList
  t.same([...list].map(({ buffer, byteOffset, length }) => [buffer === read.buffer, byteOffset, length]), pieces.map(({ byteOffset, length }) => [true, byteOffset, length]))
  t.same(taken, [90_000])

  for (const [how, finish] of [
    ['the end', half => half.end()],
    ['a failure', half => half.fail(new Error('lost'), true)],
    ['what is lent', half => half.push(read.subarray(50_000, 50_010), true)]
  ] as [string, (half: Inlet) => unknown][]) {
    const { inlet: half, taken } = inlet()
    const waiting = half[Symbol.asyncIterator]().next()
    half.push(read.subarray(0, 30_000), false)
    half.push(read.subarray(30_000, 50_000), false)
    finish(half)
    t.same([taken, (await waiting).value?.byteLength], [[50_000], 50_000], `${how} comes behind it`)
  }
})

t.test('bytes are handed over as they come, until it is enough: what is behind waits, uncredited, for the next reader', async t => {
  const { inlet: half, taken } = inlet()
  const got: number[] = []
  const take = (bytes: Uint8Array): void => { got.push(...bytes) }
  // What waits already, in two pieces of its own and in a slab.
  const large = new Uint8Array(5000).map((_, at) => at % 251)
  for (const piece of [large, Uint8Array.of(1, 2), Uint8Array.of(3, 4)]) half.push(piece, true)
  await half.receive(take, { most: 4999 })
  t.same(got, [...large.subarray(0, 4999)])
  t.same([taken.splice(0), half.bytes], [[4999], 5])
  await half.receive(take, { most: 2 })
  t.same([got.splice(0).slice(4999), taken.splice(0), half.bytes], [[4999 % 251, 1], [1, 1], 3])
  // The slab goes on behind what is left of it.
  half.push(Uint8Array.of(5), true)
  t.same(((await half[Symbol.asyncIterator]().next()).value as Uint8ArrayList).subarray(), Uint8Array.of(2, 3, 4, 5))
  t.same(taken.splice(0), [4])

  const receiving = half.receive(take, { most: 3 })
  const lent = Uint8Array.of(6, 7)
  t.equal(half.push(lent, true), false, 'used up')
  lent.set([8, 9])
  t.equal(half.push(lent, true), true, 'kept, of what is behind the last one wanted')
  lent.fill(0)
  await receiving
  t.same([got.splice(0), taken.splice(0), half.bytes], [[6, 7, 8], [2, 1], 1])
  half.end()
  await half.receive(take, { most: 3 })
  t.same([got, taken, half.done], [[9], [1], true], 'fewer at the end')
})

t.test('whoever is handed bytes and throws, has failed; so has one whose signal aborts', async t => {
  const error = new Error('full')
  const left: Array<Error | undefined> = []
  const half = new Inlet({ taken: () => {}, left: why => { left.push(why); half.fail(why as Error, true) } })
  const receiving = half.receive(() => { throw error }, { most: 1 })
  half.push(Uint8Array.of(1, 2), true)
  await t.rejects(receiving, error)
  t.same(left, [error])
})

t.test('an end wakes the reader, and one read waits at a time', async t => {
  const { inlet: half } = inlet()
  const reader = half[Symbol.asyncIterator]()
  const waiting = reader.next()
  await t.rejects(reader.next(), TypeError)
  half.end()
  t.same(await waiting, { done: true, value: undefined })
})

t.test('a failure comes behind what has arrived, or instead of it when that is dropped', async t => {
  const error = new Error('broken')
  const kept = inlet()
  kept.inlet.push(Uint8Array.of(1), false)
  kept.inlet.fail(error, false)
  kept.inlet.fail(new Error('again'), true)
  const reader = kept.inlet[Symbol.asyncIterator]()
  t.same((await reader.next()).value.subarray(), Uint8Array.of(1))
  await t.rejects(reader.next(), error)

  const dropped = inlet()
  dropped.inlet.push(Uint8Array.of(1), false)
  dropped.inlet.end()
  dropped.inlet.fail(error, true)
  t.same(dropped.taken, [1], 'what was dropped is credited')
  await t.rejects(dropped.inlet[Symbol.asyncIterator]().next(), error, 'and never passes for the whole')

  const over = inlet()
  over.inlet.end()
  over.inlet.fail(error, true)
  t.same(await over.inlet[Symbol.asyncIterator]().next(), { done: true, value: undefined }, 'an end that was reached stays one')
})

t.test('a reader that leaves before the end says so; behind the end it only drops the rest', async t => {
  const early = inlet()
  early.inlet.push(Uint8Array.of(1), false)
  for await (const _ of early.inlet) break
  t.equal(early.left(), 1)

  const late = inlet()
  late.inlet.push(Uint8Array.of(1), false)
  late.inlet.end()
  await late.inlet[Symbol.asyncIterator]().return?.()
  t.equal(late.left(), 0)
  t.same(late.taken, [1])
  t.equal(late.inlet.done, true)
})

t.test('a source is pulled until enough waits, in bytes or in pieces, and again when there is room', async t => {
  for (const [size, most] of [[65_536, SEND_BUFFER_BYTES], [1, SEND_BUFFER_PIECES]] as const) {
    const { outlet: half } = outlet()
    let pulled = 0
    const sending = half.sink((function * () { for (; pulled < 4000; pulled++) yield new Uint8ArrayList(new Uint8Array(size)) })())
    t.equal(half.waiting, most)
    t.equal(half.exhausted, false)
    half.cut(half.waiting)
    t.equal(half.refill(), true)
    t.equal(half.waiting, most)
    while (!half.exhausted) {
      half.cut(half.waiting)
      half.refill()
    }
    half.cut(half.waiting)
    t.equal(half.refill(), true, 'the end is still to be written')
    half.finish()
    await sending
  }
})

t.test('a source that throws, and a signal, abort the channel; its failure is that of the sink', async t => {
  const reason = new Error('no more')
  const thrown = outlet()
  const first = thrown.outlet.sink((function * () { yield Uint8Array.of(1); throw reason })())
  t.same(thrown.aborted, [reason])
  thrown.outlet.fail(reason)
  await t.rejects(first, reason)
  t.equal(thrown.outlet.waiting, 0)

  const signalled = outlet()
  const controller = new AbortController()
  const second = signalled.outlet.sink((async function * () { await new Promise(() => {}) })(), { signal: controller.signal })
  controller.abort(reason)
  t.same(signalled.aborted, [reason])
  signalled.outlet.fail(reason)
  await t.rejects(second, reason)

  const late = outlet()
  late.outlet.fail(reason)
  let touched = false
  await t.rejects(late.outlet.sink((function * () { touched = true })()), reason)
  t.equal(touched, false, 'a source that comes too late is not begun')
  await t.rejects(late.outlet.sink([]), TypeError, 'a channel has one sink')
})
