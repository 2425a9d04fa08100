import fc from 'fast-check'
import t from 'tap'
import { Uint8ArrayList } from 'uint8arraylist'
import { messages } from '../src/messages.ts'

t.test('messages hold what the item held, none empty and none too large', async t => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.integer({ min: 1, max: 32 }), (parts, maxBytes) => {
    const item = new Uint8ArrayList(...parts)
    const cut = [...messages(item, maxBytes)]
    t.same(Buffer.concat(cut), Buffer.concat(parts))
    if (cut.some(({ length }) => length === 0 || length > maxBytes)) throw new Error('a message of a wrong size')
    // Of two neighbours, one fills at least half, or they would have been joined; large pieces begin a message of their own.
    if (cut.length > 2 + 4 * item.length / maxBytes) throw new Error(`${cut.length} messages`)
  }))
})

t.test('large pieces are not copied', async t => {
  const piece = new Uint8Array(100)
  t.ok([...messages(new Uint8ArrayList(Uint8Array.of(1), piece), 64)].slice(1).every(({ buffer }) => buffer === piece.buffer))
  t.ok([...messages(piece, 10)].every(({ buffer }) => buffer === piece.buffer))
})

t.test('a list of a hundred thousand single bytes is joined', async t => {
  const item = Uint8ArrayList.fromUint8Arrays(Array.from({ length: 100_000 }, () => Uint8Array.of(7)))
  t.same([...messages(item, 65536)].map(({ length }) => length), [65536, 34464])
})

t.test('what is no bytes is refused', async t => {
  t.throws(() => [...messages('text' as never, 10)], TypeError)
})
