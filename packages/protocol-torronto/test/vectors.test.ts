import assert from 'node:assert'
import t from 'tap'
import { AS_IMPLEMENTED, decodeFrame, decodeMessage, decodeStatus, DOCUMENTED, encodeFrame, encodeMessage, encodeStatus, fileStatus, MessageCutter, describe } from '../src/codec.ts'
import { SwarmError } from '../src/errors.ts'
import { bytesOf, profileOf, SESSIONS, VECTORS } from './vectors.ts'

/** Read, but never written: other spellings of the same. */
const DECODE_ONLY = ['doc-add-literal-shape', 'doc-port-quoted', 'port-as-string']
const isStatus = (name: string): boolean => name.startsWith('status-') || name === 'doc-query-response'
const messages = VECTORS.filter(vector => vector.profile !== 'hardened' && vector.fields.error === undefined && !isStatus(vector.name))

t.test('every message, both ways', async t => {
  t.equal(messages.length, 30)
  for (const vector of messages) {
    const bytes = bytesOf(vector)
    const message = decodeMessage(profileOf(vector), bytes)
    const { action, port } = vector.fields
    if (typeof action === 'string') t.equal(message.action, action, vector.name)
    t.equal(message.from.port, port ?? (vector.fields.json?.PortNumber === undefined ? message.from.port : Number(vector.fields.json.PortNumber)), vector.name)
    if (DECODE_ONLY.includes(vector.name)) continue
    t.equal(Buffer.compare(encodeMessage(profileOf(vector), message, { pad: vector.padTo !== undefined }), bytes), 0, vector.name)
  }
})

t.test('every message cut anywhere is an error or less of the same, never something else', async t => {
  let refused = 0
  let accepted = 0
  for (const vector of messages) {
    const bytes = bytesOf(vector)
    const whole = decodeMessage(profileOf(vector), bytes)
    const interesting = bytes.length < 2000 ? bytes.length : 1600
    for (let end = 0; end < interesting; end++) {
      try {
        const message = decodeMessage(profileOf(vector), bytes.subarray(0, end))
        if (message.action !== whole.action) t.fail(`${vector.name} cut at ${end}`)
        if (message.action === 'Upload' && end < 500) t.fail(`${vector.name} cut at ${end}`)
        if (message.action === 'Add' || message.action === 'Files') {
          if (message.files.length > 0) assert.deepEqual(message, whole)
          else if (!('files' in whole) || (end > 500 && whole.files.length > 0)) t.fail(`${vector.name} cut at ${end}`)
        }
        accepted++
      } catch (error) {
        if (!(error instanceof SwarmError)) throw error
        refused++
      }
    }
  }
  t.ok(refused > 2000 && accepted > 2000, `${refused} refused, ${accepted} accepted`)
})

t.test('what a robust receiver refuses', async t => {
  const CODES: Record<string, string> = { ErrBadName: 'ERR_BAD_NAME', ErrBadChunk: 'ERR_BAD_CHUNK', empty: 'ERR_TRUNCATED', 'no Files': 'ERR_BAD_FIELD' }
  const refused = VECTORS.filter(vector => vector.fields.error !== undefined)
  t.equal(refused.length, 14)
  for (const vector of refused) {
    t.throws(() => decodeMessage(AS_IMPLEMENTED, bytesOf(vector)), { code: CODES[vector.fields.error as string] ?? 'ERR_BAD_JSON' }, vector.name)
  }
})

t.test('every hardened frame, both ways and cut anywhere', async t => {
  const frames = VECTORS.filter(vector => vector.profile === 'hardened' && vector.name !== 'hx-preface')
  t.equal(frames.length, 4)
  for (const vector of frames) {
    const bytes = bytesOf(vector)
    t.same(encodeFrame(decodeFrame(bytes)), bytes, vector.name)
    for (let end = 0; end < bytes.length; end++) t.throws(() => decodeFrame(bytes.subarray(0, end)), { code: 'ERR_TRUNCATED' })
  }
})

t.test('status reports: right formulas, either spelling', async t => {
  for (const vector of VECTORS.filter(({ name }) => isStatus(name))) {
    const files = decodeStatus(bytesOf(vector))
    t.same(encodeStatus(vector.profile, files), bytesOf(vector), vector.name)
  }
  t.same(fileStatus('f', [2, 1, 0], 1, 2), { name: 'f', local: 1 / 3, system: 2 / 3, leastReplication: 0, weightedLeastReplication: 1 })
  t.same(fileStatus('f', [], 0, 3), { name: 'f', local: 1, system: 1, leastReplication: 3, weightedLeastReplication: 3 })
})

