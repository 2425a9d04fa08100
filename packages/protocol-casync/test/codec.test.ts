import { chopped, collect, cuts, linear, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { MAX_FRAME_BYTES } from '../src/constants.ts'
import { CasyncError } from '../src/errors.ts'
import { encodeMessage, MessageDecoder, requestedIds, type Message } from '../src/message-codec.ts'
import { processorTime } from './processor-time.ts'
import { decodeAll, session, SESSIONS } from './sessions.ts'

const ID = 'c7'.repeat(32)

function encode (messages: readonly Message[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(messages.flatMap(encodeMessage)))
}

function frame (size: bigint, type: bigint, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head = new DataView(new ArrayBuffer(16))
  head.setBigUint64(0, size, true)
  head.setBigUint64(8, type, true)
  return Uint8Array.from(Buffer.concat([new Uint8Array(head.buffer), body]))
}

t.test('every recorded stream is decoded, and encoded again byte for byte', async t => {
  let whole = 0
  for (const { name, c2s, s2c, cut } of SESSIONS) {
    for (const [stream, bytes] of [['c2s', c2s], ['s2c', s2c]] as const) {
      const { messages, error } = decodeAll(bytes)
      const again = encode(messages)
      t.ok(Buffer.from(bytes.buffer, bytes.byteOffset, again.length).equals(again), `${name} ${stream}`)
      if (error === undefined) {
        t.equal(again.length, bytes.length)
        whole++
      } else {
        // Scripts that break the rules, and streams that ended in the middle.
        t.ok(cut === true || /^(probe|client|pull-no-index|.*hang)/.test(name), `${name} ${stream}: ${error.message}`)
        t.ok(error instanceof CasyncError)
      }
    }
  }
  t.ok(whole > 400, `${whole} streams`)
})

t.test('a stream gives the same messages wherever it is cut', async t => {
  const { s2c, c2s } = session('probe-push-ok-zstd')
  for (const bytes of [s2c, c2s]) {
    const wanted = decodeAll(bytes)
    t.equal(wanted.error, undefined)
    for (const pieces of cuts(bytes)) t.same(decodeAll(bytes, pieces), wanted)
    t.same(decodeAll(bytes, oneByOne(bytes)), wanted)
  }
  const { s2c: long } = session('pull-xz')
  const wanted = decodeAll(long)
  for (const size of [15, 17, 56, 57, 1000, 65_536]) t.same(decodeAll(long, chopped(long, [size, 1])), wanted)
})

t.test('any message comes back', async t => {
  const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'))
  const data = fc.uint8Array({ minLength: 1, maxLength: 300 })
  const message: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ type: fc.constant('HELLO' as const), flags: fc.bigInt(0n, 2n ** 64n - 1n) }),
    fc.record({ type: fc.constantFrom('INDEX' as const, 'ARCHIVE' as const), data }),
    fc.record({ type: fc.constantFrom('INDEX_EOF' as const, 'ARCHIVE_EOF' as const, 'GOODBYE' as const) }),
    fc.record({ type: fc.constant('REQUEST' as const), high: fc.boolean(), ids: fc.integer({ min: 1, max: 9 }).map(n => new Uint8Array(32 * n).fill(n)) }),
    fc.record({ type: fc.constant('CHUNK' as const), compressed: fc.boolean(), id, data }),
    fc.record({ type: fc.constant('MISSING' as const), id }),
    fc.record({ type: fc.constant('ABORT' as const), errno: fc.nat(0x7fff_fffe), reason: fc.stringMatching(/^[ -~ä-ü]*$/) })
  )
  fc.assert(fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }), (messages, pieces) => {
    const bytes = encode(messages)
    t.same(decodeAll(bytes, chopped(bytes, pieces)), { messages })
  }), { numRuns: 150 })
})

t.test('the bytes that the specification shows', async t => {
  t.equal(Buffer.from(encode([{ type: 'HELLO', flags: 0xc0n }])).toString('hex'), '1800000000000000eefba58c94d0713cc000000000000000')
  t.equal(Buffer.from(encode([{ type: 'GOODBYE' }])).toString('hex'), '1000000000000000c386361abf5d20ad')
})

