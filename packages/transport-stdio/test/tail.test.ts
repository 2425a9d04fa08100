import fc from 'fast-check'
import t from 'tap'
import { Tail } from '../src/tail.ts'

t.test('a tail holds the last bytes of everything that came', async t => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.uint8Array({ maxLength: 30 })), (maxBytes, pieces) => {
    const tail = new Tail(maxBytes)
    for (const piece of pieces) tail.push(piece)
    const all = Buffer.concat(pieces)
    t.same(tail.bytes(), Uint8Array.from(all.subarray(Math.max(0, all.length - maxBytes))))
  }))
})
