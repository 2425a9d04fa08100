/** The short way of TRANSFER is the long way, for whatever comes. */
import fc from 'fast-check'
import t from 'tap'
import { decodeReadme, encodeFrame, encodeReadme, type ReadmeMessage } from '../src/codec.ts'
import { frame, written } from '../src/frame-codec.ts'
import { nodeHashes } from '../src/node/index.ts'
import { decodeTransfer } from '../src/transfer-codec.ts'
import { VECTORS } from './recorded.ts'

const machine = nodeHashes.base64
if (machine === undefined) throw new Error('Node has one')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const plain = (data: string, id = 'm', chunk = 'c'): Uint8Array => bytesOf(`{"message-id":"${id}","chunk":"${chunk}","data":"${data}"}`)

/** What a reader makes of it, or its error. */
function outcome (payload: Uint8Array, fast: boolean): unknown {
  try {
    const message = decodeReadme(3, payload, fast ? machine : undefined) as ReadmeMessage & { type: 'Transfer' }
    return { ...message, data: Buffer.from(message.data).toString('hex') }
  } catch (error) {
    return { code: (error as { code: string }).code, messageId: (error as { messageId?: string }).messageId }
  }
}

t.test('content of any length is written and read alike, by the machine and by ours', async t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ minLength: 1, maxLength: 20 }), (data, id) => {
    const message: ReadmeMessage = { type: 'Transfer', messageId: id, chunk: 'c', data }
    const [slow, fast] = [encodeReadme(message).payload, encodeReadme(message, 'base64', machine).payload]
    if (Buffer.compare(slow, fast) !== 0) throw new Error('written otherwise')
    t.strictSame(outcome(fast, true), outcome(slow, false))
  }), { numRuns: 300 })
  for (const size of [16_382, 16_383, 16_384]) {
    const { payload } = encodeReadme({ type: 'Transfer', messageId: 'm', chunk: 'c', data: new Uint8Array(size).fill(size) }, 'base64', machine)
    t.equal(decodeTransfer(payload, machine)?.data.length, size)
  }
})

t.test('what is odd is read, or refused, as it always was', async t => {
  const ODD = [
    '', '=', 'A', 'AA', 'AA=', 'AA==', 'AB==', 'AAA=', 'AAB=', 'AAAA', 'AA==AA==', '====', 'A===', 'AA=A', 'A-_A', 'A+/A', 'A A=', 'A\\n==', 'AAAA\\u0041AAA', 'AA*A', 'AAAÄ', 'AA\u0000A',
    'A'.repeat(21_848), 'A'.repeat(21_852), `${'A'.repeat(21_844)}AA==`
  ]
  for (const data of ODD) t.strictSame(outcome(plain(data), true), outcome(plain(data), false), data.slice(0, 20))
  const FORMS = [
    plain('AAAA', ''), plain('AAAA', 'm', ''), plain('AAAA', 'x'.repeat(128)), plain('AAAA', 'x'.repeat(129)), plain('AAAA', 'ä'), plain('AAAA', 'a\\"b'), plain('AAAA', 'a\nb'),
    plain('AAAA","data":"BBBB'), plain('AAAA","message-id":"n'), bytesOf('{"chunk":"c","message-id":"m","data":"AAAA"}'), bytesOf('{"message-id":"m","chunk":"c","data":"AAAA"} '),
    bytesOf('{"message-id":"m","chunk":"c","data":["AAAA"]}'), bytesOf('{"mid":"m","chunk":"c","data":"AAAA"}'), bytesOf('{"message-id":"m","chunk":"c","data":"AAAA"'), bytesOf('"}'), new Uint8Array(0)
  ]
  for (const payload of FORMS) t.strictSame(outcome(payload, true), outcome(payload, false), new TextDecoder().decode(payload).slice(0, 60))
  for (const { profile, framing, hex, fields } of VECTORS) {
    if (profile !== 'readme' || fields.userType !== 3 || framing === 'none') continue
    const payload = Uint8Array.from(Buffer.from(hex, 'hex')).subarray(framing === 'stream' ? 5 : 6)
    t.strictSame(outcome(payload, true), outcome(payload, false))
  }
})

t.test('any bytes: the short way never says what the long way does not', async t => {
  const whole = plain('SGVsbG8gd29ybGQh', 'id', 'ch')
  fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
    const changed = whole.slice()
    changed[at] = byte
    t.strictSame(outcome(changed, true), outcome(changed, false))
  }), { numRuns: 2000 })
})

t.test('a header is put before the payload where there is room, and frames that are ready together make one write', async t => {
  const encoded = [1, 20, 16_384].map(size => encodeReadme({ type: 'Transfer', messageId: 'm', chunk: 'c', data: new Uint8Array(size) }))
  for (const framing of ['stream6', 'stream4', 'seqpacket'] as const) {
    const apart = encoded.map(({ userType, payload }) => Buffer.from(encodeFrame(framing, userType, payload)).toString('hex'))
    t.same(encoded.map(message => Buffer.from(frame(framing, message)).toString('hex')), apart)
    const writes = [...written(framing, encoded)].map(bytes => Buffer.from(bytes.subarray()).toString('hex'))
    t.same(writes, framing === 'stream6' ? [apart.join('')] : apart)
  }
})
