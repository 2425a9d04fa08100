import t from 'tap'
import { collect, duplexPair, faulty, Gate, pattern, seededChunks, settle, VirtualClock, verify, type Faults } from '../src/index.ts'

t.test('splits what passes, the same way for the same seed', async t => {
  const sizes = async (faults: Faults): Promise<number[]> => {
    const [left, right] = duplexPair()
    await faulty(left, faults, 'outgoing').sink(pattern(20))
    const seen: number[] = []
    for await (const bytes of right.source) seen.push(bytes.byteLength)
    return seen
  }
  t.same(await sizes({ splitEvery: 7 }), [7, 7, 6])
  const random = await sizes({ splitEvery: seededChunks(3, 5) })
  t.same(await sizes({ splitEvery: seededChunks(3, 5) }), random)
  t.ok(new Set(random).size > 1 && Math.max(...random) <= 5, random.join())
})

t.test('corrupts the byte that it was told to, in one direction only', async t => {
  const [left, right] = duplexPair()
  const bad = faulty(left, { splitEvery: 3, corrupt: offset => offset === 10 ? 0x80 : 0 }, 'incoming')
  const [sent] = [Promise.all([bad.sink(pattern(20)), right.sink(pattern(20))])]
  await verify(right.source, 20)
  await t.rejects(verify(bad.source, 20), { code: 'ERR_UNEXPECTED_BYTES', message: /^byte 10 / })
  await sent
})

t.test('dies after the bytes that it was told, as an error or as an end', async t => {
  for (const direction of ['incoming', 'outgoing'] as const) {
    const [left, right] = duplexPair()
    const [reader, writer] = direction === 'incoming' ? [faulty(left, { dropAfter: { bytes: 10 } }, direction), right] : [right, faulty(left, { dropAfter: { bytes: 10 } }, direction)]
    const sent = writer.sink(pattern(20, 0, 4))
    sent.catch(() => {})
    await t.rejects(collect(reader.source), { code: 'ERR_RESET' }, direction)

    const [one, other] = duplexPair()
    const polite = faulty(one, { dropAfter: { bytes: 10, how: 'end' } }, direction)
    const [source, sink] = direction === 'incoming' ? [polite.source, other.sink(pattern(20))] : [other.source, polite.sink(pattern(20))]
    sink.catch(() => {})
    t.equal((await collect(source)).length, 10)
  }
})

t.test('nothing passes a gate that is shut; abort frees who waits there', async t => {
  const [left, right] = duplexPair()
  const gate = new Gate()
  gate.shut()
  const stalled = faulty(right, { stall: gate })
  await left.sink(pattern(10))
  let read = 0
  const reading = (async () => { for await (const bytes of stalled.source) read += bytes.byteLength })()
  t.equal(await settle(() => read), 0)
  gate.open()
  await reading
  t.equal(read, 10)

  const [one, other] = duplexPair()
  gate.shut()
  const stuck = faulty(other, { stall: gate })
  await one.sink(pattern(10))
  const waiting = collect(stuck.source)
  await settle(() => read)
  stuck.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
})

t.test('delays each piece by the clock that it was given', async t => {
  const clock = new VirtualClock()
  const [left, right] = duplexPair()
  const slow = faulty(right, { splitEvery: 5, delayBy: { clock, ms: 10 } })
  await left.sink(pattern(10))
  const seen: number[] = []
  const reading = (async () => { for await (const _ of slow.source) seen.push(clock.now()) })()
  await clock.advance(9)
  t.same(seen, [])
  await clock.advance(100)
  await reading
  t.same(seen, [10, 20])
})
