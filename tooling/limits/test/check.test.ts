import t from 'tap'
import { check, constantsIn, titlesIn, type Sources } from '../src/check.ts'
import type { Limit } from '../src/limit.ts'
import { amount, page } from '../src/page.ts'

const LIMIT: Limit = {
  constant: 'MAX_KNOT_BYTES',
  of: 'bytes of a knot',
  unit: 'bytes',
  option: 'maxKnotBytes',
  beyond: 'the rope fails',
  code: 'ERR_KNOT',
  test: ['knot.test.ts', 'a knot is bounded']
}

const SOURCES: Sources = {
  code: new Map([['constants.ts', 'export const MAX_KNOT_BYTES = 64\nexport const HEADER_BYTES = 9\n'], ['errors.ts', "  | 'ERR_KNOT'\n"], ['knot.ts', '  maxKnotBytes?: number | undefined\n']]),
  tests: new Map([['knot.test.ts', "t.test('a knot is bounded', async t => {})\n"]])
}

const EXPORTS = { MAX_KNOT_BYTES: 64 }
const OTHERS = { HEADER_BYTES: 'part of the wire' }

function faults ({ limits = [LIMIT], others = OTHERS, exports = EXPORTS, sources = SOURCES }: { limits?: Limit[], others?: Record<string, string>, exports?: Record<string, unknown>, sources?: Sources } = {}): string[] {
  return check({ folder: 'knot', limits, others }, exports, sources)
}

t.test('what is in order is not refused', async t => {
  t.same(faults(), [])
})

t.test('each rule is broken once, and tells', async t => {
  t.same(faults({ limits: [] }), ['knot: MAX_KNOT_BYTES is neither a limit nor among the others'])
  t.same(faults({ others: {} }), ['knot: HEADER_BYTES is neither a limit nor among the others'])
  t.same(faults({ others: { HEADER_BYTES: ' ' } }), ['knot: HEADER_BYTES bounds nothing, but nobody says why'])
  t.same(faults({ others: { ...OTHERS, MAX_KNOT_BYTES: 'again' } }), ['knot: MAX_KNOT_BYTES is listed twice'])
  t.same(faults({ others: { ...OTHERS, GONE: 'was there' } }), ['knot: GONE is no constant of the package'])
  t.same(faults({ exports: {} }), ['knot: MAX_KNOT_BYTES is not exported by the index'])
  t.same(faults({ exports: { MAX_KNOT_BYTES: '64' } }), ['knot: MAX_KNOT_BYTES is no number'])
  t.same(faults({ limits: [{ ...LIMIT, unit: 'ms' }] }), ['knot: MAX_KNOT_BYTES is in bytes, not in ms'])
  t.same(faults({ limits: [{ ...LIMIT, code: 'ERR_NOT' }] }), ['knot: MAX_KNOT_BYTES raises ERR_NOT, which the package does not know'])
  t.same(faults({ limits: [{ ...LIMIT, option: 'maxKnots' }] }), ['knot: MAX_KNOT_BYTES has no option maxKnots'])
  t.same(faults({ limits: [{ ...LIMIT, test: ['', ''] }] }), ['knot: MAX_KNOT_BYTES has no test'])
  t.same(faults({ limits: [{ ...LIMIT, test: ['not.test.ts', 'a knot is bounded'] }] }), ['knot: MAX_KNOT_BYTES: test/not.test.ts is not there'])
  t.same(faults({ limits: [{ ...LIMIT, test: ['knot.test.ts', 'a knot'] }] }), ['knot: MAX_KNOT_BYTES: test/knot.test.ts has no test "a knot"'])
})

t.test('constants are the exported numbers', async t => {
  t.same(constantsIn([
    'export const A_BYTES = 1', 'export const B_MS: number = 2 * A_BYTES', 'export const C = \'word\'', 'export const Kind = { A: 1 } as const',
    'export const TABLE = { a: 1 }', 'const INNER = 4', 'export const MAGIC = 0x12n', 'export const D: number = WINDOW_BYTES', ' * export const DOC = 1'
  ].join('\n')), ['A_BYTES', 'B_MS', 'MAGIC', 'D'])
})

t.test('titles are read however they are quoted', async t => {
  const text = ['t.test(\'nobody\\\'s fault\', async t => {})', '  await t.test(`${kind}: bounded`, async t => {})', '// a test (\'of words\')', 't.equal(x, \'no title\')'].join('\n')
  t.same([...titlesIn(text)], ['nobody\'s fault', '${kind}: bounded'])
})

t.test('numbers are written as people read them', async t => {
  t.same([amount(9, 'bytes'), amount(65_536, 'bytes'), amount(33_554_432, 'bytes'), amount(1536, 'bytes'), amount(1000 * 1024, 'bytes')], ['9 bytes', '64 KiB', '32 MiB', '1,536 bytes', '1,000 KiB'])
  t.same([amount(250, 'ms'), amount(5000, 'ms'), amount(300_000, 'ms'), amount(86_400_000, 'ms'), amount(1024, 'pieces')], ['250 ms', '5 s', '5 min', '24 h', '1,024 pieces'])
})

t.test('a limit is a row, with a link to its proof', async t => {
  t.match(page([{ folder: 'knot', limits: [LIMIT], others: OTHERS, values: EXPORTS }]), [
    '| bytes of a knot | 64 bytes | `maxKnotBytes` | the rope fails | `ERR_KNOT` | `MAX_KNOT_BYTES` |',
    '[a knot is bounded](../packages/knot/test/knot.test.ts) |'
  ].join(' '))
})
