import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FrameCutter, type FrameCutterOptions } from '../src/index.ts'
import { assertLinear } from './linear.ts'

/** The shapes that the protocols have: a plain prefix, casync's header, libipc's header, and two odd ones. */
const SHAPES: FrameCutterOptions[] = [
  { lengthBytes: 4, littleEndian: true },
  { lengthBytes: 8, littleEndian: true, headerBytes: 16, lengthIncludesHeader: true },
  { lengthBytes: 4, lengthOffset: 1, headerBytes: 6 },
  { lengthBytes: 1 },
  { lengthBytes: 2, lengthOffset: 3, lengthIncludesHeader: true },
  { lengthBytes: 8 },
  { lengthBytes: 2, littleEndian: true }
]

/** A frame with `payload` bytes in it, made by an oracle that shares nothing with the cutter. */
function frame (shape: FrameCutterOptions, payload: Uint8Array): Uint8Array {
  const offset = shape.lengthOffset ?? 0
  const header = shape.headerBytes ?? offset + shape.lengthBytes
  const bytes = new Uint8Array(header + payload.length).fill(0xee)
  bytes.set(payload, header)
  let rest = BigInt(shape.lengthIncludesHeader === true ? bytes.length : payload.length)
  for (let n = 0; n < shape.lengthBytes; n++) {
    bytes[shape.littleEndian === true ? offset + n : offset + shape.lengthBytes - 1 - n] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

function cutAll (shape: FrameCutterOptions, chunks: Uint8Array[]): Uint8Array[] {
  const cutter = new FrameCutter(shape)
  // Each chunk is overwritten afterwards: what the cutter keeps must be its own.
  const frames = chunks.flatMap(chunk => {
    const lent = chunk.slice()
    const cut = [...cutter.push(lent)].map(bytes => bytes.slice())
    lent.fill(0x55)
    return cut
  })
  cutter.end()
  return frames
}

t.test('cuts the same frames however the stream is chunked', async t => {
  for (const shape of SHAPES) {
    t.doesNotThrow(() => fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (payloads, sizes) => {
      const frames = payloads.map(payload => frame(shape, payload))
      const stream = Uint8Array.from(frames.flatMap(bytes => [...bytes]))
      const chunks: Uint8Array[] = []
      for (let at = 0, n = 0; at < stream.length; n++) {
        const size = sizes[n % sizes.length] as number
        chunks.push(stream.subarray(at, at + size))
        at += size
      }
      assert.deepEqual(cutAll(shape, chunks), frames)
    })), JSON.stringify(shape))
  }
})

t.test('cuts the same frames at every single cut, and from single bytes', async t => {
  for (const shape of SHAPES) {
    const frames = [frame(shape, Uint8Array.of(1, 2, 3)), frame(shape, new Uint8Array(0)), frame(shape, Uint8Array.of(4))]
    const stream = Uint8Array.from(frames.flatMap(bytes => [...bytes]))
    for (let cut = 0; cut <= stream.length; cut++) assert.deepEqual(cutAll(shape, [stream.subarray(0, cut), stream.subarray(cut)]), frames)
    t.same(cutAll(shape, Array.from(stream, byte => Uint8Array.of(byte))), frames, JSON.stringify(shape))
  }
})

t.test('a frame that lies in one chunk is a view of it', async t => {
  const chunk = Uint8Array.of(2, 7, 8, 1, 9)
  const frames = [...new FrameCutter({ lengthBytes: 1 }).push(chunk)]
  t.same(frames.map(bytes => [...bytes]), [[2, 7, 8], [1, 9]])
  t.ok(frames.every(bytes => bytes.buffer === chunk.buffer))
})

