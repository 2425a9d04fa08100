import { hexdump } from '@ropewalk/testing'
import t from 'tap'
import { sameToken } from '../src/index.ts'
import { decodePacket, decodePreamble, Deframer, describePacket, encodePreamble, StorageError, writeFragmentHeader, type ControlPacket, type FragmentHead } from '../src/codec.ts'
import { bytesOf, FILE, profileOf, type Vector } from './vectors.ts'

function decode (vector: Vector): { channel: number, packet: ControlPacket | FragmentHead } {
  let found: { channel: number, packet: ControlPacket | FragmentHead } | undefined
  new Deframer(profileOf(vector)).push(bytesOf(vector), {
    packet: (kind, channel, payload) => { found = { channel, packet: decodePacket(profileOf(vector), kind, payload) } },
    fragment: (channel, last, number, contentBytes) => { found = { channel, packet: { type: 'FileChunk', last, number, contentBytes } } },
    content: () => {}
  })
  if (found === undefined) throw new Error(vector.name)
  return found
}

t.test('every vector is described by the names of its fields', async t => {
  for (const vector of FILE.vectors) {
    const { content_hex: content, ...fields } = vector.fields
    const { channel, packet } = decode(vector)
    t.same(describePacket(profileOf(vector), channel, packet), fields, vector.name)
    if (content !== undefined) t.equal(packet.type === 'FileChunk' && packet.contentBytes, content.length / 2, vector.name)
  }
})

t.test('a fragment header is the recorded one for every size', async t => {
  for (const { name, hex, content_bytes: content, payload_size: payload } of FILE.fragment_headers) {
    const header = new Uint8Array(14)
    writeFragmentHeader(header, 0, 7, false, 0, content)
    t.equal(Buffer.from(header).toString('hex'), hex, name)
    t.equal(payload, content + 5)
  }
})

t.test('every preamble, both ways', async t => {
  for (const { name, hex, fields } of FILE.preambles) {
    const preamble = { nodeId: fields.node_id.replaceAll('-', ''), ...(fields.token === null ? {} : { token: fields.token }) }
    t.equal(Buffer.from(encodePreamble(preamble)).toString('hex'), hex, name)
    t.same(decodePreamble(hexdump(hex), fields.token !== null), preamble, name)
  }
})

t.test('a preamble that is cut anywhere, or holds no token, is refused', async t => {
  const bytes = encodePreamble({ nodeId: '0'.repeat(32), token: 'a'.repeat(64) })
  for (let end = 0; end < bytes.length; end++) t.throws(() => decodePreamble(bytes.subarray(0, end), true), { code: 'ERR_TRUNCATED', scope: 'connection' })
  for (const byte of [0x00, 0x2d, 0x5b, 0x7f, 0xc3]) {
    const bad = bytes.slice()
    bad[40] = byte
    t.throws(() => decodePreamble(bad, true), { code: 'ERR_TOKEN' })
  }
  for (const token of ['', 'a'.repeat(63), 'a'.repeat(65), '-'.repeat(64), 'é'.repeat(64)]) t.throws(() => encodePreamble({ nodeId: '0'.repeat(32), token }), RangeError)
  t.throws(() => encodePreamble({ nodeId: 'xyz' }))
  t.notMatch(new StorageError('ERR_TOKEN', 'connection', 'x').message, /a{64}/)
})

t.test('tokens are the same or not, and only tokens are', async t => {
  const token = 'Ab3'.repeat(21) + 'z'
  t.equal(sameToken(token, `${token}`), true)
  for (let at = 0; at < 64; at++) t.equal(sameToken(token, token.slice(0, at) + '-' + token.slice(at + 1)), false)
  for (const other of ['', token.slice(1), `${token}z`]) {
    t.equal(sameToken(token, other), false)
    t.equal(sameToken(other, other), false, 'what is no token opens nothing')
  }
})
