import { createHash } from 'node:crypto'
import { cuts, oneByOne } from '@ropewalk/testing'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeBase64, decodeFinal, decodePacket, decodeReadme, Deframer, describeFrame, encodeBase64, encodeFinal, encodeFrame, encodeReadme, ipcUploadInspector,
  type Frame, type Framing, type ReadmeMessage
} from '../src/codec.ts'
import { bytesOf, capture, CAPTURES, vector, VECTORS } from './recorded.ts'

const MESSAGES = VECTORS.filter(({ profile }) => profile === 'readme' || profile === 'final')
const UNREADABLE: Record<string, string> = {
  'final-bad-json': 'ERR_MALFORMED', 'final-missing-key': 'ERR_MALFORMED', 'readme-refuse-bad-data': 'ERR_BAD_DATA', 'readme-refuse-unknown-type': 'ERR_UNKNOWN_TYPE'
}
/** What we write otherwise: synonyms, extra keys, other spellings of content. */
const OTHERWISE = new Set(['final-type-byte-1', 'readme-transfer-array-of-base64', 'readme-auth-u64-and-mid-alias'])

function framingOf ({ framing }: { framing: string }): Framing {
  return framing === 'stream' ? 'stream4' : 'stream6'
}

function deframe (framing: Framing, ...chunks: Uint8Array[]): Frame[] {
  const deframer = new Deframer(framing)
  const frames = chunks.flatMap(chunk => [...deframer.push(chunk)].map(frame => ({ ...frame, payload: frame.payload.slice() })))
  deframer.end()
  return frames
}

t.test('every vector of both profiles, both ways', async t => {
  t.ok(MESSAGES.length > 30)
  for (const { name, profile, framing, hex, fields } of MESSAGES) {
    const bytes = bytesOf(hex)
    const [frame] = deframe(framingOf({ framing }), bytes) as [Frame]
    t.equal(frame.userType, fields.userType, name)
    if (framing === 'seqpacket') t.same(decodePacket(bytes), frame, name)
    const decode = (): unknown => profile === 'readme' ? decodeReadme(frame.userType, frame.payload) : decodeFinal(frame.userType, frame.payload)
    if (UNREADABLE[name] !== undefined) {
      t.throws(decode, { code: UNREADABLE[name] }, name)
      continue
    }
    const message = decode()
    if (OTHERWISE.has(name)) continue
    const { userType, payload } = profile === 'readme' ? encodeReadme(message as ReadmeMessage) : encodeFinal(message as Parameters<typeof encodeFinal>[0])
    t.equal(Buffer.from(encodeFrame(framingOf({ framing }), userType, payload)).toString('hex'), hex, name)
  }
})

t.test('content, its digests and its forms, as recorded', async t => {
  const put = decodeFinal(40, decodePacket(bytesOf(vector('final-putchunk-0').hex)).payload)
  if (put.type !== 'PutChunk') throw new Error(put.type)
  t.equal(createHash('sha256').update(put.data).digest('hex'), put.chunk.digest)
  const data = decodeBase64(put.data)
  t.equal(data.length, 1000)
  t.equal(createHash('sha256').update(data).digest('hex'), vector('final-putchunk-0').fields['dataSha256'])
  t.equal(encodeBase64(data, 60), put.data)

  for (const name of ['readme-transfer-base64', 'readme-transfer-array-of-base64', 'readme-transfer-counter']) {
    const message = decodeReadme(3, decodePacket(bytesOf(vector(name).hex)).payload)
    t.equal(message.type === 'Transfer' && Buffer.from(message.data).toString(), 'hello', name)
  }
  const numbers = decodeReadme(3, encodeReadme({ type: 'Transfer', messageId: 'm', chunk: 'c', data: Uint8Array.of(0, 128, 255) }, 'array').payload)
  t.same(numbers.type === 'Transfer' && numbers.data, Uint8Array.of(0, 128, 255))
  const large = decodeReadme(1, decodePacket(bytesOf(vector('readme-auth-u64-and-mid-alias').hex)).payload)
  t.equal(large.type === 'Authentication' && large.files[0]?.size, 18446744073709551615n)
})

t.test('the same frames come out wherever the stream is cut', async t => {
  const hello = encodeReadme({ type: 'Transfer', messageId: 'm', chunk: '3', data: new TextEncoder().encode('hello') })
  for (const framing of ['stream6', 'stream4'] as const) {
    const one = encodeFrame(framing, hello.userType, hello.payload)
    const wire = new Uint8Array([...one, ...encodeFrame(framing, 7, new Uint8Array(0)), ...one])
    const whole = deframe(framing, wire)
    t.equal(whole.length, 3)
    for (const [head, tail] of cuts(wire)) t.same(deframe(framing, head, tail), whole)
    t.same(deframe(framing, ...oneByOne(wire)), whole)
    for (let end = 1; end < one.length; end++) t.throws(() => deframe(framing, wire.subarray(0, end)), { code: 'ERR_TRUNCATED', scope: 'connection' })
  }
  for (const { name, framing, hex } of MESSAGES) {
    const bytes = bytesOf(hex)
    const [whole] = deframe(framingOf({ framing }), bytes)
    for (const [head, tail] of cuts(bytes)) {
      const deframer = new Deframer(framingOf({ framing }))
      const [frame] = [...deframer.push(head), ...deframer.push(tail)]
      if (frame === undefined || Buffer.compare(frame.payload, whole?.payload ?? new Uint8Array(0)) !== 0) return t.fail(name)
    }
  }
})

