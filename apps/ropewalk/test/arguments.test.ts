import t from 'tap'
import { formatId, parseConcurrency, parseDigest, parseId, parseRange, parseSize } from '../src/arguments.ts'

const HEX = '000102030405460788090a0b0c0d0e0f'
const UUID = '00010203-0405-4607-8809-0a0b0c0d0e0f'

t.test('takes ids as UUIDs and as digits, in either case', async t => {
  for (const text of [HEX, UUID, HEX.toUpperCase(), UUID.toUpperCase()]) t.equal(parseId(text), HEX)
  t.equal(formatId(HEX), UUID)
  for (const text of ['', HEX.slice(1), `${HEX}0`, UUID.replace('-', ''), 'holiday.mov', `${UUID}\n`]) t.throws(() => parseId(text), { code: 'ERR_BAD_ID' }, text)
})

t.test('takes ranges whose end is not part of them', async t => {
  t.same(parseRange('0-1'), { start: 0, end: 1 })
  t.same(parseRange('5-'), { start: 5, end: undefined })
  for (const text of ['', '-', '-5', '5-5', '6-5', '1-2-3', 'a-b', '0x1-2', '0-9007199254740992']) t.throws(() => parseRange(text), { code: 'ERR_USAGE' }, text)
})

t.test('takes sizes in powers of 1024', async t => {
  for (const [text, bytes] of [['0', 0], ['500', 500], ['1K', 1024], ['1.5M', 1_572_864], ['2GiB', 2 * 1024 ** 3], ['1 tb', 1024 ** 4]] as const) t.equal(parseSize(text), bytes, text)
  for (const text of ['', 'x', '-1', '1X', '1e3', '99999999T']) t.throws(() => parseSize(text), { code: 'ERR_USAGE' }, text)
})

t.test('takes concurrency from 1 to 256, and SHA-256 with or without its name', async t => {
  t.equal(parseConcurrency('1'), 1)
  t.equal(parseConcurrency('256'), 256)
  for (const text of ['0', '257', '1.5', '-1', '', 'many']) t.throws(() => parseConcurrency(text), { code: 'ERR_USAGE' }, text)
  const digest = '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08'
  t.equal(parseDigest(digest), digest.toLowerCase())
  t.equal(parseDigest(`sha256=${digest}`), digest.toLowerCase())
  t.throws(() => parseDigest(digest.slice(1)), { code: 'ERR_USAGE' })
})
