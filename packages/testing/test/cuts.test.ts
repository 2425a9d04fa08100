import t from 'tap'
import { chopped, cuts, dump, hexdump, oneByOne } from '../src/index.ts'

const BYTES = hexdump(`
  01 02  # two bytes, then
  0304   # two more: ff is not one of them
`)

t.test('hexdump reads digits and nothing else', async t => {
  t.same(BYTES, Uint8Array.of(1, 2, 3, 4))
  t.same(hexdump('04 00000003FF'), Uint8Array.of(4, 0, 0, 0, 3, 255))
  t.throws(() => hexdump('01\n0 2 3'), { name: 'SyntaxError', message: /^line 2 / })
  t.throws(() => hexdump('0x01'), SyntaxError)
})

t.test('dump shows what hexdump reads', async t => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => index + 60)
  const text = dump(bytes)
  t.equal(text.split('\n').length, 3)
  t.match(text, '# <=>?@AB')
  t.same(hexdump(text.replace(/^\S+/gm, '')), bytes)
  t.match(dump(bytes, { maxBytes: 16 }), '… 24 more bytes')
  t.equal(dump(new Uint8Array()), '(no bytes)')
})

t.test('cuts gives every split in two, the empty ones included', async t => {
  t.same(Array.from(cuts(BYTES), ([a, b]) => [a.length, b.length]), [[0, 4], [1, 3], [2, 2], [3, 1], [4, 0]])
  for (const [a, b] of cuts(BYTES)) t.same(Uint8Array.of(...a, ...b), BYTES)
})

t.test('chopped takes the sizes in turn', async t => {
  t.same(Array.from(oneByOne(BYTES), part => [...part]), [[1], [2], [3], [4]])
  t.same(Array.from(chopped(BYTES, [1, 0, 2]), part => [...part]), [[1], [], [2, 3], [4]])
  t.throws(() => [...chopped(BYTES, [0])], RangeError)
  t.throws(() => [...chopped(BYTES, [1, -1])], RangeError)
})
