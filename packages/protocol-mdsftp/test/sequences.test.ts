/** The recorded exchanges, played by a scripted peer against our server and against our client. */
import { chopped, duplexPair, hexdump, scriptedPeer, turn, type PairOptions } from '@ropewalk/testing'
import t from 'tap'
import { acceptNode, commit, connectNode, putChunk, query, remove, reserve, retrieve, serve, StorageNode, put, upload, type StorageConnection } from '../src/index.ts'
import { MemoryStore } from '@ropewalk/store-memory'
import { DIALER_ID } from './nodes.ts'
import { Speaker } from './speaker.ts'
import { BUCKET_ID, bytesOf, CHUNK_ID, FILE, FILE_ID, profileOf, seedOf, type Sequence } from './vectors.ts'

const CONTENT = new TextEncoder().encode('abcdefg')
/** The originals of that time could not be recorded: these are the recorded exchanges as section 5.11 of the specification says them. */
const SEEDS: Sequence[] = FILE.sequences.flatMap(sequence => seedOf(sequence) ?? [])

/** Who of the two dialled is said by the ids: those that the acceptor opens have the highest bit (specification section 3.1). */
const ACCEPTORS = 0x80

interface Played {
  /** The side that serves is the one that dialled. */
  dialerServes?: boolean
  cutAt?: number
}

async function againstServer (sequence: Sequence, pair: PairOptions, { dialerServes = false, cutAt }: Played = {}): Promise<void> {
  const [left, right] = duplexPair(pair)
  const wire = { profile: profileOf(sequence) }
  const store = new MemoryStore()
  if (/retrieve|delete/.test(sequence.name)) store.plant(CHUNK_ID, CONTENT)
  const node = new StorageNode({ store, newChunkId: () => CHUNK_ID })
  const peer = scriptedPeer(left, { signal: AbortSignal.timeout(10_000) })
  if (!dialerServes) await peer.send(hexdump(DIALER_ID))
  const server = dialerServes ? connectNode(right, { nodeId: DIALER_ID, ...wire }) : await acceptNode(right, wire)
  if (dialerServes) await peer.expect(hexdump(DIALER_ID))
  const served = serve(server, { node, fragmentBytes: 3 })

  let sent = 0
  for (const step of sequence.steps) {
    const bytes = bytesOf(step)
    if (dialerServes) bytes[1] = ACCEPTORS
    if (step.dir === 'A') {
      await peer.expect(bytes)
      continue
    }
    const cut = (cutAt ?? -1) - sent
    if (cut > 0 && cut < bytes.length) {
      await peer.send(bytes.subarray(0, cut))
      await turn()
      await peer.send(bytes.subarray(cut))
    } else await peer.send(bytes)
    sent += bytes.length
  }
  await peer.end()
  const { length } = await peer.readUntilEnd()
  if (length > 0) throw new Error(`${length} bytes too many`)
  await served
}

for (const dialerServes of [false, true]) {
  t.test(`every recorded exchange, our server as the ${dialerServes ? 'dialer' : 'acceptor'}, byte for byte, in both profiles`, async t => {
    for (const sequence of [...FILE.sequences, ...SEEDS]) {
      for (const pair of [{}, { attach: true }, { chunkBytes: 1 }, { chunkBytes: 1, attach: true }, { chunkBytes: 7 }]) {
        await againstServer(sequence, pair, { dialerServes })
        t.pass(`${sequence.profile}: ${sequence.name} ${JSON.stringify(pair)}`)
      }
    }
  })
}

t.test('of the recorded exchanges five can be said in the seed profile', async t => {
  t.same(SEEDS.map(({ name }) => name), Object.keys(DRIVES).filter(name => !/durable|range/.test(name)).toSpliced(3, 0, LOCKSTEP))
})

t.test('a message may be cut anywhere', async t => {
  for (const sequence of FILE.sequences) {
    const bytes = sequence.steps.filter(({ dir }) => dir === 'D').reduce((sum, step) => sum + step.hex.length / 2, 0)
    for (let cut = 1; cut < bytes; cut++) await againstServer(sequence, { attach: cut % 2 === 0 }, { cutAt: cut })
    t.pass(`${sequence.name}, ${bytes} places`)
  }
})

/** The exchange that our client is too polite for: a window of 0 is where a node of the original loses an acknowledgement for good (specification section 4.7). */
const LOCKSTEP = 'retrieve with window 0 (lockstep), fragment size 3'

/** What the recorded dialer did, in terms of our client. */
const DRIVES: Record<string, (client: StorageConnection) => Promise<unknown>> = {
  'oneshot upload, 7 bytes, fragment size 3': client => put(client, chopped(CONTENT, [2, 4]), { size: 7, fragmentBytes: 3, fileId: FILE_ID, bucketId: BUCKET_ID }),
  'upload of an exact multiple, 6 bytes, fragment size 3': client => upload(client, [CONTENT.subarray(0, 6)], { size: 6, fragmentBytes: 3, fileId: FILE_ID, bucketId: BUCKET_ID }),
  'durable: reserve temp, put, interrupt, query, append, commit': async client => {
    const id = await reserve(client, 6, { durable: true, fileId: FILE_ID, bucketId: BUCKET_ID })
    const acknowledged = Promise.withResolvers<void>()
    const half = async function * (): AsyncGenerator<Uint8Array> {
      yield CONTENT.subarray(0, 3)
      await acknowledged.promise
      throw new Error('interrupted')
    }
    await t.rejects(putChunk(client, id, half(), { size: 6, fragmentBytes: 3, onEvent: ({ event }) => { if (event === 'progress') acknowledged.resolve() } }), { message: 'interrupted' })
    const size = (await query(client, id))?.size as number
    await putChunk(client, id, [CONTENT.subarray(size, 6)], { append: true, size: 6 - size, fragmentBytes: 3 })
    await commit(client, id)
  },
  'put refused, unknown chunk': client => t.rejects(putChunk(client, '0'.repeat(32), [], { size: 1 }), { code: 'ERR_NOT_FOUND', remote: true }),
  'retrieve a range 2..5': async client => {
    let text = ''
    for await (const bytes of retrieve(client, CHUNK_ID, { size: 7, range: { start: 2, end: 5 } })) text += new TextDecoder().decode(bytes.subarray())
    t.equal(text, 'cde')
  },
  'delete (no reply packet)': client => remove(client, CHUNK_ID)
}

