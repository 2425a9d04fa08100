/** WIRE.md says what the code does. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Kind, NODE_ID_BYTES, preambleBytes, SEED, TOKEN_BYTES, UPSTREAM, type ControlPacket, type PacketType } from '../src/codec.ts'
import * as constants from '../src/constants.ts'
import { NONE, OPEN, scene } from './scene.ts'
import { CHUNK_ID } from './vectors.ts'

const text = readFileSync(new URL('../WIRE.md', import.meta.url), 'utf8')

function table (heading: string): string[][] {
  const section = text.slice(text.indexOf(`## ${heading}`)).split('\n## ')[0] as string
  const rows = section.split('\n').filter(line => line.startsWith('|')).slice(2)
  return rows.map(row => row.split('|').slice(1, -1).map(cell => cell.trim()))
}

t.test('the preamble', async t => {
  t.same(table('Preamble').map(([, offset, bytes]) => [Number(offset), Number(bytes)]), [[0, NODE_ID_BYTES], [preambleBytes(false), TOKEN_BYTES]])
})

t.test('the numbers', async t => {
  const rows = table('Numbers')
  t.ok(rows.length > 10)
  for (const [name = '', value] of rows) t.equal(Number(value), (constants as Record<string, unknown>)[name.replaceAll('`', '')], name)
})

const id = CHUNK_ID
/** For each row: a request that is done when the chunk is there (`reserved`: as a reservation of 3 bytes), and one that is refused. */
const REQUESTS: Record<string, { done: ControlPacket, refused: ControlPacket, reserved?: boolean }> = {
  'Reserve, auto-start': { done: { type: 'Reserve', flags: { ...NONE, autoStart: true }, size: 1n }, refused: { type: 'Reserve', flags: { ...NONE, autoStart: true }, size: 2n ** 60n } },
  'Reserve, temp': { done: { type: 'Reserve', flags: { ...NONE, temp: true }, size: 1n }, refused: { type: 'Reserve', flags: { ...NONE, temp: true }, size: 2n ** 60n } },
  Reserve: { done: { type: 'Reserve', flags: NONE, size: 1n }, refused: { type: 'Reserve', flags: NONE, size: 2n ** 60n } },
  Put: { done: { type: 'Put', append: false, chunkId: id, size: 3n }, refused: { type: 'Put', append: false, chunkId: 'e'.repeat(32), size: 3n }, reserved: true },
  Retrieve: { done: { type: 'Retrieve', chunkId: id, chunkBuffer: 1 }, refused: { type: 'Retrieve', chunkId: 'e'.repeat(32), chunkBuffer: 1 } },
  LockReq: { done: { type: 'LockReq', kind: 'read', chunkId: id }, refused: { type: 'LockReq', kind: 'read', chunkId: 'e'.repeat(32) } },
  Query: { done: { type: 'Query', chunkId: id }, refused: { type: 'Query', chunkId: 'e'.repeat(32) } },
  Commit: { done: { type: 'Commit', flags: { final: true, keepAlive: false, reject: false }, chunkId: id }, refused: { type: 'Commit', flags: { final: true, keepAlive: false, reject: false }, chunkId: 'e'.repeat(32) } },
  DeleteChunk: { done: { type: 'DeleteChunk', chunkId: id }, refused: { type: 'DeleteChunk', chunkId: 'e'.repeat(32) } },
  ReserveCancel: { done: { type: 'ReserveCancel', chunkId: id }, refused: { type: 'ReserveCancel', chunkId: 'e'.repeat(32) } }
}

t.test('every operation, done and refused, in each profile that has it', async t => {
  const rows = table('Operations')
  t.same(rows.map(([name]) => name), Object.keys(REQUESTS))
  for (const [name = '', done, refused, , profiles] of rows) {
    const type = name.split(',')[0] as PacketType
    t.equal(SEED.lengths.has(Kind[type]), profiles === 'both', name)
    for (const profile of profiles === 'both' ? [UPSTREAM, SEED] : [UPSTREAM]) {
      for (const [which, wanted] of [['done', done], ['refused', refused]] as const) {
        const { speaker, node, store } = await scene({ profile, node: { maxBytes: 1000 } })
        const request = REQUESTS[name]
        if (request === undefined) throw new Error(name)
        if (request.reserved === true) await node.reserve(3n, true)
        else if (type !== 'Reserve') store.plant(id, new Uint8Array(3))
        await speaker.say(1, OPEN, request[which])
        t.equal((await speaker.hear()).type, wanted === 'close' ? 'ChannelClose' : wanted, `${name}, ${which}, ${profile.name}`)
      }
    }
  }
})
