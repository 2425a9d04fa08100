import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { TokenBucket } from '../src/index.ts'

t.test('agrees with a bucket that is refilled millisecond by millisecond', async t => {
  const step = fc.record({ pass: fc.nat(50), take: fc.nat(150) })
  const rate = fc.integer({ min: 1, max: 100 }).map(perMs => perMs * 1000)

  t.doesNotThrow(() => fc.assert(fc.property(rate, fc.integer({ min: 1, max: 100 }), fc.array(step), (ratePerSecond, burst, steps) => {
    const bucket = new TokenBucket({ ratePerSecond, burst })
    let tokens = burst
    let now = 0

    for (const { pass, take } of steps) {
      for (let ms = 0; ms < pass; ms++) tokens = Math.min(burst, tokens + ratePerSecond / 1000)
      now += pass
      const needed = Math.min(take, burst)
      let wait = 0
      for (let later = tokens; later < needed; later += ratePerSecond / 1000) wait++
      assert.equal(bucket.take(take, now), wait)
      if (wait === 0) tokens -= take
    }
  })))
})

t.test('succeeds after exactly the wait that it asked for, whatever the rate', async t => {
  const rate = fc.double({ min: 0.001, max: 1e9, noNaN: true })

  t.doesNotThrow(() => fc.assert(fc.property(rate, fc.integer({ min: 1, max: 1e6 }), fc.array(fc.nat(2e6), { maxLength: 20 }), (ratePerSecond, burst, takes) => {
    const bucket = new TokenBucket({ ratePerSecond, burst })
    let now = 0
    let taken = 0
    for (const n of takes) {
      const wait = bucket.take(n, now)
      now += wait
      if (wait > 0) assert.equal(bucket.take(n, now), 0)
      taken += n
      // What has passed is within the rate, but for the burst and the last take, which may be owed.
      assert.ok(taken - n <= (burst + now * ratePerSecond / 1000) * (1 + 1e-6))
    }
  })))
})

t.test('asks for no more than that when it is asked in between, though halves do not add up in floating point', async t => {
  for (const { ratePerSecond, burst, n, waitMs } of [
    { ratePerSecond: 2.8, burst: 557, n: 245, waitMs: 87_500 },
    { ratePerSecond: 44.8, burst: 963, n: 952, waitMs: 21_250 }
  ]) {
    const bucket = new TokenBucket({ ratePerSecond, burst })
    bucket.take(burst, 0)
    t.equal(bucket.take(n, 0), waitMs)
    t.equal(bucket.take(n, waitMs / 2), waitMs / 2)
    t.equal(bucket.take(n, waitMs), 0)
  }
})

t.test('lets a take larger than the burst through once full, and makes the next one wait for the debt', async t => {
  const bucket = new TokenBucket({ ratePerSecond: 1000, burst: 10 })
  t.equal(bucket.take(1, 0), 0)
  t.equal(bucket.take(100, 0), 1, 'not before the bucket is full')
  t.equal(bucket.take(100, 1), 0)
  t.equal(bucket.take(0, 1), 90, 'ten that were there, ninety owed')
  t.equal(bucket.take(5, 1), 95)
  t.equal(bucket.take(5, 96), 0)
})

t.test('begins full and never holds more than the burst', async t => {
  const bucket = new TokenBucket({ ratePerSecond: 1000, burst: 10 })
  t.equal(bucket.take(10, 1e12), 0)
  t.equal(bucket.take(10, 2e12), 0)
  t.equal(bucket.take(1, 2e12), 1)
})

t.test('neither earns nor hangs when the clock steps back', async t => {
  const bucket = new TokenBucket({ ratePerSecond: 1000, burst: 10 })
  t.equal(bucket.take(10, 1_000_000), 0)
  t.equal(bucket.take(1, 0), 1)
  t.equal(bucket.take(1, 1), 0, 'time counts from the new reading')
})

t.test('earns at the old rate until the rate changes', async t => {
  const bucket = new TokenBucket({ ratePerSecond: 1000, burst: 100 })
  t.equal(bucket.take(100, 0), 0)
  bucket.setRate(10_000, 10)
  t.equal(bucket.take(60, 10), 5)
  t.equal(bucket.take(60, 15), 0)
})

t.test('refuses nonsense from the caller', async t => {
  for (const value of [0, -1, NaN, Infinity]) {
    t.throws(() => new TokenBucket({ ratePerSecond: value, burst: 1 }), RangeError, `rate ${value}`)
    t.throws(() => new TokenBucket({ ratePerSecond: 1, burst: value }), RangeError, `burst ${value}`)
    t.throws(() => new TokenBucket({ ratePerSecond: 1, burst: 1 }).setRate(value, 0), RangeError, `setRate ${value}`)
  }
  const bucket = new TokenBucket({ ratePerSecond: 1, burst: 1 })
  for (const value of [NaN, Infinity, -Infinity]) t.throws(() => bucket.take(1, value), RangeError, `now ${value}`)
  for (const value of [-1, 1.5, NaN, Infinity]) t.throws(() => bucket.take(value, 0), RangeError, `take ${value}`)
})
