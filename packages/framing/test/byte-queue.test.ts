import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Uint8ArrayList } from 'uint8arraylist'
import { ByteQueue } from '../src/index.ts'
import { assertLinear } from './linear.ts'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), n: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('take' as const, 'takeList' as const, 'discard' as const, 'peek' as const, 'first' as const, 'indexOf' as const), n: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('clear' as const, 'at' as const), n: fc.nat(100) }) }
)

t.test('agrees with one long array, whatever is joined', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.nat(12), fc.array(step, { maxLength: 150 }), (coalesceBytes, steps) => {
    const queue = new ByteQueue({ coalesceBytes })
    let naive: number[] = []
    let next = 0
    const handedOut: Array<{ bytes: Uint8Array | Uint8ArrayList, expected: number[] }> = []

    for (const { kind, n } of steps) {
      if (kind === 'push') {
        const bytes = Array.from({ length: n }, () => next++ & 0xff)
        queue.push(Uint8Array.from(bytes))
        naive.push(...bytes)
      } else if (kind === 'take' || kind === 'peek') {
        if (n > naive.length) assert.throws(() => queue[kind](n), RangeError)
        else {
          const bytes = queue[kind](n)
          const expected = kind === 'take' ? naive.splice(0, n) : naive.slice(0, n)
          handedOut.push({ bytes, expected })
        }
      } else if (kind === 'takeList') {
        handedOut.push({ bytes: queue.takeList(n), expected: naive.splice(0, n) })
      } else if (kind === 'discard') {
        if (n > naive.length) assert.throws(() => queue.discard(n), RangeError)
        else {
          queue.discard(n)
          naive.splice(0, n)
        }
      } else if (kind === 'at') {
        if (n >= naive.length) assert.throws(() => queue.at(n), RangeError)
        else assert.equal(queue.at(n), naive[n])
      } else if (kind === 'indexOf') {
        assert.equal(queue.indexOf(n), naive.indexOf(n))
        const from = Math.max(0, naive.length - n)
        assert.equal(queue.indexOf(naive.at(-1) ?? 0, from), naive.indexOf(naive.at(-1) ?? 0, from))
      } else if (kind === 'first') {
        const first = queue.first()
        assert.deepEqual([...first ?? []], naive.slice(0, first?.length ?? 0))
        assert.equal(first === undefined, naive.length === 0)
      } else {
        queue.clear()
        naive = []
      }
      assert.equal(queue.byteLength, naive.length)
      assert.equal(queue.chunkCount > 0, naive.length > 0)
    }

    // Later pushes must not have written into what was handed out earlier.
    for (const { bytes, expected } of handedOut) assert.deepEqual([...bytes.slice()], expected)
    assert.deepEqual([...queue.takeList().slice()], naive)
  }), { numRuns: 300 }))
})

t.test('takes a view where one chunk holds all the bytes, and copies otherwise', async t => {
  const queue = new ByteQueue({ coalesceBytes: 0 })
  const chunk = Uint8Array.of(1, 2, 3, 4)
  queue.push(chunk)
  queue.push(Uint8Array.of(5, 6))
  t.equal(queue.take(2).buffer, chunk.buffer)
  const across = queue.take(3)
  t.not(across.buffer, chunk.buffer)
  t.same([...across], [3, 4, 5])

  queue.clear()
  queue.push(chunk)
  t.equal(queue.take(4), chunk, 'the very same array')
})

t.test('keeps 262,144 single bytes in few chunks', async t => {
  const queue = new ByteQueue()
  const byte = Uint8Array.of(7)
  for (let n = 0; n < 262_144; n++) {
    queue.push(byte)
    if (n % 3 === 0) queue.peek(1)
  }
  t.equal(queue.byteLength, 262_144)
  t.ok(queue.chunkCount < 100, `${queue.chunkCount} chunks`)
  t.equal(queue.indexOf(8), -1)
  t.ok(queue.take(262_144).every(value => value === 7))
})

