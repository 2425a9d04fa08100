import { readFileSync } from 'node:fs'
import t from 'tap'
import { openTorronto } from '../src/inspect/torronto.ts'
import type { Message } from '../src/inspect/inspector.ts'
import { facts, folder, run } from './processes.ts'

interface Recorded { readonly n: number, readonly kind: string, readonly blob: number, readonly padTo?: number }

const { blobs, sessions } = JSON.parse(readFileSync(new URL('../../../fixtures/torronto/sessions.json', import.meta.url), 'utf8')) as { blobs: string[], sessions: Array<{ case: string, messages: Recorded[] }> }

function bytesOf ({ blob, padTo }: Recorded): Buffer {
  const raw = Buffer.from(blobs[blob] as string, 'hex')
  return padTo === undefined ? raw : Buffer.concat([raw, Buffer.alloc(padTo - raw.length)])
}

function inspectAll (bytes: Buffer, pieceBytes: number): { messages: Message[], code: string | undefined } {
  const inspection = openTorronto({ preamble: false, token: false })
  const messages: Message[] = []
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) inspection.push(bytes.subarray(at, at + pieceBytes), message => { messages.push(message) })
    inspection.end(message => { messages.push(message) })
    return { messages, code: undefined }
  } catch (error) {
    return { messages, code: (error as { code?: string }).code ?? 'none' }
  }
}

for (const { case: name, messages } of sessions) {
  t.test(`${name}: every recorded connection is one message, told by its name`, async t => {
    for (const recorded of messages) {
      const { messages: told, code } = inspectAll(bytesOf(recorded), 4096)
      if (recorded.kind.startsWith('malformed') || code !== undefined) {
        t.match(code, /^ERR_/, `message ${recorded.n}, ${recorded.kind}`)
        t.same(told, [])
      } else {
        t.equal(told.length, 1, `message ${recorded.n}, ${recorded.kind}`)
        t.match(told[0], { offset: 0, type: recorded.kind === 'error' ? 'Error' : String })
      }
    }
  })
}

t.test('kinds that were recorded are the types that are told, however the bytes come', async t => {
  const kinds = new Set(['Add', 'Remove', 'Files', 'Have', 'Download', 'Upload'])
  let seen = 0
  for (const { messages } of sessions) {
    for (const recorded of messages.filter(({ kind }) => kinds.has(kind)).slice(0, 20)) {
      const { messages: told, code } = inspectAll(bytesOf(recorded), 997)
      if (code !== undefined) continue
      t.equal(told[0]?.type, recorded.kind)
      seen++
    }
  }
  t.ok(seen > 100, `${seen} messages`)
})

t.test('as a command: a line of JSON, and the code of what breaks the wire', async t => {
  const state = await folder(t)
  const add = sessions.flatMap(({ messages }) => messages).find(({ kind }) => kind === 'Add') as Recorded
  const good = await run(['inspect', 'torronto'], { state, input: bytesOf(add) })
  t.equal(good.code, 0)
  t.match(JSON.parse(good.stdout), { offset: 0, type: 'Add' })
  const bad = await run(['inspect', 'torronto'], { state, input: '{"Action":4,"Action":4}' })
  t.equal(bad.code, 1)
  t.match(JSON.parse(bad.stdout), { offset: 0, error: { code: 'ERR_DUPLICATE_KEY' } })
  t.equal(facts(bad.stdout).length, 1)
})