const HELLO = 0x3c71_d094_8ca5_fbeen
const INDEX = 0xb32a_91dd_2b3e_27f8n
const REQUEST = 0x8ab4_27e0_f89d_9210n
const CHUNK = 0x5213_dd18_0a84_bc8cn
const ABORT = 0xe7d9_136b_7efe_a352n
const u64 = (value: bigint): Uint8Array => frame(value, 0n).subarray(0, 8)

const HOSTILE: ReadonlyArray<[string, Uint8Array, string, RegExp]> = [
  ['a frame of 0 bytes', frame(0n, HELLO), 'ERR_FRAME_SIZE', /frame of 0, not 16/],
  ['a frame of 15 bytes', frame(15n, HELLO), 'ERR_FRAME_SIZE', /frame of 15/],
  ['a frame of a byte more than 16 MiB', frame(16_777_217n, CHUNK), 'ERR_FRAME_SIZE', /16777217, not 16 \.\.\. 16777216/],
  ['a frame of 1 TiB', frame(1n << 40n, CHUNK), 'ERR_FRAME_SIZE', /1099511627776/],
  ['a frame of 2^64 - 1 bytes', frame(2n ** 64n - 1n, 5n), 'ERR_FRAME_SIZE', /18446744073709551615/],
  ['an unknown type', frame(16n, 0x1234n), 'ERR_UNKNOWN_TYPE', /0x0000000000001234/],
  ['an unknown type of 16 MiB, from its header alone', frame(16_777_216n, 0x1234n), 'ERR_UNKNOWN_TYPE', /1234/],
  ['a hello of 20 bytes', frame(20n, HELLO), 'ERR_FRAME_SIZE', /HELLO of 20 bytes/],
  ['a hello of 32 bytes', frame(32n, HELLO), 'ERR_FRAME_SIZE', /HELLO of 32/],
  ['an index without data', frame(16n, INDEX), 'ERR_FRAME_SIZE', /INDEX of 16/],
  ['a request without ids', frame(24n, REQUEST), 'ERR_FRAME_SIZE', /REQUEST of 24/],
  ['a request of an id and a bit', frame(61n, REQUEST), 'ERR_FRAME_SIZE', /REQUEST of 61/],
  ['a request with a flag that nobody defined', frame(56n, REQUEST, Buffer.concat([u64(2n), new Uint8Array(32)])), 'ERR_FLAGS', /REQUEST with the flags 0x2/],
  ['a chunk without data', frame(56n, CHUNK), 'ERR_FRAME_SIZE', /CHUNK of 56/],
  ['a chunk with a flag that nobody defined', frame(57n, CHUNK, Buffer.concat([u64(1n << 63n), new Uint8Array(33)])), 'ERR_FLAGS', /0x8000000000000000/],
  ['an abort without its NUL', frame(25n, ABORT, Buffer.concat([u64(5n), Buffer.from('x')])), 'ERR_FLAGS', /no text/],
  ['an abort with a line feed', frame(27n, ABORT, Buffer.concat([u64(5n), Buffer.from('x\n\0')])), 'ERR_FLAGS', /no text/],
  ['an abort with a number too high', frame(25n, ABORT, Buffer.concat([u64(0x7fff_ffffn), Buffer.from('\0')])), 'ERR_FLAGS', /2147483647 >= 2147483647/],
  ['an end inside a header', frame(24n, HELLO).subarray(0, 9), 'ERR_TRUNCATED', /9 < 16 bytes/],
  ['an end inside a body', frame(24n, HELLO, Uint8Array.of(1, 2)), 'ERR_TRUNCATED', /HELLO: 18 < 24 bytes/]
]

for (const [what, bytes, code, message] of HOSTILE) {
  t.test(`refuses ${what}, however it is cut, and delivers what came before`, async t => {
    const before: Message[] = [{ type: 'MISSING', id: ID }]
    const stream = Buffer.concat([encode(before), bytes])
    for (const pieces of [[stream], oneByOne(stream), ...cuts(stream)]) {
      const { messages, error } = decodeAll(stream, pieces)
      t.same(messages, before)
      t.match(error, { code, message, scope: 'channel', remote: true, offset: 48 })
    }
  })
}

