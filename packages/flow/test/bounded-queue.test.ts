import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import t from 'tap'
import { BoundedQueue } from '../src/index.ts'

t.test('agrees with an array', async t => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('push' as const), weight: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('shift' as const), weight: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), weight: fc.constant(0) }) }
  )
  const bound = fc.integer({ min: 1, max: 40 })

  t.doesNotThrow(() => fc.assert(fc.property(bound, bound, fc.array(step, { maxLength: 120 }), (maxItems, maxWeight, steps) => {
    const queue = new BoundedQueue<number>({ maxItems, maxWeight })
    let naive: Array<{ item: number, weight: number }> = []
    let item = 0

    for (const { kind, weight } of steps) {
      if (kind === 'push') {
        const fits = naive.length < maxItems && total(naive) + weight <= maxWeight
        assert.equal(queue.push(++item, weight), fits)
        if (fits) naive.push({ item, weight })
      } else if (kind === 'shift') assert.equal(queue.shift(), naive.shift()?.item)
      else {
        queue.clear()
        naive = []
      }
      assert.equal(queue.size, naive.length)
      assert.equal(queue.weight, total(naive))
      assert.equal(queue.peek(), naive[0]?.item)
      assert.equal(queue.full, naive.length >= maxItems || total(naive) >= maxWeight)
    }
  }), { numRuns: 300 }))
})

t.test('refuses weightless items past the count, and heavy ones past the weight', async t => {
  const queue = new BoundedQueue<string>({ maxItems: 2, maxWeight: 10 })
  t.equal(queue.push('heavier than the queue', 11), false)
  t.equal(queue.push('a', 10), true)
  t.equal(queue.push('b', 1), false)
  t.equal(queue.push('b', 0), true)
  t.equal(queue.push('c', 0), false)
})

t.test('keeps an item that is undefined', async t => {
  const queue = new BoundedQueue<undefined>({ maxItems: 2, maxWeight: 10 })
  queue.push(undefined, 3)
  t.equal(queue.shift(), undefined)
  t.equal(queue.weight, 0)
})

t.test('takes as long for an item however many are queued', async t => {
  t.ok(best(64_000) / best(1_000) < 8, 'a queue 64 times as deep is not even 8 times as slow')

  function best (depth: number): number {
    const queue = new BoundedQueue<number>({ maxItems: depth, maxWeight: depth })
    for (let n = 0; n < depth; n++) queue.push(n, 1)
    return Math.min(...Array.from({ length: 7 }, () => {
      const start = performance.now()
      for (let n = 0; n < 20_000; n++) {
        queue.shift()
        queue.push(n, 1)
      }
      return performance.now() - start
    }))
  }
})

t.test('refuses nonsense from the caller', async t => {
  for (const value of [0, -1, 1.5, NaN, Infinity]) {
    t.throws(() => new BoundedQueue({ maxItems: value, maxWeight: 1 }), RangeError, `maxItems ${value}`)
    t.throws(() => new BoundedQueue({ maxItems: 1, maxWeight: value }), RangeError, `maxWeight ${value}`)
  }
  for (const weight of [-1, 1.5, NaN, Infinity]) {
    t.throws(() => new BoundedQueue({ maxItems: 1, maxWeight: 1 }).push(0, weight), RangeError, `weight ${weight}`)
  }
})

function total (items: Array<{ weight: number }>): number {
  return items.reduce((sum, { weight }) => sum + weight, 0)
}
