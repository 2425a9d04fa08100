import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Message } from '../src/inspect/inspector.ts'
import { openWarpdrive } from '../src/inspect/warpdrive.ts'
import { facts, folder, run } from './processes.ts'

interface Capture { name: string, profile: string, port: string, chunks: Array<['c2s' | 's2c', string]> }

const CAPTURES = JSON.parse(readFileSync(new URL('../../../fixtures/warpdrive/captures.json', import.meta.url), 'utf8')) as Capture[]

/** Of the original these are bytes that it ignores one by one, and then takes for commands. */
const BROKEN: Record<string, { offset: number, code: string }> = { 'unknown-command-remote': { offset: 0, code: 'ERR_UNKNOWN_COMMAND' } }

function inspect ({ profile, port }: Pick<Capture, 'profile' | 'port'>, bytes: Uint8Array, step: number = Infinity): { messages: Message[], error?: { offset: number, code: string | undefined } } {
  const inspection = openWarpdrive({ profile, port, preamble: false, token: false })
  const messages: Message[] = []
  try {
    for (let at = 0; at < bytes.length; at += step) inspection.push(bytes.subarray(at, at + step), message => messages.push(message))
    inspection.end(message => { messages.push(message) })
    return { messages }
  } catch (error) {
    return { messages, error: { offset: inspection.offset, code: (error as { code?: string }).code } }
  }
}

t.test('every recorded session is read, the same however it is cut, and what is left out of it are stray bytes', async t => {
  t.ok(CAPTURES.length >= 57)
  for (const capture of CAPTURES) {
    const bytes = Buffer.from(capture.chunks.filter(([dir]) => dir === 'c2s').map(([, hex]) => hex).join(''), 'hex')
    const whole = inspect(capture, bytes)
    t.same(whole.error, BROKEN[capture.name], capture.name)
    for (const step of [1, 7]) t.same(inspect(capture, bytes, step), whole, capture.name)
    if (whole.error !== undefined) continue
    const starts = whole.messages.map(({ offset }) => offset)
    t.same(starts, [...starts].sort((a, b) => a - b))
    if (bytes.length > 0) t.equal(starts[0], 0, capture.name)
  }
})

t.test('commands have the fields of the specification, and bytes that mean something their meaning', async t => {
  const { messages } = inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from('65017800000000000000020000000000000064' + '00' + '0a' + '0601' + '33' + 'c8' + '05' + '00', 'hex'))
  t.same(messages, [
    { offset: 0, type: 'download', code: 0x65, offer_id: 'x', index: '2', offset_in_entry: '100' },
    { offset: 21, type: 'listenStatus', code: 6, filter: 1 },
    { offset: 23, type: 'finish', byte: 0x33 },
    { offset: 24, type: 'ping', code: 0xc8 },
    { offset: 25, type: 'signal', byte: 5 },
    { offset: 26, type: 'signal', byte: 0 }
  ])
})

t.test('a breach is where its command begins, behind stray bytes too, and a port belongs to its profile', async t => {
  t.match(inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from('0401' + '00' + '42', 'hex')), { messages: [{ type: 'listOffers' }], error: { offset: 3, code: 'ERR_UNKNOWN_COMMAND' } })
  t.match(inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from('0401' + '6403', 'hex')), { error: { offset: 2, code: 'ERR_TRUNCATED' } })
  t.throws(() => openWarpdrive({ profile: 'seed', port: 'warpdrive', preamble: false, token: false }), { code: 'ERR_USAGE' })
})

t.test('the command takes --profile and --port, and says which there are', async t => {
  const state = await folder(t)
  const file = join(state, 'c2s.bin')
  await writeFile(file, Buffer.from('0100ff', 'hex'))
  const { code, stdout } = await run(['inspect', 'warpdrive', '--profile', 'seed', '--port', 'warpdrive-local', file], { state })
  t.equal(code, 0)
  t.same(facts(stdout), [
    { offset: 0, type: 'listPeers', code: 1 },
    { offset: 1, type: 'acknowledgement', byte: 0 },
    { offset: 2, type: 'end', code: 255 }
  ])
  t.equal((await run(['inspect', 'warpdrive', '--port', 'nowhere', file], { state })).code, 2)
  t.equal((await run(['inspect', 'mdsftp', '--port', 'warpdrive', file], { state })).code, 2)
})
