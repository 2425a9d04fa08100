import type { Bytes, Source } from '@ropewalk/interface'
import t from 'tap'
import { afterThisTurn, Feeder } from '../src/index.ts'

interface Log { taken: number[], over: Array<string | Error>, feeder: Feeder, settled: Promise<void> }

/** A feeder whose target has enough after `room` values. */
function feed (source: Source<Bytes>, room = Infinity): Log {
  const settled = Promise.withResolvers<void>()
  const log = { taken: [] as number[], over: [] as Array<string | Error>, settled: settled.promise }
  const feeder = new Feeder(source, {
    take: bytes => log.taken.push(bytes.byteLength) % room !== 0,
    ended: () => { log.over.push('exhausted'); settled.resolve() },
    broken: error => { log.over.push(error); settled.resolve() }
  })
  return { ...log, feeder, taken: log.taken, over: log.over }
}

t.test('an array is taken at once, and its end told once', async t => {
  const { feeder, taken, over } = feed([new Uint8Array(1), new Uint8Array(2)])
  t.same(taken, [], 'nothing before it is asked')
  feeder.pull()
  feeder.pull()
  t.same(taken, [1, 2])
  t.same(over, ['exhausted'])
})

t.test('an async source is taken one at a time, as far as there is room', async t => {
  let pulled = 0
  const source = (async function * () { for (; pulled < 6;) { pulled++; yield new Uint8Array(pulled) } })()
  const { feeder, taken, over, settled } = feed(source, 2)
  feeder.pull()
  feeder.pull()
  for (let turns = 0; turns < 20; turns++) await null
  t.same(taken, [1, 2])
  t.equal(pulled, 2, 'not one ahead')
  feeder.pull()
  for (let turns = 0; turns < 20; turns++) await null
  t.same(taken, [1, 2, 3, 4])
  feeder.pull()
  for (let turns = 0; turns < 20; turns++) await null
  feeder.pull()
  await settled
  t.same(over, ['exhausted'])
})

t.test('a source that throws breaks the feeder once, with an Error', async t => {
  for (const source of [
    (function * () { yield new Uint8Array(1); throw 'no error at all' })(),
    (async function * () { yield new Uint8Array(1); throw 'no error at all' })()
  ]) {
    const { feeder, taken, over, settled } = feed(source)
    feeder.pull()
    await settled
    feeder.pull()
    t.same(taken, [1])
    t.match(over, [{ message: 'no error at all' }])
    t.ok(over[0] instanceof Error)
  }
})

t.test('a source that is left early is told, and a value that was under way is dropped', async t => {
  let left = false
  const source = (async function * () { try { yield new Uint8Array(1); yield new Uint8Array(2) } finally { left = true } })()
  const { feeder, taken, over } = feed(source)
  feeder.pull()
  feeder.stop()
  feeder.stop()
  for (let turns = 0; turns < 20; turns++) await null
  t.same(taken, [])
  t.same(over, [])
  t.equal(left, true)
})

t.test('a source that fails to stop bothers nobody', async t => {
  const bad = (stop: () => never | Promise<never>): Source<Bytes> => ({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: new Uint8Array(1) }), return: stop }) })
  for (const stop of [() => { throw new Error('no') }, async () => { throw new Error('no') }]) {
    const { feeder, over } = feed(bad(stop), 1)
    feeder.pull()
    for (let turns = 0; turns < 20; turns++) await null
    feeder.stop()
    t.same(over, [])
  }
})

t.test('a task after this turn sees what the promises of this turn did', async t => {
  const order: string[] = []
  await new Promise<void>(resolve => {
    afterThisTurn(() => { order.push('after'); resolve() })
    void Promise.resolve().then(() => order.push('promise')).then(() => order.push('its reaction'))
  })
  t.same(order, ['promise', 'its reaction', 'after'])
})
