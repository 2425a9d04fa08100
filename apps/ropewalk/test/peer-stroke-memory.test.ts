import { STROKE_BYTES } from '@ropewalk/protocol-warpdrive'
import fc from 'fast-check'
import t from 'tap'
import { SHARED_ITEMS, StrokeMemory } from '../src/peers/stroke-memory.ts'

t.test('nobody gets what another has; what is given back is used again, and no more than so much is ever shared', t => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(40), fc.constantFrom(0, 1, 700_000, STROKE_BYTES, STROKE_BYTES + 1)), { maxLength: 80 }), steps => {
    const memory = new StrokeMemory()
    const held: Uint8Array[] = []
    const shared = new Set<ArrayBufferLike>()
    for (const [takes, index, bytes] of steps) {
      if (takes) {
        const array = memory.take(bytes)
        if (array.length !== bytes || held.some(({ buffer }) => buffer === array.buffer)) return false
        if (array.buffer instanceof SharedArrayBuffer) shared.add(array.buffer)
        // There are free ones as long as fewer than all of them are lent.
        else if (bytes <= STROKE_BYTES && held.filter(({ buffer }) => buffer instanceof SharedArrayBuffer).length < SHARED_ITEMS) return false
        held.push(array)
      } else {
        const [array] = held.splice(index % Math.max(1, held.length), 1)
        if (array === undefined) continue
        memory.give(array)
        // Twice is once.
        memory.give(array)
      }
    }
    return shared.size <= SHARED_ITEMS
  }), { numRuns: 300 })
  t.end()
})
