import fc from 'fast-check'
import t from 'tap'
import { MAX_TRANSFER_FILES } from '../src/index.ts'
import { PartsState } from '../src/parts-state.ts'

t.test('a transfer of as many files as there may be takes no more', async t => {
  const parts = new PartsState('boot', 3)
  for (const name of ['a', 'b', 'c']) parts.begin(name)
  t.throws(() => parts.begin('d'), { code: 'ERR_QUOTA', message: '4 > 3 files of one transfer' })
  parts.apply({ is: 'placed', part: 0, as: 'a' })
  t.throws(() => parts.begin('d'), { code: 'ERR_QUOTA' }, 'those that are whole count')
  parts.apply({ is: 'dropped', part: 1 })
  t.equal(parts.begin('d').number, 3)
  t.equal(MAX_TRANSFER_FILES, 1_000_000)
})

t.test('after another start of the machine only what was verified is there', async t => {
  for (const [boot, now, bytes] of [['one', 'one', 9], ['one', 'two', 4], ['', undefined, 4]] as const) {
    const parts = new PartsState(now)
    parts.apply({ is: 'opened', boot })
    parts.begin('f')
    parts.apply({ is: 'verified', part: 0, bytes: 4 })
    t.same(parts.recover(new Map([[0, { size: 9, nlink: 1 }]])), [])
    t.match(parts.of('f'), { bytes, verified: 4 })
  }
})

t.test('never more is said to be there than the file has, nor verified than was said', async () => {
  const fact = fc.oneof(
    fc.record({ is: fc.constant('begun' as const), part: fc.nat(3), name: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ is: fc.constantFrom('verified' as const, 'sealed' as const), part: fc.nat(3), bytes: fc.nat(20) }),
    fc.record({ is: fc.constant('dropped' as const), part: fc.nat(3) }),
    fc.record({ is: fc.constant('placed' as const), part: fc.nat(3), as: fc.constant('x') })
  )
  fc.assert(fc.property(fc.array(fact, { maxLength: 20 }), fc.array(fc.option(fc.nat(20)), { minLength: 4, maxLength: 4 }), (facts, sizes) => {
    const parts = new PartsState('boot')
    parts.apply({ is: 'opened', boot: 'boot' })
    for (const fact of facts) parts.apply(fact)
    const found = new Map(sizes.flatMap((size, part) => size === null ? [] : [[part, { size, nlink: 1 }] as const]))
    parts.recover(found)
    return ['a', 'b', 'c'].every(name => {
      const part = parts.of(name)
      const size = part === undefined ? undefined : found.get(part.number)?.size
      return part === undefined || (size !== undefined && part.bytes <= size && part.verified <= size)
    })
  }), { numRuns: 1000 })
})
