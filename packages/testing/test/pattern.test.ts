import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { chopped, collect, counting, linear, pattern, patternAt, PatternCheck, verify } from '../src/index.ts'

t.test('a pattern depends on its seed and on nothing else', async t => {
  const whole = await collect(pattern(100_000, 7))
  t.equal(whole.length, 100_000)
  t.same(await collect(pattern(100_000, 7, 333)), whole, 'chunks do not matter')
  for (const [from, to] of [[0, 1], [1, 9], [65_535, 65_541], [99_998, 100_000]] as const) {
    t.same(patternAt(from, to - from, 7), whole.subarray(from, to), `${from} to ${to}`)
  }
  t.notSame(patternAt(0, 8, 8), whole.subarray(0, 8))
  const counts = new Set(whole)
  t.equal(counts.size, 256, 'every value occurs')
})

t.test('verify finds the first wrong byte, a missing end and a surplus', async t => {
  const bytes = await collect(pattern(1000, 1))
  await verify(chopped(bytes, [1, 2, 3]), 1000, 1)
  await verify([new Uint8ArrayList(bytes.subarray(0, 10), bytes.subarray(10))], 1000, 1)
  const wrong = bytes.slice()
  wrong.set([(wrong[501] ?? 0) ^ 1], 501)
  await t.rejects(verify(chopped(wrong, [64]), 1000, 1), { code: 'ERR_UNEXPECTED_BYTES', message: /^byte 501 is / })
  await t.rejects(verify([bytes], 1000, 2), { code: 'ERR_UNEXPECTED_BYTES' })
  await t.rejects(verify([bytes], 1001, 1), { code: 'ERR_UNEXPECTED_END', message: 'ended after 1000 of 1001 bytes' })
  await t.rejects(verify([bytes], 999, 1), { code: 'ERR_TOO_LONG' })
  t.equal(new PatternCheck().offset, 0)
})

t.test('counting knows what was taken and when it was let go', async t => {
  const source = counting(pattern(10, 0, 4))
  t.match(source, { pulls: 0, bytes: 0, released: false })
  for await (const _ of source) break
  t.match(source, { pulls: 1, bytes: 4, released: true })
  const all = counting(pattern(10, 0, 4))
  await collect(all)
  t.match(all, { pulls: 4, bytes: 10, released: true })
  const failing = counting((function * (): Generator<Uint8Array> { throw new Error('disk') })())
  await t.rejects(collect(failing), { message: 'disk' })
  t.ok(failing.released)
})

t.test('collect refuses more than it was told', async t => {
  await t.rejects(collect(pattern(10), { maxBytes: 9 }), { code: 'ERR_TOO_LONG', message: '10 > 9 bytes' })
})

t.test('linear tells n from n squared', async t => {
  const sizes = [100, 200, 400, 800]
  t.match((await linear(size => size * 3, { sizes })).exponent.toFixed(3), '1.000')
  t.match((await linear(async size => size * size, { sizes })).exponent.toFixed(3), '2.000')
  const timed = await linear(size => {
    let sum = 0
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) sum += (i ^ j) & 1
    if (sum < 0) throw new Error('never: keeps the loop alive')
  }, { sizes: [500, 1000, 2000] })
  t.ok(timed.exponent > 1.5, `${timed.exponent}`)
  await t.rejects(linear(size => size, { sizes: [1] }), RangeError)
})
