import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Message } from '../src/inspect/inspector.ts'
import { openWarpdrive } from '../src/inspect/warpdrive.ts'
import { facts, folder, run } from './processes.ts'

interface Capture { name: string, profile: string, port: string, chunks: Array<['c2s' | 's2c', string]> }

const CAPTURES = JSON.parse(readFileSync(new URL('../../../fixtures/warpdrive/captures.json', import.meta.url), 'utf8')) as Capture[]

function direction ({ chunks }: Capture, wanted: 'c2s' | 's2c'): Buffer {
  return Buffer.from(chunks.filter(([dir]) => dir === wanted).map(([, hex]) => hex).join(''), 'hex')
}

/** Of the original these are bytes that it ignores one by one, and then takes for commands. */
const BROKEN: Record<string, { offset: number, code: string }> = { 'unknown-command-remote': { offset: 0, code: 'ERR_UNKNOWN_COMMAND' } }

async function inspect ({ profile, port }: Pick<Capture, 'profile' | 'port'>, bytes: Uint8Array, step: number = Infinity, question?: Uint8Array): Promise<{ messages: Message[], error?: { offset: number, code: string | undefined } }> {
  const asked = question === undefined ? undefined : (async function * () { yield question })()
  const inspection = await openWarpdrive({ profile, port, asked, preamble: false, token: false })
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
    const bytes = direction(capture, 'c2s')
    const whole = await inspect(capture, bytes)
    t.same(whole.error, BROKEN[capture.name], capture.name)
    for (const step of [1, 7]) t.same(await inspect(capture, bytes, step), whole, capture.name)
    if (whole.error !== undefined) continue
    const starts = whole.messages.map(({ offset }) => offset)
    t.same(starts, [...starts].sort((a, b) => a - b))
    if (bytes.length > 0) t.equal(starts[0], 0, capture.name)
  }
})

t.test('every recorded session is read in the direction that answers, to its last byte, the same however it is cut', async t => {
  let read = 0
  for (const capture of CAPTURES) {
    const [question, bytes] = [direction(capture, 'c2s'), direction(capture, 's2c')]
    const whole = await inspect(capture, bytes, Infinity, question)
    if (BROKEN[capture.name] !== undefined) {
      t.match(whole, { messages: [], error: { offset: 0, code: 'ERR_BAD_VALUE' } }, capture.name)
      continue
    }
    t.equal(whole.error, undefined, capture.name)
    for (const step of [1, 7]) t.same(await inspect(capture, bytes, step, question), whole, capture.name)
    // What was said is put together again, from what was recorded and not from what we would write.
    const told = whole.messages.map(({ offset, type, value, bytes: length }) => {
      if (type === 'list' || type === 'event') return bytes.subarray(offset, bytes.indexOf(0x0a, offset) + 1)
      if (type === 'content') return bytes.subarray(offset, offset + Number(length))
      return type === 'id' ? Buffer.from([String(value).length, ...Buffer.from(String(value))]) : Buffer.of(Number(value))
    })
    t.equal(Buffer.concat(told).toString('hex'), bytes.toString('hex'), capture.name)
    for (const { offset, type, value } of whole.messages) {
      if (type === 'list' || type === 'event') t.same(value, JSON.parse(bytes.subarray(offset, bytes.indexOf(0x0a, offset)).toString()), capture.name)
    }
    read += whole.messages.length
  }
  t.ok(read > CAPTURES.length, `${read} replies`)
})

t.test('a reply is known by what was asked: a list, a change, an id, a word, content, an echo; what was left without an answer is passed over', async t => {
  const asked = Buffer.from('0400' + '05003' + '3' + '02' + '0178' + '0179' + '0301' + '78' + '6501' + '78' + '00'.repeat(16), 'hex')
  const answers = Buffer.concat([Buffer.from('null\n{"Id":"a"}\n{"Id":"b"}\n'), Buffer.of(1, 0x71, 1), Buffer.of(0), Buffer.of(0), Buffer.from('content')])
  t.same((await inspect({ profile: 'go-838779e', port: 'warpdrive' }, answers, Infinity, asked)).messages, [
    { offset: 0, type: 'list', reply: 'listOffers', value: null },
    { offset: 5, type: 'event', reply: 'listenOffers', value: { Id: 'a' } },
    { offset: 16, type: 'event', reply: 'listenOffers', value: { Id: 'b' } },
    { offset: 27, type: 'id', reply: 'createOffer', value: 'q' },
    { offset: 29, type: 'accepted', reply: 'createOffer', value: 1 },
    { offset: 30, type: 'done', reply: 'acceptOffer', value: 0 },
    { offset: 31, type: 'begun', reply: 'download', value: 0 },
    { offset: 32, type: 'content', reply: 'download', bytes: 7 }
  ])
  const refused = await inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.of(5, 0), Infinity, Buffer.from('010400c80500', 'hex'))
  t.match(refused.messages, [{ offset: 0, type: 'echo', reply: 'ping', value: 5 }, { offset: 1, type: 'echo', value: 0 }])
  for (const [what, bytes, code] of [['0100', 'ff', 'ERR_BAD_VALUE'], ['0400', '5b7b', 'ERR_TRUNCATED'], ['0201780179', '0371', 'ERR_TRUNCATED']] as const) {
    t.match(await inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from(bytes, 'hex'), Infinity, Buffer.from(what, 'hex')), { error: { offset: 0, code } })
  }
})

t.test('commands have the fields of the specification, and bytes that mean something their meaning', async t => {
  const { messages } = await inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from('65017800000000000000020000000000000064' + '00' + '0a' + '0601' + '33' + 'c8' + '05' + '00', 'hex'))
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
  t.match(await inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from('0401' + '00' + '42', 'hex')), { messages: [{ type: 'listOffers' }], error: { offset: 3, code: 'ERR_UNKNOWN_COMMAND' } })
  t.match(await inspect({ profile: 'go-838779e', port: 'warpdrive' }, Buffer.from('0401' + '6403', 'hex')), { error: { offset: 2, code: 'ERR_TRUNCATED' } })
  await t.rejects(openWarpdrive({ profile: 'seed', port: 'warpdrive', preamble: false, token: false }), { code: 'ERR_USAGE' })
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
  const answers = join(state, 's2c.bin')
  await writeFile(answers, '[]\n')
  const replies = await run(['inspect', 'warpdrive', '--profile', 'seed', '--port', 'warpdrive-local', '--asked', file, answers], { state })
  t.same([replies.code, facts(replies.stdout)], [0, [{ offset: 0, type: 'list', reply: 'listPeers', value: [] }]])
  t.equal((await run(['inspect', 'warpdrive', '--asked', join(state, 'nothing'), answers], { state })).code, 1)
  t.equal((await run(['inspect', 'mdsftp', '--asked', file, file], { state })).code, 2)
  t.equal((await run(['inspect', 'warpdrive', '--port', 'nowhere', file], { state })).code, 2)
  t.equal((await run(['inspect', 'mdsftp', '--port', 'warpdrive', file], { state })).code, 2)
})
