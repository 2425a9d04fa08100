import type { Bytes, Channel, ChunkId, ChunkSource, LentBytes } from '@ropewalk/interface'
import { duplexPair, patternAt, scriptedPeer, turn } from '@ropewalk/testing'
import t from 'tap'
import type { IndexItem } from '../src/index-codec.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { encodeMessage, MessageDecoder, owned, type Message } from '../src/message-codec.ts'
import { pull, type PullSession } from '../src/pull.ts'
import { takeMissing, type ChunkInlet } from '../src/take-missing.ts'
import { servePull } from '../src/serve-pull.ts'
import { nodeHash } from './inputs.ts'
import { compression } from './scene.ts'

const CHUNKS: readonly Uint8Array[] = Array.from({ length: 60 }, (_, i) => patternAt(977 * i, 20_000 + 331 * i))
const hex = async (bytes: Uint8Array): Promise<ChunkId> => Buffer.from(await nodeHash('sha512-256', bytes)).toString('hex')
const IDS = await Promise.all(CHUNKS.map(hex))
const PACKED = await Promise.all(CHUNKS.map(async bytes => Buffer.from(await compression.compress(bytes))))
const options = { hash: nodeHash, compression, index: false, chunks: true }

async function full (): Promise<MemoryStore> {
  const store = new MemoryStore(nodeHash)
  for (const [i, bytes] of CHUNKS.entries()) await store.put({ id: IDS[i] as string, bytes })
  return store
}

async function served (right: Channel, left: Channel, work: (session: PullSession) => Promise<void>, store?: ChunkSource): Promise<void> {
  const serving = servePull(left, { store: store ?? await full(), compression })
  const session = await pull(right, options)
  await work(session)
  await session.close()
  await serving
}

