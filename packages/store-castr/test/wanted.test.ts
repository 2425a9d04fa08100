import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { MAX_WANTED_CHUNKS } from '../src/constants.ts'
import { WantedChunks } from '../src/wanted.ts'

function idOf (n: number): string {
  return createHash('sha256').update(String(n)).digest('hex')
}

t.test('what is wanted is given once, to whoever looks first, and with its length only', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.uniqueArray(fc.nat(5000), { maxLength: 300 }), fc.array(fc.nat(5000), { maxLength: 300 }), (wanted, met) => {
    const chunks = new WantedChunks(wanted.length)
    // As another thread has it.
    const same = new WantedChunks(chunks.memory)
    const left = new Map(wanted.filter(n => chunks.add(idOf(n), 2 ** 40 + n, n + 1)).map(n => [n, 2 ** 40 + n]))
    if (left.size !== wanted.length) throw new Error(`room for ${left.size} of ${wanted.length}`)
    for (const [i, n] of met.entries()) {
      if (same.take(idOf(n), n + 2) !== undefined) throw new Error(`${n}: given with another length`)
      const expected = left.get(n)
      left.delete(n)
      const got = (i % 2 === 0 ? chunks : same).take(idOf(n), n + 1)
      if (got !== expected) throw new Error(`${n}: ${got}, not ${expected}`)
    }
  })))
})

t.test('of one id there is one place, the first; what is no id is refused', async t => {
  const chunks = new WantedChunks(10)
  t.equal(chunks.add(idOf(1), 5, 100), true)
  t.equal(chunks.add(idOf(1), 6, 100), false)
  t.equal(chunks.take(idOf(1), 100), 5)
  t.equal(chunks.take(idOf(1), 100), undefined)
  t.throws(() => chunks.add('x', 0, 1), { code: 'ERR_BAD_ID' })
})

t.test('memory is bounded, and so are the steps for ids that somebody made to begin alike', async t => {
  t.equal(new WantedChunks(Infinity).memory.byteLength, 2 * 48 * MAX_WANTED_CHUNKS)
  const chunks = new WantedChunks(1000)
  const alike = Array.from({ length: 1000 }, (_, i) => `00000000${idOf(i).slice(8)}`)
  const added = alike.filter((id, i) => chunks.add(id, i, 7))
  t.equal(added.length, 32)
  t.same(alike.map(id => chunks.take(id, 7)), alike.map((_, i) => i < 32 ? i : undefined))
  t.equal(chunks.add(idOf(1), 9, 7), true, 'others have room')
})