t.test('after an error it goes on throwing it', async t => {
  const decoder = new MessageDecoder()
  t.throws(() => [...decoder.push(frame(3n, HELLO))], { code: 'ERR_FRAME_SIZE' })
  t.throws(() => [...decoder.push(encode([{ type: 'GOODBYE' }]))], { code: 'ERR_FRAME_SIZE' })
  t.throws(() => { decoder.end() }, { code: 'ERR_FRAME_SIZE' })
})

t.test('a frame of exactly 16 MiB is taken and made; one byte more is neither', async t => {
  const data = new Uint8Array(MAX_FRAME_BYTES - 56).fill(7)
  const bytes = encode([{ type: 'CHUNK', compressed: false, id: ID, data }])
  t.equal(bytes.length, MAX_FRAME_BYTES)
  const { messages } = decodeAll(bytes, chopped(bytes, [100_000]))
  t.equal(messages.length, 1)
  t.throws(() => encodeMessage({ type: 'CHUNK', compressed: false, id: ID, data: new Uint8Array(data.length + 1) }), RangeError)
})

t.test('refuses to make what would be no message', async t => {
  t.throws(() => encodeMessage({ type: 'INDEX', data: new Uint8Array(0) }), RangeError)
  t.throws(() => encodeMessage({ type: 'REQUEST', high: false, ids: new Uint8Array(33) }), RangeError)
  t.throws(() => encodeMessage({ type: 'ABORT', errno: 0x7fff_ffff, reason: '' }), RangeError)
  t.throws(() => encodeMessage({ type: 'MISSING', id: 'c7' }))
  const [bytes] = encodeMessage({ type: 'ABORT', errno: 5, reason: 'a\nb\u0000c\u202ed\u009b' })
  t.same(decodeAll(bytes as Uint8Array).messages, [{ type: 'ABORT', errno: 5, reason: 'a b c d ' }], 'control characters do not travel')
})

t.test('a bit flipped anywhere gives other messages, or an error at its place', async t => {
  const bytes = encode([{ type: 'HELLO', flags: 0xc0n }, { type: 'REQUEST', high: true, ids: new Uint8Array(64).fill(9) }, { type: 'CHUNK', compressed: true, id: ID, data: Uint8Array.of(1, 2, 3) }, { type: 'ABORT', errno: 5, reason: 'no' }, { type: 'GOODBYE' }])
  const { messages: wanted } = decodeAll(bytes)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ 1 << (bit & 7)
    const { messages, error } = decodeAll(flipped)
    if (error === undefined) t.notSame(messages, wanted, `bit ${bit}`)
    else t.ok(error instanceof CasyncError && (error.offset as number) <= bit >> 3 || /REQUEST|byte/.test(error.message), `bit ${bit}: ${error.message}`)
  }
})

t.test('ids of a request', async t => {
  t.same([...requestedIds(Buffer.concat([new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]))], ['01'.repeat(32), '02'.repeat(32)])
})

t.test('time is linear, and no memory is taken by claim', async t => {
  const bytes = await collect(function * () { for (let i = 0; i < 4000; i++) yield * encodeMessage({ type: 'CHUNK', compressed: false, id: ID, data: new Uint8Array(100) }) }())
  const { exponent } = await linear(size => processorTime(() => { decodeAll(bytes, oneByOne(bytes.subarray(0, Math.floor(size / 156) * 156))) }), { sizes: [60_000, 600_000] })
  t.ok(exponent < 1.3, `exponent ${exponent}`)
  const before = process.memoryUsage().arrayBuffers
  const decoders = Array.from({ length: 100 }, () => {
    const decoder = new MessageDecoder()
    for (const _ of decoder.push(frame(16_777_216n, CHUNK, new Uint8Array(100)))) continue
    return decoder
  })
  t.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024, `${decoders.length} frames of 16 MiB were announced`)
})
