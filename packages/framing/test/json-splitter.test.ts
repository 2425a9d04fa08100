import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { JsonSplitter, type JsonSplitterOptions } from '../src/index.ts'
import { assertLinear } from './linear.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Texts of the values in `chunks`. Each chunk is overwritten afterwards: what the splitter keeps must be its own. */
function split (chunks: Uint8Array[], options?: JsonSplitterOptions): string[] {
  const splitter = new JsonSplitter(options)
  const texts = chunks.flatMap(chunk => {
    const lent = chunk.slice()
    const values = [...splitter.push(lent)].map(value => decoder.decode(value))
    lent.fill(0x55)
    return values
  })
  const last = splitter.end()
  return last === undefined ? texts : [...texts, decoder.decode(last)]
}

const whole = (text: string): Uint8Array[] => [encoder.encode(text)]
const bytewise = (text: string): Uint8Array[] => Array.from(encoder.encode(text), byte => Uint8Array.of(byte))

t.test('cuts what JSON.stringify wrote, with any whitespace, however it is chunked', async t => {
  const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
  const value = fc.tuple(fc.jsonValue(), fc.constantFrom(undefined, 1), space)

  t.doesNotThrow(() => fc.assert(fc.property(space, fc.array(value, { maxLength: 6 }), fc.integer({ min: 1, max: 9 }), (lead, values, size) => {
    const texts = values.map(([json, indent]) => JSON.stringify(json, undefined, indent))
    let stream = lead
    for (const [index, [, , gap]] of values.entries()) {
      // Two numbers or literals in a row need something between them; nothing else does.
      const scalar = /[\w.]$/.test(texts[index] as string) && /^[\w-]/.test(texts[index + 1] ?? '')
      stream += (texts[index] as string) + (scalar && gap === '' ? ' ' : gap)
    }
    const bytes = encoder.encode(stream)
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size))
    assert.deepEqual(split(chunks), texts)
    assert.deepEqual(split([bytes]), texts)
  }), { numRuns: 300 }))
})

t.test('cuts values that touch each other', async t => {
  for (const [stream, values] of [
    ['{}{}', ['{}', '{}']],
    ['{"a":1}[2]"three"4 true', ['{"a":1}', '[2]', '"three"', '4', 'true']],
    ['1{}', ['1', '{}']],
    ['null[]', ['null', '[]']],
    ['12"x"', ['12', '"x"']],
    ['"a""b"', ['"a"', '"b"']],
    ['  \r\n\t', []],
    ['-0.5e+10 ', ['-0.5e+10']],
    ['"}{][\\"\\\\"', ['"}{][\\"\\\\"']],
    ['{"k\\u00e9\\"}":[{"}":"]"}]}1', ['{"k\\u00e9\\"}":[{"}":"]"}]}', '1']],
    ['"\u00e9\u{1f600}"', ['"\u00e9\u{1f600}"']]
  ] as Array<[string, string[]]>) {
    t.same(split(whole(stream)), values, JSON.stringify(stream))
    t.same(split(bytewise(stream)), values, `${JSON.stringify(stream)} byte by byte`)
  }
})

t.test('a number or literal ends at whitespace, at the next value, or at the end, and not before', async t => {
  const splitter = new JsonSplitter()
  t.same([...splitter.push(encoder.encode('12'))], [])
  t.same([...splitter.push(encoder.encode('34'))], [])
  t.same([...splitter.push(encoder.encode('\n'))].map(value => decoder.decode(value)), ['1234'])
  t.same([...splitter.push(encoder.encode('true'))], [])
  t.equal(decoder.decode(splitter.end()), 'true')
  t.equal(splitter.end(), undefined)
})

t.test('does not wait for what follows a bracket or a quote', async t => {
  for (const text of ['{}', '[1]', '"x"']) t.equal([...new JsonSplitter().push(encoder.encode(text))].length, 1, text)
})

