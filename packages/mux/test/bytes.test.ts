import { Uint8ArrayList } from 'uint8arraylist'
import fc from 'fast-check'
import t from 'tap'
import { Inbox, Outbox, Outgoing } from '../src/index.ts'

const numbered = (length: number, from = 0): Uint8Array => Uint8Array.from({ length }, (_, at) => (at + from) * 31)

/** Bytes that the pieces of a list keep alive. */
function kept (list: Uint8ArrayList): number {
  return [...new Set([...list].map(piece => piece.buffer))].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

t.test('an inbox gives what it got, holds at most four times that, a slab and the pool, and in few pieces', async t => {
  const push = fc.record({ length: fc.integer({ min: 1, max: 10_000 }), lent: fc.boolean(), from: fc.constantFrom(1, 2, 4, 5, 50), takeAfter: fc.boolean(), again: fc.boolean() })
  fc.assert(fc.property(fc.array(push, { maxLength: 60 }), pushes => {
    const inbox = new Inbox()
    let expected: number[] = []
    const check = (): void => {
      const list = inbox.take()
      t.equal(Buffer.compare(list.subarray(), Uint8Array.from(expected)), 0)
      if (kept(list) > 4 * expected.length + 16_384 + 8192) throw new Error(`${kept(list)} bytes are kept for ${expected.length}`)
      const pieces = [...list].length
      if (pieces > expected.length / 2048 + 2) throw new Error(`${pieces} pieces for ${expected.length} bytes`)
      expected = []
    }
    let buffer = new Uint8Array(0)
    let used = 0
    for (const { length, lent, from, takeAfter, again } of pushes) {
      // What follows in the same buffer, as one read brings it, or a buffer of its own.
      if (!again || used + length > buffer.length) {
        buffer = new Uint8Array(length * from)
        used = 0
      }
      const bytes = buffer.subarray(used, used += length)
      bytes.set(numbered(length, expected.length))
      inbox.push(bytes, lent)
      expected.push(...bytes)
      if (lent) bytes.fill(255)
      t.equal(inbox.bytes, expected.length)
      if (takeAfter) check()
    }
    check()
    t.equal(inbox.bytes, 0)
  }), { numRuns: 50 })
})

t.test('a list that was taken is not written to by what comes later', async t => {
  const inbox = new Inbox()
  for (let piece = 0; piece < 10; piece++) inbox.push(numbered(100, piece), false)
  const taken = inbox.take()
  const before = taken.slice()
  for (let piece = 0; piece < 10; piece++) inbox.push(new Uint8Array(100).fill(9), false)
  t.same(taken.slice(), before)
})

t.test('an outbox cuts where it is told, whatever the pieces were', async t => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), (sizes, takes) => {
    const outbox = new Outbox()
    let pushed = 0
    for (const size of sizes) {
      outbox.push(numbered(size, pushed))
      pushed += size
    }
    const got: Uint8Array[] = []
    for (let turn = 0; outbox.bytes > 0; turn++) {
      const bytes = Math.min(outbox.bytes, takes[turn % takes.length] as number)
      const before = outbox.bytes
      const pieces = outbox.take(bytes)
      got.push(...pieces)
      t.equal(before - outbox.bytes, bytes)
    }
    t.equal(outbox.pieces, 0)
    t.equal(Buffer.compare(Buffer.concat(got), numbered(pushed)), 0)
  }), { numRuns: 50 })
})

t.test('an outbox that is cleared is empty', async t => {
  const outbox = new Outbox()
  outbox.push(numbered(10))
  outbox.take(3)
  outbox.clear()
  t.equal(outbox.bytes, 0)
  outbox.push(numbered(4))
  t.same(outbox.take(4), [numbered(4)])
})

t.test('a batch keeps the order of headers and contents, and copies only what is small', async t => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 1, 100, 4096, 4097, 20_000)), { maxLength: 80 }), frames => {
    const out = new Outgoing()
    const expected: Uint8Array[] = []
    for (const [header, content] of frames) {
      const at = out.reserve(header)
      out.slab.fill(header, at, at + header)
      const piece = numbered(content)
      out.content(content > 0 ? [piece] : [])
      expected.push(new Uint8Array(header).fill(header), piece)
    }
    const whole = Buffer.concat(expected)
    t.equal(out.bytes, whole.length)
    const list = out.take()
    t.equal(Buffer.compare(list.subarray(), whole), 0)
    for (const piece of expected) if (piece.length > 4096) t.ok([...list].includes(piece), 'a large piece goes as it is')
    t.equal(out.bytes, 0)
    t.equal(out.take().byteLength, 0)
  }), { numRuns: 50 })
})

t.test('batches of many connections are gathered in the same memory, and none writes over what another has', async t => {
  const batches = Array.from({ length: 100 }, () => new Outgoing())
  const lists = [0, 1, 2].flatMap(round => batches.map((out, index) => {
    out.packet(new Uint8Array(10).fill(index))
    out.packet(new Uint8Array(10).fill(100 + round))
    return { list: out.take(), index, round }
  }))
  for (const { list, index, round } of lists) {
    t.same([...list.subarray()], [...new Array<number>(10).fill(index), ...new Array<number>(10).fill(100 + round)])
  }
  const pieces = lists.flatMap(({ list }) => [...list])
  const memories = new Set(pieces.map(({ buffer }) => buffer))
  t.ok(memories.size <= 2, `${memories.size} slabs`)
  // A batch is one piece, unless its slab ends in the middle of it: where that is depends on what was gathered before.
  t.ok(pieces.length <= lists.length + memories.size - 1, `${pieces.length} pieces of ${lists.length} batches in ${memories.size} slabs`)
})

t.test('batches that are gathered in turns keep their own', async t => {
  const [left, right] = [new Outgoing(), new Outgoing()]
  for (let number = 0; number < 50; number++) {
    left.packet(Uint8Array.of(number))
    right.packet(new Uint8Array(number % 7 === 0 ? 20_000 : 1).fill(100 + number))
    left.packet(Uint8Array.of(200))
  }
  t.same([...left.take().subarray()], Array.from({ length: 50 }, (_, number) => [number, 200]).flat())
  t.equal(right.take().subarray().filter(byte => byte < 100).length, 0)
})
