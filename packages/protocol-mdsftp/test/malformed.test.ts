/** Every malformed input of the original's vectors, said to our server by a scripted peer. */
import { duplexPair, hexdump } from '@ropewalk/testing'
import t from 'tap'
import { acceptNode, serve, StorageNode } from '../src/index.ts'
import { MemoryStore } from '@ropewalk/store-memory'
import { DIALER_ID } from './nodes.ts'
import { Speaker } from './speaker.ts'
import { bytesOf, CHUNK_ID, FILE, profileOf, type Malformed } from './vectors.ts'

const CODES: Record<string, string> = {
  unknown_packet_type: 'ERR_UNKNOWN_KIND',
  bad_payload_size: 'ERR_PAYLOAD_LENGTH',
  payload_too_large: 'ERR_PAYLOAD_TOO_LARGE',
  empty_fragment: 'ERR_EMPTY_FRAGMENT',
  truncated_header: 'ERR_TRUNCATED',
  unexpected_packet: 'ERR_UNEXPECTED_PACKET'
}

/** A server that a scripted peer has just introduced itself to, and another chunk that it should go on serving. */
async function scripted (bad: Malformed, attach: boolean): Promise<{ speaker: Speaker, served: Promise<Error | undefined>, node: StorageNode }> {
  const [left, right] = duplexPair({ attach })
  const store = new MemoryStore()
  store.plant(CHUNK_ID, Uint8Array.of(1, 2, 3))
  const node = new StorageNode({ store })
  const speaker = new Speaker(left, profileOf(bad))
  await speaker.peer.send(hexdump(DIALER_ID))
  const server = await acceptNode(right, { profile: profileOf(bad) })
  const served = serve(server, { node }).then(() => undefined, error => error as Error)
  return { speaker, served, node }
}

/** The connection still does its work, whatever was said on it. */
async function stillServes (speaker: Speaker): Promise<void> {
  await speaker.say(77, { type: 'ChannelOpen' }, { type: 'Query', chunkId: CHUNK_ID })
  const { exists, size } = await speaker.expect(77, 'QueryResponse')
  t.same([exists, size], [true, 3n])
  await speaker.expect(77, 'ChannelClose')
  await speaker.say(77, { type: 'ChannelClose' })
  await speaker.say(1, { type: 'ChannelClose' })
}

for (const attach of [false, true]) {
  t.test(`a malformed frame ends the connection with its code, ${attach ? 'fast lane' : 'iterated'}`, async t => {
    for (const bad of FILE.malformed.filter(({ layer, expect }) => layer === 'frame' && expect !== 'eof')) {
      const { speaker, served } = await scripted(bad, attach)
      await speaker.peer.send(bytesOf(bad))
      if (bad.name === 'FileChunk empty content, last (5 byte payload)') {
        await stillServes(speaker)
        continue
      }
      if (bad.eof === true) await speaker.peer.end().catch(() => {})
      t.match(await served, { code: CODES[bad.expect], scope: 'connection', remote: true }, bad.name)
      const last = await speaker.peer.readUntilGone()
      t.ok(last.error, `${bad.name}: the connection is broken off`)
    }
  })
}

t.test('an end between packets is clean', async t => {
  const bad = FILE.malformed.find(({ expect }) => expect === 'eof') as Malformed
  const { speaker, served } = await scripted(bad, false)
  await speaker.peer.end()
  t.equal(await served, undefined)
  t.equal((await speaker.peer.readUntilEnd()).length, 0)
})

t.test('a preamble that is cut is refused', async t => {
  for (const bad of FILE.malformed.filter(({ layer }) => layer === 'preamble')) {
    for (const attach of [false, true]) {
      const [left, right] = duplexPair({ attach })
      const { peer } = new Speaker(left)
      const accepted = acceptNode(right, bad.name === 'token cut' ? { verifyToken: () => true } : {})
      accepted.catch(() => {})
      await peer.send(bytesOf(bad))
      await peer.end().catch(() => {})
      await t.rejects(accepted, { code: 'ERR_TRUNCATED', scope: 'connection', remote: true }, bad.name)
      t.ok((await peer.readUntilGone()).error)
    }
  }
})

t.test('finding 7, 21, 22: a range that is none is refused before any byte', async t => {
  for (const bad of FILE.malformed.filter(({ layer }) => layer === 'semantic')) {
    const { speaker, node } = await scripted(bad, false)
    await speaker.say(1, { type: 'ChannelOpen' })
    await speaker.peer.send(bytesOf(bad))
    const refusal = await speaker.expect(1, 'LockErr')
    t.match(refusal, { kind: 'read', errorKind: 'not_available', chunkId: CHUNK_ID }, bad.name)
    await speaker.expect(1, 'ChannelClose')
    t.equal(node.locks.size, 0)
    await stillServes(speaker)
  }
})

t.test('finding 13: what poisons the original closes the connection here, what it ignores is ignored', async t => {
  for (const bad of FILE.malformed.filter(({ layer }) => layer === 'state')) {
    const scene = await scripted(bad, true)
    await scene.speaker.peer.send(bytesOf(bad))
    if (bad.upstream === 'poison') {
      t.match(await scene.served, { code: CODES[bad.expect], scope: 'connection' }, bad.name)
      t.ok((await scene.speaker.peer.readUntilGone()).error, bad.name)
    } else {
      t.equal(bad.upstream, 'ignored')
      await stillServes(scene.speaker)
    }
  }
})

t.test('a channel id of the wrong side is refused, and only it', async () => {
  const bad = FILE.malformed.find(({ layer }) => layer === 'policy') as Malformed
  const scene = await scripted(bad, false)
  await scene.speaker.peer.send(bytesOf(bad))
  await scene.speaker.expect(0x8000_0001, 'ChannelErr', 'ChannelClose')
  await stillServes(scene.speaker)
})
