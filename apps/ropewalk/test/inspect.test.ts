import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import t from 'tap'
import type { Inspection, Message } from '../src/inspect/inspector.ts'
import { openMdsftp } from '../src/inspect/mdsftp.ts'
import { PROTOCOLS } from '../src/inspect/protocols.ts'
import { facts, folder, run } from './processes.ts'

interface Vector { name: string, profile: string, hex: string, fields: Record<string, unknown> }
interface Malformed { name: string, profile: string, layer: string, hex: string, expect: string, eof?: boolean }
interface Fixture {
  vectors: Vector[]
  malformed: Malformed[]
  preambles: Array<{ name: string, hex: string, fields: { node_id: string, token: string | null } }>
  sequences: Array<{ name: string, profile: string, steps: Array<{ dir: string, packet: string, hex: string }> }>
}

const FIXTURE = JSON.parse(readFileSync(new URL('../../../fixtures/mdsftp/vectors.json', import.meta.url), 'utf8')) as Fixture

interface Seen { messages: Message[], error?: { offset: number, code: string | undefined } }

/** What an inspection makes of `bytes`, given `step` at a time. */
function inspect (bytes: Uint8Array, options: { profile?: string, preamble?: boolean, token?: boolean } = {}, step: number = Infinity): Seen {
  const inspection: Inspection = openMdsftp({ preamble: false, token: false, ...options })
  const messages: Message[] = []
  try {
    for (let at = 0; at < bytes.length; at += step) inspection.push(bytes.subarray(at, at + step), message => messages.push(message))
    inspection.end(message => { messages.push(message) })
    return { messages }
  } catch (error) {
    return { messages, error: { offset: inspection.offset, code: (error as { code?: string }).code } }
  }
}

function profileOf ({ name, profile }: { name: string, profile: string }): string {
  return name.startsWith('seed CODE') ? 'seed-code' : profile
}

function wanted ({ fields: { packet, packet_id: _id, stream_id: channel, payload_size: _size, content_hex: content, ...fields } }: Vector): Record<string, unknown> {
  if (typeof content !== 'string') return { offset: 0, type: packet, channel, ...fields }
  const bytes = Buffer.from(content, 'hex')
  return { offset: 0, type: packet, channel, ...fields, content: { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') } }
}

t.test('every vector has its fields, by the names of the specification', async t => {
  t.ok(FIXTURE.vectors.length > 100)
  for (const vector of FIXTURE.vectors) {
    t.same(inspect(Buffer.from(vector.hex, 'hex'), { profile: profileOf(vector) }), { messages: [wanted(vector)] }, vector.name)
  }
})

t.test('whole exchanges are read the same however they are cut', async t => {
  for (const { name, profile, steps } of FIXTURE.sequences) {
    const packets = steps.filter(({ dir }) => dir === 'D')
    const bytes = Buffer.concat(packets.map(({ hex }) => Buffer.from(hex, 'hex')))
    const whole = inspect(bytes, { profile })
    t.equal(whole.error, undefined, name)
    t.same(whole.messages.map(({ type }) => type), packets.map(({ packet }) => packet), name)
    let offset = 0
    for (const [index, { hex }] of packets.entries()) {
      t.equal(whole.messages[index]?.offset, offset)
      offset += hex.length / 2
    }
    for (const step of [1, 2, 7, 13]) t.same(inspect(bytes, { profile }, step), whole)
  }
})

t.test('everything malformed is refused with the offset of its message', async t => {
  const good = Buffer.from('800000000100000000', 'hex')
  // An end between messages is none, and section 4.6 wants an empty last fragment to be taken.
  const fine = new Set(['empty stream', 'FileChunk empty content, last (5 byte payload)'])
  const frames = FIXTURE.malformed.filter(({ layer, name }) => layer === 'frame' && !fine.has(name))
  t.ok(frames.length > 40)
  for (const { name, profile, hex } of frames) {
    const { messages, error } = inspect(Buffer.concat([good, Buffer.from(hex, 'hex')]), { profile })
    t.equal(messages.length, 1, name)
    t.match(error, { offset: 9, code: /^ERR_(UNKNOWN_KIND|PAYLOAD_LENGTH|PAYLOAD_TOO_LARGE|EMPTY_FRAGMENT|TRUNCATED)$/ }, name)
  }
})

t.test('a preamble with and without a token, whole and cut', async t => {
  for (const { name, hex, fields } of FIXTURE.preambles) {
    const bytes = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from('800000000100000000', 'hex')])
    const options = { preamble: true, token: fields.token !== null }
    const expected = { messages: [{ offset: 0, type: 'Preamble', ...fields }, { offset: hex.length / 2, type: 'ChannelOpen', channel: 1 }] }
    for (const step of [1, 10, Infinity]) t.same(inspect(bytes, options, step), expected, name)
    t.match(inspect(bytes.subarray(0, 15), options), { messages: [], error: { offset: 0, code: 'ERR_TRUNCATED' } })
  }
})

t.test('the command prints a line a message, and the breach last', async t => {
  const state = await folder(t)
  const file = join(state, 'dialer.bin')
  const open = '800000000100000000'
  await writeFile(file, Buffer.from(`${open}0100000001000000080100000000616263${'7f0000000100000000'}${open}`, 'hex'))
  const { code, stdout, stderr } = await run(['inspect', 'mdsftp', file], { state })
  t.equal(code, 1)
  t.equal(stderr, '')
  t.same(facts(stdout), [
    { offset: 0, type: 'ChannelOpen', channel: 1 },
    { offset: 9, type: 'FileChunk', channel: 1, is_last: true, fragment_id: 0, content: { length: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' } },
    { offset: 26, error: { code: 'ERR_UNKNOWN_KIND', message: 'kind 0x7f is not in the upstream profile' } }
  ])

  const piped = await run(['inspect', 'mdsftp', '--profile', 'seed-code'], { state, input: Buffer.from('8a0000000100000000', 'hex') })
  t.same([piped.code, piped.stdout], [0, '{"offset":0,"type":"ChannelOpen","channel":1}\n'])
  t.equal((await run(['inspect', 'mdsftp', join(state, 'absent')], { state })).code, 1)
})

t.test('every profile and every port that the help names can be opened', async t => {
  for (const [name, { profiles, ports = [undefined], open }] of Object.entries(PROTOCOLS)) {
    for (const profile of profiles) {
      const opened = await Promise.allSettled(ports.map(async port => await open({ profile, port, preamble: false, token: false })))
      t.ok(opened.some(({ status }) => status === 'fulfilled'), `${name}, ${profile}`)
    }
    for (const port of ports) {
      const opened = await Promise.allSettled(profiles.map(async profile => await open({ profile, port, preamble: false, token: false })))
      t.ok(opened.some(({ status }) => status === 'fulfilled'), `${name}, ${port}`)
    }
  }
})