t.test('packets and frames that are wrong are refused from what is there', async t => {
  for (const [name, code] of [['frame-declares-too-much', 'ERR_BAD_LENGTH'], ['frame-trailing-bytes', 'ERR_BAD_LENGTH'], ['frame-two-in-one-packet', 'ERR_BAD_LENGTH']] as const) {
    t.throws(() => decodePacket(bytesOf(vector(name).hex)), { code, scope: 'connection', remote: true }, name)
  }
  t.same(decodePacket(bytesOf(vector('frame-empty').hex)), { libraryType: 2, userType: 7, payload: new Uint8Array(0) })
  t.throws(() => decodePacket(Uint8Array.of(2, 0, 0)), { code: 'ERR_BAD_LENGTH' })
  t.throws(() => decodePacket(bytesOf('02ffffffff00')), { code: 'ERR_TOO_LARGE' })
  t.throws(() => decodePacket(bytesOf('030000000003')), { code: 'ERR_UNKNOWN_TYPE' })
  for (const libraryType of ['00', '01', '07']) t.equal(decodePacket(bytesOf(`${libraryType}0000000003`)).userType, 3)
  t.throws(() => deframe('stream6', bytesOf('0200010001')), { code: 'ERR_TRUNCATED' })
  t.throws(() => [...new Deframer('stream6').push(bytesOf('020001000101'))], { code: 'ERR_TOO_LARGE', message: /65543 > 65542 bytes/ })
  t.throws(() => [...new Deframer('stream4').push(bytesOf('00100000'))], { code: 'ERR_TOO_LARGE' })
  t.throws(() => [...new Deframer('stream4').push(bytesOf('00000000'))], { code: 'ERR_BAD_LENGTH' })
  t.throws(() => encodeFrame('stream6', 256, new Uint8Array(0)), RangeError)
  t.throws(() => encodeFrame('stream6', 1, new Uint8Array(65_537)), RangeError)
})

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const MALFORMED: Array<[what: string, userType: number, payload: Uint8Array, code: string]> = [
  ['nothing', 1, text(''), 'ERR_MALFORMED'],
  ['not UTF-8', 1, Uint8Array.of(0x22, 0xff, 0x22), 'ERR_MALFORMED'],
  ['a list', 1, text('[]'), 'ERR_MALFORMED'],
  ['depth', 1, text(`{"message-id":${'['.repeat(60_000)}`), 'ERR_MALFORMED'],
  ['closed depth', 1, text(`{"message-id":"m","token":"t","files":${'['.repeat(30_000)}${']'.repeat(30_000)}}`), 'ERR_MALFORMED'],
  ['an endless number', 1, text(`{"message-id":"m","token":"t","files":[{"name":"a","size":${'9'.repeat(60_000)}}]}`), 'ERR_MALFORMED'],
  ['a key twice', 1, text('{"message-id":"m","token":"t","token":"u","files":[]}'), 'ERR_MALFORMED'],
  ['a key twice, once with escapes', 1, text('{"message-id":"m","token":"t","t\\u006fken" : "u","files":[]}'), 'ERR_MALFORMED'],
  ['a key twice, below', 1, text('{"message-id":"m","token":"t","files":[{"name":"a","size":1},{"name":"b","size":1,"size":2}]}'), 'ERR_MALFORMED'],
  ['a negative size', 1, text('{"message-id":"m","token":"t","files":[{"name":"a","size":-1}]}'), 'ERR_MALFORMED'],
  ['a size above 64 bits', 1, text('{"message-id":"m","token":"t","files":[{"name":"a","size":18446744073709551616}]}'), 'ERR_MALFORMED'],
  ['an id that is a number', 1, text('{"message-id":1}'), 'ERR_MALFORMED'],
  ['an id of 129 bytes', 1, text(`{"message-id":"${'m'.repeat(129)}"}`), 'ERR_MALFORMED'],
  ['an empty id', 3, text('{"message-id":"","chunk":"0","data":""}'), 'ERR_MALFORMED'],
  ['a token of 4097 characters', 1, text(`{"message-id":"m","token":"${'x'.repeat(4097)}","files":[]}`), 'ERR_MALFORMED'],
  ['a prototype for a message', 1, text('{"__proto__":{"message-id":"m"}}'), 'ERR_MALFORMED'],
  ['a response of neither kind', 2, text('{"message-id":"m","response":"Maybe"}'), 'ERR_MALFORMED'],
  ['a range backwards', 2, text('{"message-id":"m","response":"Ok","missing":[[0,2,1]]}'), 'ERR_MALFORMED'],
  ['base64 with a blank', 3, text('{"message-id":"m","chunk":"0","data":"aG Vs"}'), 'ERR_BAD_DATA'],
  ['base64 of 5 characters', 3, text('{"message-id":"m","chunk":"0","data":"aGVsb"}'), 'ERR_BAD_DATA'],
  ['base64 that goes on behind its padding', 3, text('{"message-id":"m","chunk":"0","data":"aA==aA=="}'), 'ERR_BAD_DATA'],
  ['a half byte', 3, text('{"message-id":"m","chunk":"0","data":[0.5]}'), 'ERR_BAD_DATA'],
  ['a block of 16,385 bytes', 3, text(`{"message-id":"m","chunk":"0","data":"${encodeBase64(new Uint8Array(16_385))}"}`), 'ERR_BAD_DATA']
]