t.test('every recorded connection through the cutter in every cut: the same value', async t => {
  for (const { messages } of SESSIONS) {
    for (const message of messages) {
      const bytes = bytesOf(message)
      let wanted: Uint8Array | undefined
      for (const size of [bytes.length, 1448, 499]) {
        const cutter = new MessageCutter(AS_IMPLEMENTED)
        const found: Uint8Array[] = []
        try {
          for (let at = 0; at < bytes.length; at += size) {
            const cut = cutter.cut(bytes.subarray(at, at + size), 0)
            if (cut !== undefined) found.push(cut.value)
          }
          const last = cutter.end()
          if (last !== undefined) found.push(last)
        } catch (error) {
          if ((error as Error).name !== 'SwarmError' && (error as Error).name !== 'FramingError') throw error
          continue
        }
        t.equal(found.length, bytes.length === 0 ? 0 : 1)
        wanted ??= found[0]
        if (wanted !== undefined && Buffer.compare(found[0] as Uint8Array, wanted) !== 0) t.fail(`${message.kind} in pieces of ${size}`)
      }
      if (wanted !== undefined && message.kind !== '?' && message.kind !== 'unparsed') {
        try {
          t.type(describe(AS_IMPLEMENTED, wanted).action, 'string')
        } catch (error) {
          t.type(error, SwarmError)
        }
      }
    }
  }
})

t.test('frames through the cutter, byte by byte', async t => {
  const bytes = Buffer.concat(VECTORS.filter(({ profile }) => profile === 'hardened').map(vector => bytesOf(vector)))
  const cutter = new MessageCutter(AS_IMPLEMENTED)
  const found = []
  for (const byte of bytes) {
    const cut = cutter.cut(Uint8Array.of(byte), 0)
    if (cut !== undefined) found.push(describe(AS_IMPLEMENTED, cut.value, cutter.hardened).action)
  }
  t.equal(cutter.end(), undefined)
  t.same(found, ['Preface', 'Add', 'Upload', 'Upload', 'Error'])
})

t.test('hostile JSON is a coded error', async t => {
  const text = (json: string): Uint8Array => new TextEncoder().encode(json)
  const ROWS: Array<[string, string]> = [
    ['{', 'ERR_BAD_JSON'], ['[1]', 'ERR_BAD_FIELD'], ['{"a":1}{', 'ERR_BAD_JSON'], ['{"a":01}', 'ERR_BAD_JSON'], ['{"a":"\u0001"}', 'ERR_BAD_JSON'],
    ['{"a":'.repeat(90), 'ERR_TOO_DEEP'], ['['.repeat(400), 'ERR_TOO_DEEP'], [`{"PortNumber":${'9'.repeat(400)}}`, 'ERR_TOO_LARGE'],
    ['{"HostName":"a","hostname":"b"}', 'ERR_DUPLICATE_KEY'], ['{"HostName":"a","PortNumber":1}', 'ERR_BAD_FIELD'],
    ['{"HostName":"a","PortNumber":1e1,"Action":5}', 'ERR_BAD_FIELD'], ['{"HostName":"a","PortNumber":70000,"Action":5}', 'ERR_BAD_FIELD'],
    ['{"HostName":"a","PortNumber":1,"Action":42}', 'ERR_BAD_ACTION'], ['{"HostName":"a","PortNumber":1,"Action":5,}', 'ERR_BAD_JSON'],
    ['{"HostName":"a","PortNumber":1,"Action":9,"Files":[{"FileName":"files/\\ud800","Chunks":[1,0]}]}', 'ERR_BAD_NAME'],
    ['{"HostName":"a","PortNumber":1,"Action":9,"Files":[{"FileName":"files/a","Chunks":[65537,0]}]}', 'ERR_TOO_LARGE']
  ]
  for (const [json, code] of ROWS) t.throws(() => decodeMessage(AS_IMPLEMENTED, text(json)), { code }, json.slice(0, 60))
  t.equal(decodeMessage(DOCUMENTED, text('{"HostName":"a","PortNumber":"1","Action":5,}')).action, 'Remove')
  t.throws(() => decodeMessage(AS_IMPLEMENTED, Uint8Array.of(0xff, 0xfe)), { code: 'ERR_BAD_JSON' })
  t.throws(() => decodeFrame(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)), { code: 'ERR_TOO_LARGE' })
  t.throws(() => decodeFrame(Uint8Array.of(0, 0, 0, 1, 0, 1, 0, 1)), { code: 'ERR_TOO_LARGE' })
})
