import { createHash } from 'node:crypto'
import { chopped, collect, linear, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { processorTime } from './processor-time.ts'
import { Uint8ArrayList } from 'uint8arraylist'
import { BUZHASH_TABLE } from '../src/buzhash-table.ts'
import { chunk } from '../src/chunk.ts'
import { assertChunkSizes, chunkSizesAround, DEFAULT_CHUNK_SIZES, discriminator, parseChunkSizes, type ChunkSizes } from '../src/chunk-sizes.ts'
import { Chunker } from '../src/chunker-state.ts'
import { identify } from '../src/identify.ts'
import { roller } from '../src/roller.ts'
import { counter, input, nodeHash } from './inputs.ts'
import { CHUNKER_VECTORS } from './vectors.ts'

/** Section 6 of the specification, word by word and as slow as it reads. */
function naiveCuts (bytes: Uint8Array, sizes: ChunkSizes): number[] {
  const { min, max } = sizes
  const d = discriminator(sizes)
  const cuts: number[] = []
  let start = 0
  for (let end = 1; end <= bytes.length; end++) {
    const n = end - start
    if (n === max || (min !== max && n >= Math.max(min, 48) && naiveHash(bytes.subarray(end - 48, end)) % d === d - 1)) {
      cuts.push(end)
      start = end
    }
  }
  return cuts
}

function naiveHash (window: Uint8Array): number {
  return window.reduce((hash, byte, i) => hash ^ rotate(BUZHASH_TABLE[byte] as number, 47 - i), 0) >>> 0
}

function rotate (word: number, by: number): number {
  const bits = by % 32
  return bits === 0 ? word : word << bits | word >>> (32 - bits)
}

function push (chunker: Chunker, pieces: Iterable<Uint8Array>): number[] {
  const cuts: number[] = []
  let at = 0
  for (const piece of pieces) {
    cuts.push(...chunker.push(piece).map(cut => at + cut))
    at += piece.length
  }
  return cuts
}

/** Inputs over 16 MiB take seconds to make: `pnpm interop` cuts them, here only their numbers are compared. */
const LONG_BYTES = 16 * 1024 * 1024

for (const { input: expression, chunk_size: argument, ...vector } of CHUNKER_VECTORS) {
  if (vector.error !== undefined) {
    t.test(`refuses --chunk-size=${argument} as the original does: ${vector.error}`, async t => {
      t.throws(() => parseChunkSizes(argument as string), RangeError)
    })
    continue
  }

  t.test(`cuts ${expression} with ${argument ?? 'default sizes'} where the original does`, async t => {
    const sizes = parseChunkSizes(argument ?? 'auto')
    t.same(sizes, { min: vector.min, avg: vector.avg, max: vector.max })
    t.equal(discriminator(sizes), vector.discriminator)
    if (vector.size > LONG_BYTES) return
    const bytes = input(expression)
    t.equal(bytes.length, vector.size)
    const chunks = []
    for await (const { start, end, id } of identify(nodeHash, { digest: vector.digest })(chunk(sizes)(chopped(bytes, [65536])))) chunks.push([start, end - start, id])
    t.same(chunks, vector.chunks)
    t.equal(createHash(vector.digest).update(bytes).digest('hex'), vector.input_digest, 'the input is the one that was cut')
  })
}

t.test('the table is the one that was recovered: 256 words, of which each bit is set in half', async t => {
  t.equal(new Set(BUZHASH_TABLE).size, 256)
  for (let bit = 0; bit < 32; bit++) t.equal(BUZHASH_TABLE.reduce((sum, word) => sum + (word >>> bit & 1), 0), 128)
  t.equal(BUZHASH_TABLE.reduce((sum, word) => sum ^ word, 0), 0)
})

t.test('agrees with the specification, read word by word, for any sizes and any cutting of the input', async t => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(300), fc.integer({ min: 48, max: 700 }))
    .map(([min, more, max]) => ({ min, avg: Math.min(min + more, Math.max(max, min)), max: Math.max(max, min) }))
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 4000 }), fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => new Uint8Array(length).fill(byte)))
  const pieces = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 12 }).filter(list => list.some(n => n > 0))
  fc.assert(fc.property(bytes, sizes, pieces, (bytes, sizes, pieces) => {
    t.same(push(new Chunker(sizes), chopped(bytes, pieces)), naiveCuts(bytes, sizes))
  }), { numRuns: 150 })
  // Such divisors are met by every second, third, ... hash, which exercises what long chunks do not.
  for (const avg of [48, 49, 50, 52, 56, 63, 64, 96, 128]) {
    const dense = { min: 1, avg, max: 4096 }
    const random = counter('dense', 20_000)
    t.same(push(new Chunker(dense), [random]), naiveCuts(random, dense))
  }
})