t.test('malformed messages are coded errors that quote nothing', async t => {
  for (const [what, userType, payload, code] of MALFORMED) t.throws(() => decodeReadme(userType, payload), { code, name: 'IpcUploadError' }, what)
  t.match(decodeReadme(1, text('{ "message-id" : "m\\\\" , "token":"token\\":", "files":[{"name":"name","size":1},{"name":"size","size":1}], "tags":["token","token"] }')), { messageId: 'm\\', token: 'token":' })
  const deep = `{"mid":"m","id":${'['.repeat(20_000)}${']'.repeat(20_000)},"token":"t"}`
  t.throws(() => decodeFinal(0, text(deep)), { code: 'ERR_MALFORMED' })
  t.match(decodeFinal(0, text(`{"mid":"m","id":"${'x'.repeat(254)}","token":"t"}`)), { type: 'Login' })
  t.throws(() => decodeFinal(0, text(`{"mid":"m","id":"${'x'.repeat(255)}","token":"t"}`)), { code: 'ERR_MALFORMED' })
  try {
    decodeFinal(0, text('{"mid":"m","token":"SECRET" oops}'))
    t.fail('it was taken')
  } catch (error) {
    const { message, stack, cause } = error as Error
    t.notMatch(`${message} ${stack} ${String(cause)}`, /SECRET/)
  }
})

t.test('any message survives encoding, any bytes the base64', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), fc.option(fc.constant(60), { nil: undefined }), (bytes, line) => {
    const encoded = encodeBase64(bytes, line)
    if (line === undefined && encoded !== Buffer.from(bytes).toString('base64')) return false
    return Buffer.compare(decodeBase64(encoded), bytes) === 0 && Buffer.compare(decodeBase64(Buffer.from(bytes).toString('base64url')), bytes) === 0
  }))
  const id = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme-ascii' })
  fc.assert(fc.property(fc.record({ messageId: id, token: fc.string(), tags: fc.array(fc.string()), files: fc.array(fc.record({ name: fc.string(), size: fc.bigInt(0n, 2n ** 64n - 1n) })) }), message => {
    const { userType, payload } = encodeReadme({ type: 'Authentication', ...message })
    const { type: _, ...decoded } = decodeReadme(userType, payload) as unknown as Record<string, unknown>
    t.same(decoded, message)
  }), { numRuns: 50 })
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(255), (bytes, userType) => {
    for (const decode of [decodeReadme, decodeFinal]) {
      try {
        decode(userType, bytes)
      } catch (error) {
        if ((error as Error).name !== 'IpcUploadError') throw error
      }
    }
  }))
})

t.test('every recorded session is read by the inspector, and no token comes out', async t => {
  for (const name of CAPTURES) {
    for (const from of ['client', 'server']) {
      const inspection = ipcUploadInspector.open({})
      const seen: unknown[] = []
      let offset = 0
      for (const { hex = '', label } of capture(name).filter(step => step.from === from)) {
        const before = seen.length
        const read = (): void => { inspection.push(bytesOf(hex), message => { seen.push(message) }) }
        if (label === 'unknown user type' || label === 'malformed JSON' || label === 'missing key' || label === 'empty payload') {
          t.throws(read, { name: 'IpcUploadError' }, `${name}: ${label}`)
          break
        }
        read()
        t.equal(seen.length, before + 1)
        t.match(seen.at(-1), { offset, user_type: parseInt(hex.slice(10, 12), 16) })
        offset += hex.length / 2
      }
      t.notMatch(JSON.stringify(seen), /eyJ/)
    }
  }
  for (const { name, profile, hex, fields } of MESSAGES) {
    if (UNREADABLE[name] !== undefined || fields.json === undefined || profile === 'jwt') continue
    const { token: _token, data: _data, ...wanted } = fields.json
    t.match(describeFrame(profile as 'readme', decodePacket(bytesOf(hex))).json, wanted, name)
  }
  t.throws(() => ipcUploadInspector.open({ profile: 'other' }), RangeError)
})
