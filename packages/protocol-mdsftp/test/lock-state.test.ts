import fc from 'fast-check'
import t from 'tap'
import { LockState } from '../src/lock-state.ts'

const ID = ['a', 'b'].map(letter => letter.repeat(32)) as [string, string]

t.test('locks: many readers or one writer, nobody waits, nothing is left behind', async t => {
  const step = fc.record({ id: fc.constantFrom(...ID), kind: fc.constantFrom('read' as const, 'write' as const), release: fc.boolean() })
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const locks = new LockState(3)
    const held: Array<{ id: string, kind: 'read' | 'write' }> = []
    for (const { id, kind, release } of steps) {
      const mine = held.filter(lock => lock.id === id)
      if (release) {
        const at = held.findIndex(lock => lock.id === id && lock.kind === kind)
        if (at < 0) t.throws(() => locks.release(id, kind), RangeError)
        else {
          locks.release(id, kind)
          held.splice(at, 1)
        }
      } else {
        const free = kind === 'write' ? mine.length === 0 : mine.length < 3 && mine.every(lock => lock.kind === 'read')
        t.equal(locks.acquire(id, kind), free)
        if (free) held.push({ id, kind })
      }
      t.equal(locks.size, new Set(held.map(lock => lock.id)).size)
    }
  }), { numRuns: 20 })
})