for (const [what, options, wire, error] of [
  ['a frame one byte too large', { lengthBytes: 2, maxFrameBytes: 10 }, [0, 9], { code: 'ERR_TOO_LARGE', message: 'frame too large: 11 > 10 bytes' }],
  ['one byte too large where the header counts', { lengthBytes: 2, lengthIncludesHeader: true, maxFrameBytes: 10 }, [0, 11], { code: 'ERR_TOO_LARGE', message: 'frame too large: 11 > 10 bytes' }],
  ['a length of 2^64 - 1', { lengthBytes: 8 }, [255, 255, 255, 255, 255, 255, 255, 255], { code: 'ERR_TOO_LARGE' }],
  ['a length of 2^64 - 1, little-endian, with header', { lengthBytes: 8, littleEndian: true, lengthIncludesHeader: true }, [255, 255, 255, 255, 255, 255, 255, 255], { code: 'ERR_TOO_LARGE' }],
  ['a length of 2^62 where only the high half is set', { lengthBytes: 8 }, [64, 0, 0, 0, 0, 0, 0, 0], { code: 'ERR_TOO_LARGE' }],
  ['a length over 2^31', { lengthBytes: 4 }, [128, 0, 0, 0], { code: 'ERR_TOO_LARGE', message: 'frame too large: 2147483652 > 1048576 bytes' }],
  ['a length that does not cover the header', { lengthBytes: 8, littleEndian: true, headerBytes: 16, lengthIncludesHeader: true }, [15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], { code: 'ERR_BAD_LENGTH', message: 'length does not cover its header: 15 < 16 bytes' }],
  ['a length of 0 that should count the header', { lengthBytes: 1, lengthIncludesHeader: true }, [0], { code: 'ERR_BAD_LENGTH' }]
] as Array<[string, FrameCutterOptions, number[], { code: string, message?: string }]>) {
  t.test(`refuses ${what}, from the header alone, and goes on refusing`, async t => {
    for (const chunks of [[Uint8Array.from(wire)], wire.map(byte => Uint8Array.of(byte))]) {
      const cutter = new FrameCutter({ ...options, scope: 'connection' })
      for (const chunk of chunks.slice(0, -1)) t.same([...cutter.push(chunk)], [])
      t.throws(() => [...cutter.push(chunks.at(-1) as Uint8Array)], { ...error, scope: 'connection', remote: true })
      t.throws(() => [...cutter.push(Uint8Array.of(0))], error)
      t.throws(() => cutter.end(), error)
    }
  })
}

t.test('delivers the frames before a bad one', async t => {
  const frames = new FrameCutter({ lengthBytes: 1, maxFrameBytes: 3 }).push(Uint8Array.of(2, 5, 6, 9))
  t.same(frames.next().value, Uint8Array.of(2, 5, 6))
  t.throws(() => frames.next(), { code: 'ERR_TOO_LARGE' })
})

t.test('a stream may only end between frames', async t => {
  const shape: FrameCutterOptions = { lengthBytes: 2, headerBytes: 4 }
  const bytes = frame(shape, Uint8Array.of(1, 2, 3))
  for (let length = 0; length <= bytes.length; length++) {
    const cutter = new FrameCutter(shape)
    for (const _ of cutter.push(bytes.subarray(0, length)));
    if (length === 0 || length === bytes.length) t.equal(cutter.end(), undefined)
    else t.throws(() => cutter.end(), { code: 'ERR_TRUNCATED', got: length, wanted: length < 4 ? 4 : 7 }, `after ${length} bytes`)
  }
})

t.test('refuses nonsense from the caller', async t => {
  for (const options of [
    { lengthBytes: 3 }, { lengthBytes: 4, lengthOffset: -1 }, { lengthBytes: 4, headerBytes: 3 }, { lengthBytes: 4, lengthOffset: 2, headerBytes: 5 },
    { lengthBytes: 4, maxFrameBytes: 3 }, { lengthBytes: 4, maxFrameBytes: NaN }
  ]) t.throws(() => new FrameCutter(options as FrameCutterOptions), RangeError, JSON.stringify(options))
})

t.test('takes time linear in the size of a frame that comes byte by byte, and of many small ones', async t => {
  assertLinear(t, 'one frame', n => {
    const cutter = new FrameCutter({ lengthBytes: 4 })
    for (const _ of cutter.push(Uint8Array.of(0, n >>> 16, n >>> 8, n)));
    const byte = Uint8Array.of(1)
    let frames = 0
    for (let sent = 0; sent < n; sent++) if (cutter.cut(byte, 0) !== undefined) frames++
    assert.equal(frames, 1)
  })
  assertLinear(t, 'many frames in one chunk', n => {
    let frames = 0
    for (const _ of new FrameCutter({ lengthBytes: 1 }).push(new Uint8Array(n))) frames++
    assert.equal(frames, n)
  })
})
