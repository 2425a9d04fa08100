import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { openCasync } from '../src/inspect/casync.ts'
import type { Message } from '../src/inspect/inspector.ts'
import { facts, folder, run } from './processes.ts'

const FIXTURES = new URL('../../../fixtures/casync/', import.meta.url)

interface Session { readonly name: string, readonly cut?: boolean, readonly c2s: readonly string[], readonly s2c: readonly string[] }

const SESSIONS = JSON.parse(readFileSync(new URL('sessions.json', FIXTURES), 'utf8')) as Session[]

/** By the specification, section 1.2. */
const TYPES: Readonly<Record<string, string>> = {
  '3c71d0948ca5fbee': 'HELLO',
  b32a91dd2b3e27f8: 'INDEX',
  '4f0932f1043718f5': 'INDEX_EOF',
  '95d6428a69eddcc5': 'ARCHIVE',
  '450bef663f24cbad': 'ARCHIVE_EOF',
  '8ab427e0f89d9210': 'REQUEST',
  '5213dd180a84bc8c': 'CHUNK',
  d010f9fac82b7b6c: 'MISSING',
  ad205dbf1a3686c3: 'GOODBYE',
  e7d9136b7efea352: 'ABORT'
}

interface Frame { readonly offset: number, readonly size: number, readonly type: string | undefined, readonly body: Buffer }

/** Frames as the specification cuts them, up to the first that is not whole. */
function framesOf (bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  let offset = 0
  while (offset + 16 <= bytes.length) {
    const size = Number(bytes.readBigUInt64LE(offset))
    if (size < 16 || offset + size > bytes.length) break
    frames.push({ offset, size, type: TYPES[bytes.readBigUInt64LE(offset + 8).toString(16).padStart(16, '0')], body: bytes.subarray(offset + 16, offset + size) })
    offset += size
  }
  return frames
}

function streamOf (parts: readonly string[]): Buffer {
  return Buffer.concat(parts.map(part => part.startsWith('@') ? readFileSync(new URL(part.slice(1), FIXTURES)) : Buffer.from(part, 'hex')))
}

function inspect (bytes: Uint8Array, step: number = Infinity): { messages: Message[], error?: { offset: number, code: string | undefined } } {
  const inspection = openCasync()
  const messages: Message[] = []
  try {
    for (let at = 0; at < bytes.length; at += step) inspection.push(bytes.subarray(at, at + step), message => messages.push(message))
    inspection.end(message => { messages.push(message) })
    return { messages }
  } catch (error) {
    return { messages, error: { offset: inspection.offset, code: (error as { code?: string }).code } }
  }
}

t.test('every recorded session is read: each message where it lies, what is wrong named at its place', async t => {
  t.ok(SESSIONS.length > 200)
  let read = 0
  for (const { name, c2s, s2c } of SESSIONS) {
    for (const [direction, bytes] of [['c2s', streamOf(c2s)], ['s2c', streamOf(s2c)]] as const) {
      const { messages, error } = inspect(bytes)
      const frames = framesOf(bytes)
      for (const [i, { offset, size, type, body }] of frames.slice(0, messages.length).entries()) {
        const message = messages[i] as Message
        t.match(message, { offset, size, type }, `${name} ${direction} ${offset}`)
        if (type === 'HELLO') t.equal(message['flags'], `0x${body.readBigUInt64LE().toString(16)}`)
        if (type === 'MISSING') t.equal(message['id'], body.toString('hex'))
        if (type === 'INDEX') t.same(message['content'], { length: body.length, sha256: createHash('sha256').update(body).digest('hex') })
        if (type === 'CHUNK') t.match(message, { id: body.subarray(8, 40).toString('hex'), content: { length: body.length - 40, sha256: createHash('sha256').update(body.subarray(40)).digest('hex') } })
      }
      read += messages.length
      const last = messages.at(-1)
      const end = last === undefined ? 0 : last.offset + (last['size'] as number)
      if (error === undefined) t.equal(end, bytes.length, `${name} ${direction}: to its end`)
      else t.equal(error.offset, end, `${name} ${direction}: ${error.code} at its place`)
    }
  }
  t.ok(read > 1000, `${read} messages`)
})

t.test('a stream is read the same however it is cut', async t => {
  const session = SESSIONS.find(({ name }) => name === 'pull-partial-seed') ?? SESSIONS.find(({ name }) => name.startsWith('pull-'))
  const bytes = streamOf((session as Session).s2c)
  for (const step of [1000, 17, 1]) t.same(inspect(bytes, step), inspect(bytes), `${step} bytes at a time`)
})

t.test('the command prints a line for each message, and the first that is wrong', async t => {
  const at = await folder(t)
  const hello = '1800000000000000eefba58c94d0713cc000000000000000'
  await writeFile(join(at, 'good.bin'), Buffer.from(hello, 'hex'))
  const good = await run(['inspect', 'casync', join(at, 'good.bin')], { state: at })
  t.equal(good.code, 0, good.stderr)
  t.same(facts(good.stdout), [{ offset: 0, type: 'HELLO', size: 24, flags: '0xc0', flag_names: ['PULL_CHUNKS', 'PULL_INDEX'] }])
  const bad = await run(['inspect', 'casync'], { state: at, input: Buffer.from(`${hello}0f00000000000000eefba58c94d0713c`, 'hex') })
  t.equal(bad.code, 1)
  t.match(facts(bad.stdout).at(-1), { offset: 24, error: { code: 'ERR_FRAME_SIZE' } })
})