t.test('copies what it joins, so that a small array may be reused', async t => {
  const queue = new ByteQueue()
  const lent = Uint8Array.of(1)
  queue.push(lent)
  lent[0] = 2
  queue.push(lent)
  t.same([...queue.take(2)], [1, 2])
})

t.test('is bounded in bytes and in chunks, one over included', async t => {
  const bytes = new ByteQueue({ maxBytes: 10, scope: 'connection' })
  bytes.push(new Uint8Array(10))
  t.throws(() => bytes.push(new Uint8Array(1)), { code: 'ERR_QUEUE_FULL', scope: 'connection', remote: true, message: 'queue is full: 10 + 1 > 10 bytes' })
  t.equal(bytes.byteLength, 10)
  bytes.push(new Uint8Array(0))

  const chunks = new ByteQueue({ maxChunks: 2, coalesceBytes: 0 })
  chunks.push(new Uint8Array(1))
  chunks.push(new Uint8Array(1))
  t.throws(() => chunks.push(new Uint8Array(1)), { code: 'ERR_QUEUE_FULL', scope: 'channel', message: 'queue is full: 3 > 2 chunks' })
  t.equal(chunks.byteLength, 2)
  chunks.take(1)
  chunks.push(new Uint8Array(1))

  const joined = new ByteQueue({ maxChunks: 1, coalesceBytes: 4 })
  for (let n = 0; n < 4; n++) joined.push(new Uint8Array(1))
  t.throws(() => joined.push(new Uint8Array(5)), { code: 'ERR_QUEUE_FULL' })
  t.equal(joined.chunkCount, 1)
})

t.test('refuses nonsense from the caller', async t => {
  for (const value of [0, -1, 1.5, NaN, Infinity]) {
    t.throws(() => new ByteQueue({ maxBytes: value }), RangeError, `maxBytes ${value}`)
    t.throws(() => new ByteQueue({ maxChunks: value }), RangeError, `maxChunks ${value}`)
  }
  t.throws(() => new ByteQueue({ coalesceBytes: -1 }), RangeError)
  const queue = new ByteQueue()
  queue.push(Uint8Array.of(1, 2))
  for (const value of [-1, 0.5, NaN]) {
    t.throws(() => queue.take(value), RangeError)
    t.throws(() => queue.discard(value), RangeError)
    t.throws(() => queue.takeList(value), RangeError)
    t.throws(() => queue.at(value), RangeError)
    t.throws(() => queue.indexOf(value), RangeError)
    t.throws(() => queue.indexOf(0, value), RangeError)
  }
  t.throws(() => queue.indexOf(256), RangeError)
  t.throws(() => queue.take(3), { message: 'fewer bytes than asked for: 3 > 2 bytes' })
  t.equal(queue.byteLength, 2)
})

t.test('takes time linear in the number of one-byte chunks, joined or not, one at a time or all at once', async t => {
  const byte = Uint8Array.of(1)
  for (const coalesceBytes of [0, 512]) {
    const fill = (n: number): ByteQueue => {
      const queue = new ByteQueue({ maxBytes: n, maxChunks: n, coalesceBytes })
      for (let pushed = 0; pushed < n; pushed++) queue.push(byte)
      return queue
    }
    assertLinear(t, `drained at once, coalesceBytes ${coalesceBytes}`, n => { fill(n).take(n) })
    assertLinear(t, `drained byte by byte, coalesceBytes ${coalesceBytes}`, n => {
      const queue = fill(n)
      while (queue.byteLength > 0) queue.take(1)
    })
    assertLinear(t, `looked at after each byte, coalesceBytes ${coalesceBytes}`, n => {
      const queue = new ByteQueue({ maxBytes: n, maxChunks: n, coalesceBytes })
      for (let pushed = 0; pushed < n; pushed++) {
        queue.push(byte)
        queue.first()
        queue.at(0)
        queue.indexOf(2, pushed)
      }
    })
  }
})
