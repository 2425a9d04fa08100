/**
 * One bit flipped, at every byte of an index, of a chunk's file and of recorded sessions. Each is found and named, or says nothing of the content, which is
 * then whole; the bytes of the second kind are listed here by what they mean. Of a long session, every byte but those within chunks, of which some.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Channel, ChunkId } from '@ropewalk/interface'
import { castr } from '@ropewalk/store-castr'
import { duplexPair } from '@ropewalk/testing'
import t from 'tap'
import { assemble } from '../src/assemble.ts'
import { chain, type Trouble } from '../src/chain.ts'
import { encodeIndex, openIndex } from '../src/index-file.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { MessageDecoder, type Message } from '../src/message-codec.ts'
import { pull } from '../src/pull.ts'
import { servePush } from '../src/serve-push.ts'
import { chunksOf, gather, MemoryBlob } from './blobs.ts'
import { counter, nodeHash } from './inputs.ts'
import { compression } from './scene.ts'
import { decodeAll, session } from './sessions.ts'

interface Coded extends Error {
  readonly code?: unknown
  readonly id?: ChunkId
  readonly offset?: number
}

function flipped (bytes: Uint8Array, offset: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[offset] = (copy[offset] as number) ^ 1 << bit
  return copy
}

const BITS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7]

t.test('an index: what is wrong is said with its place, or with the chunk that is not there', async t => {
  const blob = counter('flipped', 600)
  const chunks = await chunksOf(blob)
  const store = new MemoryStore(nodeHash)
  for (const chunk of chunks) await store.put(chunk)
  const index = Buffer.concat(await gather(encodeIndex({ sizes: { min: 48, avg: 128, max: 512 } })(chunks)))
  const silent = new Set<number>()
  const codes = new Set<unknown>()
  for (let offset = 0; offset < index.length; offset++) {
    for (const bit of BITS) {
      const target = new MemoryBlob()
      try {
        await assemble((await openIndex([flipped(index, offset, bit)])).items, store, target, nodeHash)
        if (!Buffer.from(target.bytes).equals(blob)) t.fail(`byte ${offset}, bit ${bit}: another blob`)
        silent.add(offset)
      } catch (error) {
        const { code, id, offset: place, message } = error as Coded
        codes.add(code)
        const named = code === 'ERR_INDEX' ? place !== undefined && place <= offset && message.includes(String(place)) : (code === 'ERR_CHUNK_MISSING' || code === 'ERR_CHUNK_SIZE') && id !== undefined
        if (!named && code !== 'ERR_TRUNCATED') t.fail(`byte ${offset}, bit ${bit}: ${String(code)} ${message}`)
      }
    }
  }
  t.same([...codes].sort(), ['ERR_CHUNK_MISSING', 'ERR_CHUNK_SIZE', 'ERR_INDEX'])
  // Features, of which one says how ids are made, which either kind of verification finds out; the sizes by which the maker cut.
  t.ok([...silent].every(offset => offset >= 16 && offset < 48), `bytes that say nothing of the content: ${[...silent].join(' ')}`)
})

const CONTENT = Buffer.from(Array.from({ length: 10 }, (_, i) => `yarn ${i * i * 7919 % 1000}, strand ${i * 31 % 17}\n`).join(''))

/** The file of a chunk in a store of its own. */
const FORMS: ReadonlyArray<readonly [name: string, suffix: string, encode: () => Promise<Uint8Array>, meaningless: (offset: number, bit: number, length: number) => boolean]> = [
  ['uncompressed', '', async () => CONTENT, () => false],
  // RFC 8878, 3.1.1.1.1.3: a bit of the descriptor that nobody uses.
  ['zstd', '.cacnk', async () => await compression.compress(CONTENT), (offset, bit) => offset === 4 && bit === 4],
  // RFC 1952: the time, what the compressor thought of it and its system, whether it is text; and what fills the last byte of what is deflated.
  ['gzip', '.cacnk', async () => gzipSync(CONTENT), (offset, bit, length) => (offset >= 4 && offset <= 9) || (offset === 3 && bit === 0) || offset === length - 9]
]

