import fc from 'fast-check'
import t from 'tap'
import { escapeName } from '../src/index.ts'

t.test('D1: escapes whatever could do something', async t => {
  for (const [name, shown] of [
    ['plain name.txt', 'plain name.txt'],
    ['\u{1f9f5} Grüße 日本', '\u{1f9f5} Grüße 日本'],
    ['\x1b[2J\x1b[31mred', '\\x1b[2J\\x1b[31mred'],
    ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['a\rb\nc\td', 'a\\x0db\\x0ac\\x09d'],
    ['\0', '\\x00'],
    ['\x7f', '\\x7f'],
    ['\x9b31m', '\\x9b31m'],
    ['gpj.\u202eexe', 'gpj.\\u{202e}exe'],
    ['\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['a\u2028b\u2029', 'a\\u{2028}b\\u{2029}'],
    ['\ud800', '\\u{d800}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['a\\x1b', 'a\\\\x1b']
  ] as const) t.equal(escapeName(name), shown, shown)
})

t.test('D1: a very long name is shortened, and says so', async t => {
  const shown = escapeName('a'.repeat(5_000) + '\x1b'.repeat(4_990) + 'end.txt')
  t.equal(shown, `${'a'.repeat(100)}…[9997 characters]…${'\\x1b'.repeat(93)}end.txt`)
  t.equal(escapeName('a'.repeat(200)), 'a'.repeat(200))
  t.equal(escapeName('abcdefgh', 4), 'ab…[8 characters]…gh')
  t.equal(escapeName('\u{1f9f5}'.repeat(5), 4), '\u{1f9f5}\u{1f9f5}…[10 characters]…\u{1f9f5}\u{1f9f5}')
})

t.test('D1: nothing that does something comes out, and different names stay different', async () => {
  const hostile = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '\x07', '\r', '\x9b', '\u202e', '\\', 'x', '1', 'b', '{', '}', 'u'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 40 })
  fc.assert(fc.property(hostile, hostile, (a, b) => {
    const safe = !/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(escapeName(a))
    return safe && escapeName(a).isWellFormed() && (a === b || escapeName(a) !== escapeName(b))
  }), { numRuns: 1000 })
})

t.test('the work is bounded: a name of megabytes takes no longer than its ends', async t => {
  const shown = escapeName('\x1b'.repeat(1 << 20))
  t.ok(shown.length < 1000)
  t.match(shown, /\[1048576 characters\]/)
})
