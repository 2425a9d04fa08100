import { cuts, hexdump, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { assertProtocol, decodeLine, encodeLine, encodeList, LineCutter } from '../src/codec.ts'
import { HEADER, MAX_LINE_BYTES } from '../src/constants.ts'

function lines (...chunks: Uint8Array[]): string[] {
  const cutter = new LineCutter()
  const found: string[] = []
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const cut = cutter.cut(chunk, at)
      if (cut == null) break
      found.push(decodeLine(cut.value))
      at = cut.end
    }
  }
  return found
}

t.test('lines are the bytes that the specification has', async t => {
  t.same(encodeLine(HEADER), hexdump('13 2f6d756c746973747265616d2f312e302e30 0a'))
  t.same(encodeLine('na'), hexdump('03 6e61 0a'))
  t.same(encodeLine('x'.repeat(127)).subarray(0, 2), hexdump('8001'))
  t.same(encodeLine('x'.repeat(1023)).subarray(0, 2), hexdump('8008'))
  t.same(encodeList(['/a', '/bc']), hexdump('0a 03 2f61 0a 04 2f6263 0a 0a'))
  t.same(encodeList([]), hexdump('01 0a'))
})

t.test('lines are cut alike however they are chunked', async t => {
  const texts = [HEADER, 'na', 'x'.repeat(200), '/ropewalk/1', 'ü']
  const wire = Uint8Array.from(texts.flatMap(text => [...encodeLine(text)]))
  for (const [head, tail] of cuts(wire)) if (lines(head, tail).join('\n') !== texts.join('\n')) t.fail(`cut at ${head.length}`)
  t.same(lines(...oneByOne(wire)), texts)
})

t.test('what is encoded is cut', async t => {
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 300 }).filter(text => text.isWellFormed())), fc.integer({ min: 1, max: 50 }), (texts, size) => {
    const wire = Uint8Array.from(texts.flatMap(text => [...encodeLine(text)]))
    const chunks = Array.from({ length: Math.ceil(wire.length / size) }, (_, n) => wire.subarray(n * size, (n + 1) * size))
    t.same(lines(...chunks), texts)
  }), { numRuns: 50 })
})

const HOSTILE: ReadonlyArray<readonly [string, string, string]> = [
  ['a line of 1025 bytes, from its length alone', '8108', 'ERR_LINE_TOO_LONG'],
  ['a length of 16,383', 'ff7f', 'ERR_LINE_TOO_LONG'],
  ['a length of three bytes', '808001', 'ERR_BAD_LENGTH'],
  ['a length that never ends', 'ffffffffffffffffffff', 'ERR_BAD_LENGTH'],
  ['a length in more bytes than it needs', '8300 6e610a', 'ERR_BAD_LENGTH'],
  ['a line of nothing', '00', 'ERR_BAD_LINE'],
  ['a line without a line feed', '02 6e61', 'ERR_BAD_LINE'],
  ['a line that is not UTF-8', '03 ff61 0a', 'ERR_BAD_LINE']
]

t.test('what is no line is refused, wherever it is cut', async t => {
  for (const [name, wire, code] of HOSTILE) {
    t.throws(() => lines(hexdump(wire)), { name: 'NegotiateError', code, scope: 'channel', remote: true }, name)
    t.throws(() => lines(...oneByOne(hexdump(wire))), { code }, `${name}, byte by byte`)
  }
  t.throws(() => new LineCutter().end(), { code: 'ERR_TRUNCATED' })
  t.same(lines(encodeLine('x'.repeat(MAX_LINE_BYTES - 1))), ['x'.repeat(MAX_LINE_BYTES - 1)], 'the longest there may be')
})

t.test('what can be no protocol is the caller\'s fault', async t => {
  for (const protocol of ['', 'na', 'ls', HEADER, 'a\nb', 'x'.repeat(MAX_LINE_BYTES), 'ü'.repeat(512), '\ud800']) t.throws(() => assertProtocol(protocol), RangeError)
  t.throws(() => assertProtocol(7 as never), TypeError)
  assertProtocol('x'.repeat(MAX_LINE_BYTES - 1))
})
