import fc from 'fast-check'
import t from 'tap'
import { HeldChunks } from '../src/held-chunks-state.ts'

const COUNT = 20

t.test('the next that is missing is the one that looking at each would find, whatever came and went', async t => {
  const index = fc.nat(COUNT - 1)
  const step = fc.oneof(
    { weight: 40, arbitrary: fc.record({ what: fc.constant('add' as const), index }) },
    { weight: 5, arbitrary: fc.record({ what: fc.constant('delete' as const), index }) },
    { weight: 30, arbitrary: fc.record({ what: fc.constant('look' as const), index }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('clear' as const), index }) }
  )
  fc.assert(fc.property(fc.array(step, { maxLength: 300, size: 'max' }), steps => {
    const [held, naive] = [new HeldChunks(), new Set<number>()]
    for (const { what, index } of steps) {
      if (what === 'look') {
        let missing = index
        while (naive.has(missing)) missing++
        if (held.missingFrom(index) !== missing) return false
      } else {
        held[what](index)
        naive[what](index)
      }
    }
    return true
  }))
  t.pass()
})

t.test('a file of which half is here is not passed chunk by chunk again', async t => {
  const held = new HeldChunks()
  for (let index = 0; index < 500_000; index++) held.add(index)
  const has = held.has.bind(held)
  let looks = 0
  held.has = index => { looks++; return has(index) }
  held.missingFrom(0)
  t.ok(looks >= 500_000, `${looks} looks at first`)
  looks = 0
  t.same([...new Set(Array.from({ length: 1000 }, () => held.missingFrom(0)))], [500_000])
  t.ok(looks <= 2000, `${looks} looks for a thousand times`)
})