/** Where the older wire has no words for what the newer one says: no file, no bucket, and no commit. */
const SEED_DRIVES: typeof DRIVES = {
  'oneshot upload, 7 bytes, fragment size 3': client => put(client, chopped(CONTENT, [2, 4]), { size: 7, fragmentBytes: 3 }),
  'upload of an exact multiple, 6 bytes, fragment size 3': client => upload(client, [CONTENT.subarray(0, 6)], { size: 6, fragmentBytes: 3 })
}

async function againstClient (sequence: Sequence, drive: (client: StorageConnection) => Promise<unknown>, pair: PairOptions, { acceptorAsks = false } = {}): Promise<void> {
  const [left, right] = duplexPair(pair)
  const wire = { profile: profileOf(sequence) }
  const speaker = new Speaker(right, wire.profile)
  if (acceptorAsks) await speaker.peer.send(hexdump(DIALER_ID))
  const client = acceptorAsks ? await acceptNode(left, wire) : connectNode(left, { nodeId: DIALER_ID, ...wire })
  if (!acceptorAsks) await speaker.peer.expect(hexdump(DIALER_ID))
  const driven = drive(client)
  // Whatever fails is told below; until then it has somebody to tell.
  driven.catch(() => {})

  // Ours are random: the first channel that is opened is the recording's 1, and so on.
  const ours: Uint8Array[] = []
  for (const step of sequence.steps) {
    const wanted = bytesOf(step)
    if (step.dir === 'A') {
      wanted.set(ours[(wanted[4] as number) - 1] as Uint8Array, 1)
      await speaker.peer.send(wanted)
      continue
    }
    const came = await speaker.raw()
    const id = came.slice(1, 5)
    t.equal((id[0] as number) >= ACCEPTORS, acceptorAsks, 'an id of the range of who opens')
    if (step.packet === 'ChannelOpen') ours.push(id)
    const place = ours.findIndex(other => Buffer.compare(other, id) === 0)
    came.set([0, 0, 0, place + 1], 1)
    t.equal(Buffer.from(came).toString('hex'), step.hex, `${sequence.name}: ${step.packet}`)
  }
  await driven
  t.equal(client.size, 0)
  await Promise.all([client.close(), speaker.peer.end()])
  t.equal((await speaker.peer.readUntilEnd()).length, 0)
}

for (const acceptorAsks of [false, true]) {
  t.test(`every recorded exchange, our client as the ${acceptorAsks ? 'acceptor' : 'dialer'}, byte for byte, in both profiles`, async t => {
    for (const sequence of [...FILE.sequences, ...SEEDS]) {
      const drive = sequence.profile === 'seed' ? SEED_DRIVES[sequence.name] ?? DRIVES[sequence.name] : DRIVES[sequence.name]
      if (drive === undefined) {
        t.equal(sequence.name, LOCKSTEP, 'the one that a client of ours never starts: see below')
        continue
      }
      for (const pair of [{}, { attach: true }, { chunkBytes: 1 }]) await againstClient(sequence, drive, pair, { acceptorAsks })
    }
  })
}

t.test('conduct 4: the exchange with a window of 0 is refused by our client, which plays it with a window of 1', async t => {
  const recorded = FILE.sequences.find(({ name }) => name === LOCKSTEP) as Sequence
  const read = async (client: StorageConnection, window: number): Promise<void> => {
    let text = ''
    for await (const bytes of retrieve(client, CHUNK_ID, { size: 7, window })) text += new TextDecoder().decode(bytes.subarray())
    t.equal(text, 'abcdefg')
  }
  const [left, right] = duplexPair()
  const client = connectNode(left, { nodeId: DIALER_ID })
  await t.rejects(read(client, 0), RangeError)
  const speaker = new Speaker(right)
  await speaker.peer.expect(hexdump(DIALER_ID))
  await Promise.all([client.close(), speaker.peer.end()])
  t.equal((await speaker.peer.readUntilEnd()).length, 0, 'not a byte of it was sent')

  // The window stands behind the header and the chunk's id.
  const steps = recorded.steps.map(step => step.packet === 'Retrieve' ? { ...step, hex: step.hex.slice(0, 50) + '0001' + step.hex.slice(54) } : step)
  t.equal(steps.filter((step, index) => step.hex !== recorded.steps[index]?.hex).length, 1)
  for (const pair of [{}, { attach: true }, { chunkBytes: 1 }]) await againstClient({ ...recorded, steps }, async client => await read(client, 1), pair)
})

t.test('a client never asks for a window of 0, or of more than 16', async t => {
  const [left] = duplexPair()
  const client = connectNode(left, { nodeId: DIALER_ID })
  for (const window of [0, 17, 1.5]) t.throws(() => retrieve(client, CHUNK_ID, { window }), RangeError)
  client.abort(new Error('done'))
})
