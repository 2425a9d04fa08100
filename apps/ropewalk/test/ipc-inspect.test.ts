/** Every session recorded from the original, read by `inspect ipc-upload`. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Message } from '../src/inspect/inspector.ts'
import { PROTOCOLS } from '../src/inspect/protocols.ts'
import { facts, folder, run } from './processes.ts'

interface Step { event?: string, from?: 'client' | 'server', label?: string, hex?: string }

const FOLDER = new URL('../../../fixtures/ipc-upload/captures/', import.meta.url)
const SESSIONS = readdirSync(FOLDER).map(file => ({ name: file.replace('.json', ''), steps: (JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { steps: Step[] }).steps }))
/** What the clients of these sessions sent on purpose, and the original did not answer. */
const BROKEN: Record<string, number> = { errors: 4 }

t.test('every message of every session, in both directions; what is none is told with its offset', async t => {
  t.ok(SESSIONS.length >= 7)
  for (const { name, steps } of SESSIONS) {
    let broken = 0
    for (const from of ['client', 'server'] as const) {
      // After a breach an inspection is over: the next one begins behind it.
      const packets = steps.filter(step => step.from === from).map(({ hex = '' }) => Buffer.from(hex, 'hex'))
      for (let at = 0; at < packets.length;) {
        const inspection = await PROTOCOLS['ipc-upload']?.open({ profile: 'final', preamble: false, token: false })
        const messages: Message[] = []
        const rest = packets.slice(at)
        try {
          for (const byte of Buffer.concat(rest)) inspection?.push(Uint8Array.of(byte), message => { messages.push(message) })
          inspection?.end(() => {})
          t.equal(messages.length, rest.length, `${name}, ${from}`)
        } catch (error) {
          t.match(error, { code: /^ERR_(MALFORMED|UNKNOWN_TYPE)$/ }, `${name}, ${from}`)
          t.equal(inspection?.offset, rest.slice(0, messages.length).reduce((sum, { length }) => sum + length, 0))
          broken++
          at++
        }
        for (const [index, { offset, user_type: type, token }] of messages.entries()) {
          t.equal(type, rest[index]?.[5])
          t.equal(offset, rest.slice(0, index).reduce((sum, { length }) => sum + length, 0))
          if (token !== undefined) t.match(token, /^\d+ characters$/, 'a token is not shown')
        }
        at += messages.length
      }
    }
    t.equal(broken, BROKEN[name] ?? 0, `${name}: ${broken} that are none`)
  }
})

t.test('the command reads one of them', async t => {
  const { steps = [] } = SESSIONS.find(({ name }) => name === 'upload-in-order') ?? {}
  const client = steps.filter(({ from }) => from === 'client')
  const state = await folder(t)
  const { code, stdout } = await run(['inspect', 'ipc-upload', '--profile', 'final'], { state, input: Buffer.from(client.map(({ hex }) => hex).join(''), 'hex') })
  t.equal(code, 0)
  t.equal(stdout.trim().split('\n').length, client.length)
  t.match(stdout.split('\n')[0], /^{"offset":0,"type":"Login"/)
  t.equal(facts(stdout).length, client.length)
})