for (const [name, suffix, encode, meaningless] of FORMS) {
  t.test(`the file of a chunk, ${name}: found, taken from the next store, and replaced`, async t => {
    const root = await mkdtemp(join(tmpdir(), 'flipped-'))
    t.teardown(async () => { await rm(root, { recursive: true }) })
    const id = Buffer.from(await nodeHash('sha512-256', CONTENT)).toString('hex')
    const good = await encode()
    const shard = join(root, 'a', id.slice(0, 4))
    const path = join(shard, id + suffix)
    const other = new MemoryStore(nodeHash)
    await other.put({ id, bytes: CONTENT })
    let found = 0
    for (let offset = 0; offset < good.length; offset++) {
      for (const bit of BITS) {
        await rm(shard, { recursive: true, force: true })
        await mkdir(shard, { recursive: true })
        await writeFile(path, flipped(good, offset, bit))
        const store = castr(join(root, 'a'), { durable: false })
        const alone = await store.get(id, { length: CONTENT.length }).then(chunk => chunk, (error: unknown) => error as Coded)
        if (!(alone instanceof Error)) {
          if (alone === undefined || !CONTENT.equals(alone.bytes) || !meaningless(offset, bit, good.length)) t.fail(`byte ${offset}, bit ${bit}: taken`)
          continue
        }
        found++
        if ((alone.code !== 'ERR_CHUNK_DAMAGED' && alone.code !== 'ERR_CHUNK_SIZE') || alone.id !== id) t.fail(`byte ${offset}, bit ${bit}: ${alone.message}`)
        const troubles: Trouble[] = []
        const chunk = await chain([store, other], { onTrouble: trouble => { troubles.push(trouble) } }).get(id, { length: CONTENT.length })
        const [trouble] = troubles
        if (chunk === undefined || !CONTENT.equals(chunk.bytes) || troubles.length !== 1 || trouble?.id !== id || !trouble.healed) t.fail(`byte ${offset}, bit ${bit}: not healed`)
        await store.close()
        const healed = await castr(join(root, 'a')).get(id).catch(() => undefined)
        if (healed === undefined || !CONTENT.equals(healed.bytes)) t.fail(`byte ${offset}, bit ${bit}: still damaged`)
      }
    }
    t.ok(found >= (good.length - 8) * 8, `${found} of ${good.length * 8} flips were found; the others say nothing of the content`)
  })
}

/** Says `bytes` in the messages of `recorded`, which are as long, a chunk for each that is asked for, whatever its id is now; and then ends. */
async function playInTurn (recorded: readonly Place[], bytes: Uint8Array, side: (channel: Channel) => Promise<unknown>): Promise<Coded | undefined> {
  const [left, right] = duplexPair({ capacityBytes: 1024 * 1024 })
  let asked = 0
  let gone = false
  let wake: (() => void) | undefined
  const hearing = (async () => {
    const decoder = new MessageDecoder()
    for await (const list of left.source) {
      for (const piece of list) for (const message of decoder.push(Uint8Array.from(piece))) if (message.type === 'REQUEST') asked += message.ids.length / 32
      wake?.()
    }
  })().catch(() => {}).finally(() => {
    gone = true
    wake?.()
  })
  async function * saying (): AsyncGenerator<Uint8Array> {
    let chunks = 0
    const types = decodeAll(bytes).messages.map(({ type }) => type)
    // Behind a frame that is none any more, nobody knows what comes: all of it does.
    const readable = recorded.findIndex(({ type }, i) => types[i] !== type)
    for (const [i, { type, start, end }] of recorded.entries()) {
      if (type === 'CHUNK' && (readable === -1 || i < readable)) {
        while (asked <= chunks && !gone) await new Promise<void>(resolve => { wake = resolve })
        chunks++
      }
      yield bytes.subarray(start, end)
    }
  }
  left.sink(saying()).catch(() => {})
  try {
    await side(right)
    return undefined
  } catch (error) {
    return error as Coded
  } finally {
    await hearing
  }
}

interface Place {
  readonly type: Message['type']
  readonly start: number
  readonly end: number
}

function placesOf (bytes: Uint8Array): Place[] {
  let start = 0
  return decodeAll(bytes).messages.map(({ type }) => {
    const place = { type, start, end: start + new DataView(bytes.buffer, bytes.byteOffset + start).getUint32(0, true) }
    start = place.end
    return place
  })
}

/** Every byte of what is no content of a chunk, and of that every 1999th. */
function * offsetsOf (recorded: readonly Place[]): Generator<readonly [offset: number, bits: readonly number[]]> {
  const short = (recorded.at(-1)?.end ?? 0) < 1000
  for (const { type, start, end } of recorded) {
    for (let offset = start; offset < end; offset++) {
      const within = type === 'CHUNK' && offset >= start + 66 && end - start > 200
      if (!within || offset % 1999 === 0) yield [offset, short ? BITS : [offset % 8]]
    }
  }
}

