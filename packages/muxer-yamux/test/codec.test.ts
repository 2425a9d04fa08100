import { readFileSync } from 'node:fs'
import { cuts, hexdump, linear, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { Deframer, encodeHeader, Flag, FrameType, GoAwayReason, writeHeader, type YamuxError } from '../src/codec.ts'

interface Seen { type: number, flags: number, stream: number, length: number, content?: number[] }

/** Deframes `chunks`, each overwritten as soon as it was pushed: nothing may be kept of what is only lent. */
function deframe (chunks: Iterable<Uint8Array>): Seen[] {
  const seen: Seen[] = []
  const deframer = new Deframer()
  for (const chunk of chunks) {
    const lent = chunk.slice()
    deframer.push(lent, {
      frame: (type, flags, stream, length) => seen.push({ type, flags, stream, length, ...type === FrameType.Data && length > 0 ? { content: [] } : {} }),
      content: (bytes, complete) => {
        const frame = seen.at(-1) as Seen & { content: number[] }
        frame.content.push(...bytes)
        if (complete !== (frame.content.length === frame.length)) throw new Error('complete with the last byte, and only then')
      }
    })
    lent.fill(0xee)
  }
  deframer.end()
  return seen
}

/** A conversation written by hand from the specification. */
const WIRE = hexdump(`
  00 01 0001 00000001 00000000    # window update, SYN: stream 1 opens
  00 01 0002 00000001 00040000    # window update, ACK: accepted, and 262144 more
  00 00 0000 00000001 00000003    # data, three bytes
     68 65 79
  00 00 0005 00000003 00000001    # data, SYN and FIN: stream 3 opens, says one byte and ends
     ff
  00 00 0004 00000001 00000000    # data, FIN: an end without data
  00 01 0008 fffffffe 00000000    # window update, RST: the last even stream is broken off
  00 02 0001 00000000 deadbeef    # ping
  00 02 0002 00000000 deadbeef    # pong
  00 03 0000 00000000 00000001    # go away: protocol error
`)
const FRAMES: Seen[] = [
  { type: 1, flags: 1, stream: 1, length: 0 },
  { type: 1, flags: 2, stream: 1, length: 262_144 },
  { type: 0, flags: 0, stream: 1, length: 3, content: [0x68, 0x65, 0x79] },
  { type: 0, flags: 5, stream: 3, length: 1, content: [0xff] },
  { type: 0, flags: 4, stream: 1, length: 0 },
  { type: 1, flags: 8, stream: 0xffff_fffe, length: 0 },
  { type: 2, flags: 1, stream: 0, length: 0xdead_beef },
  { type: 2, flags: 2, stream: 0, length: 0xdead_beef },
  { type: 3, flags: 0, stream: 0, length: 1 }
]

t.test('the golden frames decode, wherever the stream is cut', async t => {
  t.same(deframe([WIRE]), FRAMES)
  t.same(deframe(oneByOne(WIRE)), FRAMES)
  for (const pieces of cuts(WIRE)) t.same(deframe(pieces), FRAMES)
})

t.test('the golden frames are what we encode', async t => {
  t.same(Buffer.concat(FRAMES.flatMap(({ type, flags, stream, length, content = [] }) => [encodeHeader(type, flags, stream, length), Uint8Array.from(content)])), Buffer.from(WIRE))
  const into = new Uint8Array(14).fill(0xaa)
  writeHeader(into, 1, 1, 2, 0x0102_0304, 0xfffe_fdfc)
  t.same(into, hexdump('aa 00 01 0002 01020304 fffefdfc aa'))
})

t.test('any frames, in any pieces', async t => {
  const frame = fc.record({ type: fc.integer({ min: 0, max: 3 }), flags: fc.integer({ min: 0, max: 15 }), stream: fc.integer({ min: 0, max: 0xffff_ffff }), length: fc.integer({ min: 0, max: 0xffff_ffff }), content: fc.uint8Array({ maxLength: 50 }) })
  fc.assert(fc.property(fc.array(frame, { maxLength: 20, size: 'max' }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, sizes) => {
    const expected = frames.map(({ type, flags, stream, length, content }): Seen => type !== FrameType.Data ? { type, flags, stream, length } : { type, flags, stream, length: content.length, ...content.length > 0 ? { content: [...content] } : {} })
    const wire = Buffer.concat(expected.flatMap(({ type, flags, stream, length, content = [] }) => [encodeHeader(type, flags, stream, length), Uint8Array.from(content)]))
    const pieces: Uint8Array[] = []
    for (let at = 0, turn = 0; at < wire.length; turn++) pieces.push(wire.subarray(at, at += sizes[turn % sizes.length] as number))
    t.same(deframe(pieces), expected)
  }))
})

t.test('M10: a header that is none is refused when its last byte comes, and what was before it is not lost', async t => {
  for (const [what, wire, code] of [
    ['version 1', '01 00 0000 00000001 00000000', 'ERR_VERSION'],
    ['type 4', '00 04 0000 00000001 00000000', 'ERR_UNKNOWN_TYPE'],
    ['type 255', '00 ff 0000 00000001 00000000', 'ERR_UNKNOWN_TYPE'],
    ['flag 0x10', '00 00 0010 00000001 00000000', 'ERR_FLAGS'],
    ['flag 0x8000', '00 01 8000 00000001 00000000', 'ERR_FLAGS']
  ] as const) {
    for (const pieces of [[hexdump(wire)], [...oneByOne(hexdump(wire))]]) {
      const deframer = new Deframer()
      let frames = 0
      const sink = { frame: () => { frames++ }, content: () => {} }
      deframer.push(hexdump('00 02 0001 00000000 00000007'), sink)
      const error = (() => { try { for (const piece of pieces) deframer.push(piece, sink) } catch (error) { return error as YamuxError } })()
      t.match(error, { code, scope: 'connection', remote: true }, what)
      t.equal(frames, 1)
    }
  }
})

t.test('M9: a length that lies costs nothing, and an end inside a frame is a truncation', async t => {
  const before = process.memoryUsage().arrayBuffers
  const deframer = new Deframer()
  const lengths: number[] = []
  const sink = { frame: (_type: number, _flags: number, _stream: number, length: number) => { lengths.push(length) }, content: () => {} }
  deframer.push(hexdump('00 00 0000 00000001 ffffffff'), sink)
  deframer.push(new Uint8Array(1000), sink)
  t.same(lengths, [0xffff_ffff], 'and is not negative')
  t.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
  t.throws(() => deframer.end(), { code: 'ERR_TRUNCATED', message: /4294966295/ })

  for (const cut of [1, 6, 11]) {
    const cutOff = new Deframer()
    cutOff.push(hexdump('00 00 0000 00000001 00000000').subarray(0, cut), sink)
    t.throws(() => cutOff.end(), { code: 'ERR_TRUNCATED' })
  }
})

t.test('time is linear in what arrives, down to single bytes', async t => {
  const { exponent } = await linear(size => {
    const deframer = new Deframer()
    let bytes = 0
    const sink = { frame: () => {}, content: (piece: Uint8Array) => { bytes += piece.length } }
    const wire = Buffer.concat([encodeHeader(0, 0, 1, size), new Uint8Array(size)])
    const before = process.cpuUsage()
    for (let at = 0; at < wire.length; at++) deframer.push(wire.subarray(at, at + 1), sink)
    // Processor time: what else the machine does is not counted.
    const { user, system } = process.cpuUsage(before)
    if (bytes !== size) throw new Error(`${bytes} bytes`)
    return user + system
  }, { sizes: [20_000, 60_000, 180_000] })
  t.ok(exponent < 1.35, `exponent ${exponent}`)
})

t.test('the tables of WIRE.md are those of the code', async t => {
  const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')
  const rows = Object.fromEntries(Array.from(text.matchAll(/^\| (\w+) \| `(0x[\da-f]+)` \|/gm), ([, name, value]) => [name, Number(value)]))
  t.same(rows, { ...FrameType, ...Flag, ...GoAwayReason })
})