for (const attach of [true, false]) {
  t.test(`chunks are handed on as they came${attach ? ', by a channel that lends' : ''}`, async t => {
    const [left, right] = duplexPair({ attach, chunkBytes: 30_000 })
    await served(right, left, async session => {
      const waiting = Promise.withResolvers<void>()
      const copies = await Promise.all(IDS.map(async (id, i) => {
        let copy: Buffer | undefined
        // Some take their time, and hold up nobody: what they were lent is overwritten meanwhile.
        const taken = session.take(id, (CHUNKS[i] as Uint8Array).length, async ({ id: came, compressed, data }) => {
          t.equal(came, id)
          t.equal(compressed, true)
          copy = Buffer.from(data)
          if (i % 7 === 0) await waiting.promise
          return undefined
        })
        if (i === 59) waiting.resolve()
        t.equal(await taken, 'used')
        return copy
      }))
      for (const [i, copy] of copies.entries()) t.ok(copy?.equals(PACKED[i] as Buffer), `chunk ${i}`)
    })
  })

  t.test(`a chunk that could not be used is made here, or is an error${attach ? ', by a channel that lends' : ''}`, async t => {
    const [left, right] = duplexPair({ attach })
    const peer = scriptedPeer(left)
    const begun = pull(right, options)
    const say = async (...messages: Message[]): Promise<void> => { await peer.send(Buffer.concat(messages.flatMap(encodeMessage))) }
    await say({ type: 'HELLO', flags: 1n })
    const session = await begun
    const [good, gone, damaged, got] = IDS as unknown as readonly [string, string, string, string]
    const refuse = async ({ data }: { readonly data: Uint8Array }): Promise<Uint8Array> => {
      const copy = new Uint8Array(data)
      await turn()
      return copy
    }
    const taken = [good, gone, damaged].map(async (id, i) => await session.take(id, (CHUNKS[i] as Uint8Array).length, refuse))
    const getting = session.get(got)
    const wrong = taken[2]?.then(() => undefined, (error: Error & { code: string }) => error.code)
    await say(
      { type: 'CHUNK', compressed: true, id: good, data: PACKED[0] as Buffer },
      { type: 'MISSING', id: gone },
      { type: 'CHUNK', compressed: true, id: damaged, data: PACKED[9] as Buffer },
      { type: 'CHUNK', compressed: true, id: got, data: PACKED[3] as Buffer }
    )
    const made = await taken[0]
    t.ok(made !== 'used' && Buffer.compare(made?.bytes ?? new Uint8Array(), CHUNKS[0] as Uint8Array) === 0)
    t.equal(await taken[1], undefined)
    t.equal(await session.take(gone, 5, refuse), undefined, 'it is known to be missing')
    t.equal(await wrong, 'ERR_CHUNK_SIZE')
    t.same(Buffer.from((await getting)?.bytes ?? []), Buffer.from(CHUNKS[3] as Uint8Array), 'whatever came behind it')
    await t.rejects(session.take(good, 5, refuse), { code: 'ERR_ASKED_BEFORE' })
    await t.rejects(session.take(IDS[4] as string, 5, refuse, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
    await Promise.all([peer.end(), session.close()])
  })
}

/** `channel`, which tells when it has done with what it was given, and sends what `pass` makes of that. */
function watched (channel: Channel, pass: (bytes: Bytes) => Bytes | Promise<Bytes>): Channel & { releases: true } {
  return {
    releases: true,
    source: channel.source,
    sink: async (source, options) => {
      await channel.sink((async function * () { for await (const bytes of source) yield await pass(bytes) })(), options)
    },
    abort: reason => { channel.abort(reason) },
    [Symbol.asyncDispose]: async () => { await channel[Symbol.asyncDispose]() }
  }
}

t.test('a store that lends gets back what a channel that tells has done with, and nothing before', async t => {
  const [left, right] = duplexPair({})
  const lent = new Map<ChunkId, boolean>()
  const store: ChunkSource = {
    get: async () => t.fail('it lends') as never,
    async lend (id): Promise<LentBytes | undefined> {
      const memory = new Uint8Array(PACKED[IDS.indexOf(id)] as Buffer)
      lent.set(id, false)
      return {
        bytes: memory,
        release () {
          t.equal(lent.get(id), false, 'once')
          lent.set(id, true)
          memory.fill(0)
        }
      }
    }
  }
  const telling = watched(left, async bytes => {
    await turn()
    return Uint8Array.from(bytes.subarray())
  })
  await served(right, telling, async session => {
    const chunks = await Promise.all(IDS.map(async id => await session.get(id)))
    for (const [i, chunk] of chunks.entries()) t.ok(Buffer.compare(chunk?.bytes ?? new Uint8Array(), CHUNKS[i] as Uint8Array) === 0, `chunk ${i}`)
  }, store)
  t.same([...lent.values()], IDS.map(() => true))
})

t.test('what is not lent is asked for, in its turn, and what comes together goes together', async t => {
  const [left, right] = duplexPair({})
  const asked: ChunkId[] = []
  let released = 0
  const store: ChunkSource = {
    async get (id) {
      asked.push(id)
      await turn()
      return { id, bytes: CHUNKS[IDS.indexOf(id)] as Uint8Array, compressed: PACKED[IDS.indexOf(id)] as Buffer }
    },
    lend: async id => IDS.indexOf(id) % 3 === 1 ? undefined : { bytes: PACKED[IDS.indexOf(id)] as Buffer, release: () => { released++ } }
  }
  const pieces: number[] = []
  const telling = watched(left, bytes => {
    if (bytes.byteLength > 1000) pieces.push(bytes instanceof Uint8Array ? 1 : [...bytes].length)
    return bytes
  })
  await served(right, telling, async session => {
    const chunks = await Promise.all(IDS.map(async id => await session.get(id)))
    for (const [i, chunk] of chunks.entries()) t.ok(Buffer.compare(chunk?.bytes ?? new Uint8Array(), CHUNKS[i] as Uint8Array) === 0, `chunk ${i}`)
  }, store)
  const unlent = IDS.filter((_, i) => i % 3 === 1)
  t.same(asked, unlent)
  t.equal(released, IDS.length - unlent.length)
  t.ok(pieces.some(count => count > 2), `frames went in ${pieces.join(', ')} pieces`)
})

t.test('an answer does not wait for the one behind it, though the one after that is there', async t => {
  const [left, right] = duplexPair({})
  const [first, second, third] = IDS as [ChunkId, ChunkId, ChunkId]
  const [arrived, ready] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const store: ChunkSource = {
    async get (id) {
      if (id === third) ready.resolve()
      if (id === first) {
        await ready.promise
        for (let turns = 0; turns < 10; turns++) await turn()
      }
      if (id === second) await arrived.promise
      return { id, bytes: CHUNKS[IDS.indexOf(id)] as Uint8Array, compressed: PACKED[IDS.indexOf(id)] as Buffer }
    }
  }
  await served(right, left, async session => {
    const asked = [first, second, third].map(async id => await session.get(id))
    t.equal((await asked[0])?.id, first)
    arrived.resolve()
    t.same((await Promise.all(asked)).map(chunk => chunk?.id), [first, second, third])
  }, store)
})

t.test('chunks that are missing here are taken as they came, and kept here where nobody could use them', async t => {
  const [left, right] = duplexPair({})
  const items = CHUNKS.map((bytes, i): IndexItem => ({ id: IDS[i] as string, start: i * 100_000, end: i * 100_000 + bytes.length }))
  await served(right, left, async session => {
    const kept: ChunkId[] = []
    const store = new MemoryStore(nodeHash)
    const inlet: ChunkInlet = {
      async unpack (id, length, { data, compressed }) {
        t.equal(length, (CHUNKS[IDS.indexOf(id)] as Uint8Array).length)
        t.ok(compressed)
        const copy = new Uint8Array(data)
        await turn()
        if (IDS.indexOf(id) % 10 === 3) return copy
        kept.push(id)
      }
    }
    const taken: ChunkId[] = []
    for await (const { id } of takeMissing(session, inlet, store)(items)) taken.push(id)
    t.same(taken, IDS, 'in their order')
    t.same(new Set(kept), new Set(IDS.filter((_, i) => i % 10 !== 3)))
    const put: ChunkId[] = []
    for await (const id of store.list()) put.push(id)
    t.same(new Set(put), new Set(IDS.filter((_, i) => i % 10 === 3)), 'what came back is verified and put')
    const gone = 'ab'.repeat(32)
    await t.rejects(async () => { for await (const _ of takeMissing(session, inlet, store)([{ id: gone, start: 0, end: 5 }])); }, { code: 'ERR_CHUNK_MISSING', id: gone })
  })
})

t.test('for a channel that does not tell nothing is lent: nobody could give it back', async t => {
  const [left, right] = duplexPair({})
  const store: ChunkSource = {
    get: async id => id === IDS[1] ? undefined : { id, bytes: CHUNKS[IDS.indexOf(id)] as Uint8Array, compressed: PACKED[IDS.indexOf(id)] as Buffer },
    lend: async () => t.fail('who says that it is done with?') as never
  }
  await served(right, left, async session => {
    t.ok(await session.get(IDS[0] as string))
    t.equal(await session.get(IDS[1] as string), undefined, 'what is not there is missing')
  }, store)
})

t.test('a decoder that lends overwrites, and one that does not does not', async t => {
  const messages: Message[] = CHUNKS.slice(0, 5).map((data, i) => ({ type: 'CHUNK', compressed: false, id: IDS[i] as string, data: Uint8Array.from(data) }))
  messages.push({ type: 'REQUEST', high: true, ids: new Uint8Array(64).fill(7) })
  const bytes = Buffer.concat(messages.flatMap(encodeMessage))
  const decode = (decoder: MessageDecoder, keep: (message: Message) => Message): boolean => {
    const decoded: Message[] = []
    for (let at = 0; at < bytes.length; at += 7000) {
      const piece = Uint8Array.from(bytes.subarray(at, at + 7000))
      for (const message of decoder.push(piece)) decoded.push(keep(message))
      if (keep === owned) piece.fill(0)
    }
    decoder.end()
    return Buffer.concat(decoded.flatMap(encodeMessage)).equals(bytes)
  }
  t.equal(decode(new MessageDecoder(), message => message), true)
  t.equal(decode(new MessageDecoder({ lends: true }), owned), true)
  t.equal(decode(new MessageDecoder({ lends: true }), message => message), false)
})