for (const name of ['pull-one-byte', 'pull-gzip']) {
  t.test(`the frames of ${name}: our client finds what was flipped, or has all of it`, async t => {
    const { s2c } = session(name)
    const recorded = placesOf(s2c)
    const read = async (bytes: Uint8Array): Promise<{ blob: Buffer, error?: Coded }> => {
      const target = new MemoryBlob()
      const error = await playInTurn(recorded, bytes, async channel => {
        await using served = await pull(channel, { hash: nodeHash, compression })
        await assemble((await openIndex(served.index)).items, served, target, nodeHash)
      })
      return { blob: Buffer.from(target.bytes), ...(error !== undefined && { error }) }
    }
    const { blob, error } = await read(s2c)
    t.equal(error, undefined)
    const codes = new Map<unknown, number>()
    const silent = new Set<string>()
    for (const [offset, bits] of offsetsOf(recorded)) {
      for (const bit of bits) {
        const got = await read(flipped(s2c, offset, bit))
        const code = got.error === undefined ? 'none' : got.error.code
        codes.set(code, (codes.get(code) ?? 0) + 1)
        if (got.error === undefined) silent.add(partOf(recorded, offset))
        if (got.error === undefined ? !got.blob.equals(blob) : !String(code).startsWith('ERR_')) t.fail(`byte ${offset}, bit ${bit}: ${got.error?.stack ?? 'another blob'}`)
      }
    }
    t.comment(JSON.stringify(Object.fromEntries(codes)))
    t.same([...silent].filter(part => !SILENT.has(part)), [], 'what says nothing of the content')
  })
}

/** Services that nobody wants; of an index, features and the sizes by which its maker cut; that a chunk was compressed, by how, and its bits without meaning. */
const SILENT: ReadonlySet<string> = new Set(['HELLO flags', 'INDEX 0 ... 47', 'CHUNK head of the data'])

/** What stands there, in words. */
function partOf (recorded: readonly Place[], offset: number): string {
  const { type, start } = recorded.find(({ end }) => offset < end) as Place
  const at = offset - start - 16
  if (at < 0) return `${type} frame`
  if (type === 'HELLO') return 'HELLO flags'
  if (type === 'INDEX' && at < 48) return 'INDEX 0 ... 47'
  return type === 'CHUNK' && at >= 40 && at < 50 ? 'CHUNK head of the data' : `${type} ${at}`
}

for (const name of ['push-nothing-missing', 'push-xz']) {
  t.test(`the frames of ${name}: our server finds what was flipped, or has all of it`, async t => {
    const { c2s } = session(name)
    const recorded = placesOf(c2s)
    const had = new MemoryStore(nodeHash)
    if (name === 'push-nothing-missing') for (const chunk of await chunksHeld(c2s)) await had.put(chunk)
    const serve = async (bytes: Uint8Array): Promise<{ index: Buffer | undefined, store: MemoryStore, error?: Coded }> => {
      const store = new MemoryStore(nodeHash)
      for await (const id of had.list()) await store.put(await had.get(id) as NonNullable<Awaited<ReturnType<typeof had.get>>>, { verified: true })
      const pieces: Uint8Array[] = []
      let index: Buffer | undefined
      const file = { write: async (piece: Uint8Array) => { pieces.push(Uint8Array.from(piece)) }, commit: async () => { index = Buffer.concat(pieces) }, discard: async () => {} }
      const error = await playInTurn(recorded, bytes, async channel => await servePush(channel, { index: file, store, hash: nodeHash, compression }))
      return { index, store, ...(error !== undefined && { error }) }
    }
    const whole = await serve(c2s)
    t.ok(whole.error === undefined && whole.index !== undefined)
    const codes = new Map<unknown, number>()
    for (const [offset, bits] of offsetsOf(recorded)) {
      for (const bit of bits) {
        const { index, store, error } = await serve(flipped(c2s, offset, bit))
        const code = error === undefined ? 'none' : error.code
        codes.set(code, (codes.get(code) ?? 0) + 1)
        if (error !== undefined && !String(code).startsWith('ERR_')) t.fail(`byte ${offset}, bit ${bit}: ${error.stack}`)
        // An index that appears has all its chunks.
        if (index !== undefined) for await (const { id } of (await openIndex([index])).items) if (!await store.has(id)) t.fail(`byte ${offset}, bit ${bit}: ${id} is not there`)
        if (error === undefined && index === undefined) t.fail(`byte ${offset}, bit ${bit}: nothing was made, and nobody complained`)
      }
    }
    t.comment(JSON.stringify(Object.fromEntries(codes)))
  })
}

/** What the recorded server had already. */
async function chunksHeld (c2s: Uint8Array): Promise<Array<{ id: ChunkId, bytes: Uint8Array }>> {
  const store = castr(new URL('../../../fixtures/casync/inputs/srv.castr', import.meta.url).pathname)
  const { items } = await openIndex(decodeAll(c2s).messages.flatMap(message => message.type === 'INDEX' ? [message.data] : []))
  const chunks = []
  for await (const { id } of items) chunks.push(await store.get(id) as { id: ChunkId, bytes: Uint8Array })
  return chunks
}