t.test('cuts alike wherever the input is cut in two, and when it comes byte by byte', async t => {
  const bytes = counter('every cut', 1500)
  const sizes = { min: 60, avg: 130, max: 400 }
  const wanted = naiveCuts(bytes, sizes)
  t.ok(wanted.length > 5)
  for (let at = 0; at <= bytes.length; at++) t.same(push(new Chunker(sizes), [bytes.subarray(0, at), bytes.subarray(at)]), wanted)
  t.same(push(new Chunker(sizes), oneByOne(bytes)), wanted)
})

t.test('a chunk is a view where it lies in one piece; lists of pieces are taken too', async t => {
  const bytes = counter('views', 3000)
  const sizes = { min: 100, avg: 200, max: 400 }
  const views = []
  for await (const one of chunk(sizes)([bytes])) views.push(one)
  t.ok(views.slice(0, -1).every(view => view.buffer === bytes.buffer))
  t.same(await collect(views), bytes)
  const again = []
  for await (const one of chunk(sizes)([new Uint8ArrayList(...chopped(bytes, [7]))])) again.push(one)
  t.same(again.map(one => one.length), views.map(one => one.length))
  t.same(await collect(again), bytes)
})

t.test('sizes: derived from an average, read from text, refused out of order', async t => {
  t.same(DEFAULT_CHUNK_SIZES, { min: 16384, avg: 65536, max: 262144 })
  t.same(chunkSizesAround(2), { min: 1, avg: 2, max: 8 })
  t.same(chunkSizesAround(134_217_728), { min: 33_554_432, avg: 134_217_728, max: 134_217_728 })
  t.same(parseChunkSizes('1K:2K:1M'), { min: 1024, avg: 2048, max: 1_048_576 })
  for (const wrong of ['', '0', '1:2', '1:2:3:4', '::', '-1', '1.5K', '0x10', '1K:', '1:1:0', '3:2:1', '1:2:47', '8M:8M:129M']) {
    t.throws(() => parseChunkSizes(wrong), RangeError, wrong)
  }
  t.doesNotThrow(() => assertChunkSizes({ min: 5, avg: 5, max: 5 }), 'pieces of one size need no window')
  t.throws(() => assertChunkSizes({ min: 1, avg: NaN, max: 64 }), RangeError)
})

t.test('time is linear in the input, single bytes included', async t => {
  const bytes = counter('linear', 400_000)
  const { exponent } = await linear(size => processorTime(() => { push(new Chunker({ min: 48, avg: 1000, max: 4000 }), oneByOne(bytes.subarray(0, size))) }), { sizes: [50_000, 400_000] })
  t.ok(exponent < 1.3, `exponent ${exponent}`)
})

t.test('the loop in WebAssembly and the one in JavaScript cut alike, whatever the sizes and the slices', async t => {
  t.ok(roller(true) !== undefined && roller(false) !== undefined, 'there are both here')
  const bytes = input("ctr('roller',400000)")
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 48, max: 40_000 }), fc.integer({ min: 1, max: 255 }), fc.integer({ min: 256, max: 70_000 }), fc.nat(100_000),
    (min, more, most, short, long, from) => {
      const data = bytes.subarray(from, from + 100_000)
      const sizes = { min, avg: min + more, max: min + more + most }
      // Slices of less than 256 bytes are never given to WebAssembly.
      return JSON.stringify(cutsOf(data, sizes, short)) === JSON.stringify(cutsOf(data, sizes, long))
    }
  ), { numRuns: 60 })
})

function cutsOf (bytes: Uint8Array, sizes: ChunkSizes, slice: number): number[] {
  const chunker = new Chunker(sizes)
  const cuts: number[] = []
  for (let at = 0; at < bytes.length; at += slice) cuts.push(...chunker.push(bytes.subarray(at, at + slice)).map(cut => at + cut))
  return cuts
}
