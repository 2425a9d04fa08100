import { readFileSync } from 'node:fs'
import { chopped, cuts, hexdump, linear, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import { commitAction, decodePacket, Deframer, encodeFragment, encodePacket, Kind, MdsftpError, SEED, UPSTREAM, type ControlPacket, type Profile } from '../src/codec.ts'
import { bytesOf, MALFORMED, packetOf, profileOf, VECTORS } from './vectors.ts'

type Seen =
  | { kind: number, channel: number, payload: string }
  | { channel: number, last: boolean, number: number, content: string }

/** Deframes `chunks`, each overwritten as soon as it was pushed: nothing may be kept of what is only lent. */
function deframe (profile: Profile, chunks: Iterable<Uint8Array>, end = true): Seen[] {
  const seen: Seen[] = []
  let fragment: { channel: number, last: boolean, number: number, content: string } | undefined
  const deframer = new Deframer(profile)
  for (const chunk of chunks) {
    const lent = chunk.slice()
    deframer.push(lent, {
      packet: (kind, channel, payload) => seen.push({ kind, channel, payload: hex(payload) }),
      fragment: (channel, last, number, contentBytes) => {
        fragment = { channel, last, number, content: '' }
        if (contentBytes === 0) seen.push(fragment)
      },
      content: (bytes, complete) => {
        if (fragment === undefined) throw new Error('content before its fragment')
        fragment.content += hex(bytes)
        if (complete) seen.push(fragment)
      }
    })
    lent.fill(0xee)
  }
  if (end) deframer.end()
  return seen
}

function hex (bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

t.test('every vector of the original decodes to its fields', async t => {
  for (const vector of VECTORS) {
    const profile = profileOf(vector)
    const [seen, ...rest] = deframe(profile, [bytesOf(vector)])
    t.equal(rest.length, 0, vector.name)
    if (vector.fields.packet === 'FileChunk') {
      const { stream_id: channel, is_last: last, fragment_id: number, content_hex: content } = vector.fields
      t.same(seen, { channel, last, number, content }, vector.name)
    } else {
      if (seen === undefined || !('payload' in seen)) throw new Error(vector.name)
      t.equal(seen.channel, vector.fields.stream_id, vector.name)
      t.same(decodePacket(profile, seen.kind, hexdump(seen.payload)), packetOf(vector), vector.name)
    }
  }
})

t.test('every vector that an encoder may produce is produced, byte for byte', async t => {
  for (const vector of VECTORS.filter(each => each.decode_only !== true)) {
    const { stream_id: channel, fragment_id: number, is_last: last, content_hex: content } = vector.fields
    const bytes = vector.fields.packet === 'FileChunk'
      ? encodeFragment(channel, last as boolean, number as number, hexdump(content as string))
      : encodePacket(profileOf(vector), channel, packetOf(vector))
    t.equal(hex(bytes), vector.hex, vector.name)
  }
})

t.test('every vector is the same wherever the stream is cut', async t => {
  for (const profile of [UPSTREAM, SEED]) {
    const vectors = VECTORS.filter(vector => profileOf(vector) === profile)
    for (const vector of vectors) {
      const bytes = bytesOf(vector)
      const whole = deframe(profile, [bytes])
      for (const parts of cuts(bytes)) t.strictSame(deframe(profile, parts), whole, vector.name)
    }
    const stream = hexdump(vectors.map(vector => vector.hex).join(''))
    const whole = deframe(profile, [stream])
    t.equal(whole.length, vectors.length)
    t.strictSame(deframe(profile, oneByOne(stream)), whole)
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), sizes => {
      t.strictSame(deframe(profile, chopped(stream, sizes)), whole)
    }), { numRuns: 50 })
  }
})

const CODES: Record<string, string> = {
  unknown_packet_type: 'ERR_UNKNOWN_KIND',
  bad_payload_size: 'ERR_PAYLOAD_LENGTH',
  payload_too_large: 'ERR_PAYLOAD_TOO_LARGE',
  empty_fragment: 'ERR_EMPTY_FRAGMENT',
  truncated_header: 'ERR_TRUNCATED'
}

t.test('every malformed frame is refused with its code, at one byte a time too', async t => {
  for (const bad of MALFORMED.filter(({ layer }) => layer === 'frame')) {
    const profile = profileOf(bad)
    const bytes = bytesOf(bad)
    if (bad.expect === 'eof' || bad.name === 'FileChunk empty content, last (5 byte payload)') {
      // An end between packets is clean, and a bare last fragment is taken when receiving (specification section 4.6).
      t.doesNotThrow(() => deframe(profile, [bytes]), bad.name)
      continue
    }
    const code = CODES[bad.expect]
    t.ok(code, bad.expect)
    t.throws(() => deframe(profile, [bytes]), { code, scope: 'connection', remote: true }, bad.name)
    t.throws(() => deframe(profile, oneByOne(bytes)), { code, scope: 'connection', remote: true }, bad.name)
  }
})

t.test('a length is refused on the header alone, before any payload', async t => {
  for (const [header, code] of [
    ['01 00000001 ffffffff', 'ERR_PAYLOAD_TOO_LARGE'],
    ['01 00000001 01000006', 'ERR_PAYLOAD_TOO_LARGE'],
    ['06 00000001 ffffffff', 'ERR_PAYLOAD_LENGTH'],
    ['80 00000001 00000001', 'ERR_PAYLOAD_LENGTH']
  ] as const) t.throws(() => deframe(UPSTREAM, [hexdump(header)], false), { code })
  t.doesNotThrow(() => deframe(UPSTREAM, [hexdump('01 00000001 01000005')], false), '16 MiB is allowed')
})