t.test('refuses what cannot be JSON, and goes on refusing', async t => {
  for (const stream of [
    ',', ':', ']', '}', '[}', '{]', '[[]}', '{}}', '"\n"', '"\u0000"', '"\u001f"', '"\\x"', '"\\u12g4"', '"\\u123"', '[\u0000]', '[\u00e9]', "'a'", '\ufeff{}', '\u0000', '1\u0000', '1,2', '1]',
    'nul ', 'truefalse ', '01 ', '1. ', '.5 ', '+1 ', '--1 ', '1e ', 'NaN ', 'Infinity ', 'True ', '-'
  ]) {
    for (const chunks of [whole(stream), bytewise(stream)]) {
      const splitter = new JsonSplitter({ scope: 'connection' })
      const run = (): unknown => [chunks.map(chunk => [...splitter.push(chunk)]), splitter.end()]
      t.throws(run, { code: 'ERR_BAD_JSON', scope: 'connection', remote: true }, JSON.stringify(stream))
      t.throws(() => [...splitter.push(encoder.encode('{}'))], { code: 'ERR_BAD_JSON' })
      t.throws(() => splitter.end(), { code: 'ERR_BAD_JSON' })
    }
  }
})

t.test('leaves to JSON.parse what is inside the brackets', async t => {
  t.same(split(whole('{1 2,,::}[tru]')), ['{1 2,,::}', '[tru]'])
})

t.test('delivers the values before a bad byte', async t => {
  const values = new JsonSplitter().push(encoder.encode('{}\n,'))
  t.equal(decoder.decode(values.next().value as Uint8Array), '{}')
  t.throws(() => values.next(), { code: 'ERR_BAD_JSON', message: 'unexpected byte 0x2c, 0 bytes into a JSON value' })
})

t.test('a stream may not end inside a bracket or a string', async t => {
  for (const stream of ['{', '[1', '"', '"a\\', '"\\u00', '{"a":{}']) {
    for (const chunks of [whole(stream), bytewise(stream)]) t.throws(() => split(chunks), { code: 'ERR_TRUNCATED', got: stream.length }, stream)
  }
})

t.test('bounds the bytes of one value, not of the stream', async t => {
  const exact = '"12345678"'
  t.same(split(whole(`${exact}${exact} 1`), { maxBytes: 10 }), [exact, exact, '1'])
  for (const stream of ['"123456789"', '[[[[[[[[[[[', '12345678901', '{"a":      1}']) {
    for (const chunks of [whole(stream), bytewise(stream)]) {
      t.throws(() => split(chunks, { maxBytes: 10 }), { code: 'ERR_TOO_LARGE' }, stream)
    }
  }
  t.throws(() => split(bytewise('"123456789"'), { maxBytes: 10 }), { message: 'JSON value too large: 11 > 10 bytes' })
  t.same(split(whole(' '.repeat(100) + '1'), { maxBytes: 10 }), ['1'], 'whitespace between values costs nothing')
})

t.test('bounds the depth', async t => {
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  t.same(split(whole(deep(3)), { maxDepth: 3 }), [deep(3)])
  t.throws(() => split(whole(deep(4)), { maxDepth: 3 }), { code: 'ERR_TOO_DEEP', message: 'nested too deep: 4 > 3 levels' })
  t.same(split(whole(deep(128))), [deep(128)])
  t.throws(() => split(whole(deep(129))), { code: 'ERR_TOO_DEEP' })
})

t.test('refuses nonsense from the caller', async t => {
  for (const value of [0, -1, 1.5, NaN]) {
    t.throws(() => new JsonSplitter({ maxBytes: value }), RangeError)
    t.throws(() => new JsonSplitter({ maxDepth: value }), RangeError)
  }
})

t.test('takes time linear in the size of a value that comes byte by byte, and of many small ones', async t => {
  const [quote, digit, space] = ['"', '1', ' '].map(char => encoder.encode(char)) as [Uint8Array, Uint8Array, Uint8Array]
  const feed = (first: Uint8Array, n: number, last: Uint8Array): void => {
    const splitter = new JsonSplitter()
    let values = splitter.cut(first, 0) === undefined ? 0 : 1
    for (let sent = 0; sent < n; sent++) if (splitter.cut(digit, 0) !== undefined) values++
    if (splitter.cut(last, 0) !== undefined) values++
    assert.equal(values, 1)
  }
  assertLinear(t, 'one string', n => { feed(quote, n, quote) })
  assertLinear(t, 'one number', n => { feed(digit, n, space) })
  assertLinear(t, 'many numbers in one chunk', n => {
    let values = 0
    for (const _ of new JsonSplitter().push(encoder.encode('1 '.repeat(n)))) values++
    assert.equal(values, n)
  })
})