t.test('after a breach nothing more is taken', async t => {
  const deframer = new Deframer(UPSTREAM)
  const sink = { packet: () => t.fail('a packet'), fragment: () => t.fail('a fragment'), content: () => t.fail('content') }
  t.throws(() => deframer.push(hexdump('7f 00000001 00000000'), sink), { code: 'ERR_UNKNOWN_KIND' })
  t.throws(() => deframer.push(hexdump('80 00000001 00000000'), sink), MdsftpError)
})

t.test('packets before a breach in the same chunk are delivered', async t => {
  const seen: number[] = []
  const deframer = new Deframer(UPSTREAM)
  t.throws(() => deframer.push(hexdump('80 00000001 00000000 ff 00000000 00000000'), { packet: kind => seen.push(kind), fragment: () => {}, content: () => {} }))
  t.same(seen, [Kind.ChannelOpen])
})

t.test('the stream may only end between packets', async t => {
  const wire = encodeFragment(1, false, 0, new Uint8Array(3))
  for (let end = 1; end < wire.length; end++) t.throws(() => deframe(UPSTREAM, [wire.subarray(0, end)]), { code: 'ERR_TRUNCATED' }, `${end} bytes`)
  t.doesNotThrow(() => deframe(UPSTREAM, [wire]))
})

t.test('what is encoded decodes to itself', async t => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(hex)
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
  const flag = fc.boolean()
  const packet: fc.Arbitrary<ControlPacket> = fc.oneof(
    fc.record({ type: fc.constant('Put' as const), append: flag, chunkId: id, size: u64 }),
    fc.record({ type: fc.constant('Reserve' as const), flags: fc.record({ autoStart: flag, durable: flag, temp: flag, overwrite: flag }), size: u64, fileId: id, bucketId: id }),
    fc.record({ type: fc.constant('Retrieve' as const), chunkId: id, chunkBuffer: fc.nat(65535), range: fc.option(fc.record({ start: u64, end: u64.map(end => end | 1n) }), { nil: undefined }) }),
    fc.record({ type: fc.constant('Commit' as const), flags: fc.record({ reject: flag, keepAlive: flag, final: flag }), chunkId: id }),
    fc.record({ type: fc.constant('RecvAck' as const), number: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
    fc.record({ type: fc.constant('QueryResponse' as const), exists: flag, size: u64 })
  )
  fc.assert(fc.property(packet, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (packet, channel) => {
    const [seen] = deframe(UPSTREAM, [encodePacket(UPSTREAM, channel, packet)])
    if (seen === undefined || !('payload' in seen)) throw new Error('no packet')
    t.equal(seen.channel, channel)
    t.same(decodePacket(UPSTREAM, seen.kind, hexdump(seen.payload)), packet)
  }))
})

t.test('any bytes give packets or one coded error, never anything else', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
    try {
      deframe(UPSTREAM, [bytes])
    } catch (error) {
      t.ok(error instanceof MdsftpError && error.code.startsWith('ERR_'))
    }
  }), { numRuns: 500 })
})

t.test('a packet that the profile does not have is the caller\'s mistake', async t => {
  t.throws(() => encodePacket(SEED, 1, { type: 'CommitOk' }), RangeError)
  t.throws(() => encodePacket(SEED, 1, { type: 'Retrieve', chunkId: '0'.repeat(32), chunkBuffer: 1, range: { start: 0n, end: 1n } }), RangeError)
  t.throws(() => encodePacket(UPSTREAM, 1, { type: 'Query', chunkId: 'xyz' }))
})

t.test('final goes before keep-alive, keep-alive before reject', async t => {
  for (const vector of VECTORS.filter(({ fields }) => fields.packet === 'Commit' && fields.effective !== undefined)) {
    const packet = packetOf(vector)
    t.equal(packet.type === 'Commit' && commitAction(packet.flags), vector.fields.effective, vector.name)
  }
})

t.test('deframing is linear in one-byte chunks', async t => {
  const sink = { packet: () => {}, fragment: () => {}, content: () => {} }
  const growth = await linear(size => {
    const deframer = new Deframer(UPSTREAM)
    const wire = encodeFragment(1, true, 0, new Uint8Array(size))
    const before = process.cpuUsage()
    for (let at = 0; at < wire.length; at++) deframer.push(wire.subarray(at, at + 1), sink)
    // Processor time: what else the machine does is not counted.
    const { user, system } = process.cpuUsage(before)
    return user + system
  }, { sizes: [50_000, 100_000, 200_000, 400_000] })
  t.ok(growth.exponent < 1.7, `cost grows with size to the power of ${growth.exponent}`)
})

t.test('WIRE.md says the same as the constants', async t => {
  const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| (\w+) +\| `(0x[\da-f]{2})` +\| ([\d≥ ]+|—) *\| ([\d≥ ]+|—) *\|/gm)]
  t.same(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)])), Kind)
  for (const [, name = '', value, seed = '', upstream = ''] of rows) {
    for (const [profile, text] of [[SEED, seed], [UPSTREAM, upstream]] as const) {
      if (name === 'FileChunk') continue
      t.equal(profile.lengths.get(Number(value)), text.trim() === '—' ? undefined : Number(text), `${name} ${profile.name}`)
    }
  }
})
