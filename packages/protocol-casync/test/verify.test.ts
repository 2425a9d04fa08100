import type { Chunk, ChunkSource } from '@ropewalk/interface'
import { castr, nodeCompression } from '@ropewalk/store-castr'
import { mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { chain, type Trouble } from '../src/chain.ts'
import { chunk } from '../src/chunk.ts'
import { CasyncError } from '../src/errors.ts'
import { identify, type PlacedChunk } from '../src/identify.ts'
import { decodeIndex, encodeIndex } from '../src/index-file.ts'
import { MemoryStore } from '../src/memory-store.ts'
import { verify } from '../src/verify.ts'
import { input, nodeHash } from './inputs.ts'

async function chunksOf (expression: string): Promise<PlacedChunk[]> {
  const chunks = []
  for await (const one of identify(nodeHash)(chunk({ min: 256, avg: 1024, max: 4096 })([input(expression)]))) chunks.push(one)
  return chunks
}

t.test('what is missing, damaged or of another length is counted and named', async t => {
  const chunks = await chunksOf("ctr('verify',20000)")
  const store = new MemoryStore(nodeHash)
  for (const one of chunks.slice(1)) await store.put(one)
  const odd: ChunkSource = {
    async get (id, options) {
      if (id === chunks[2]?.id) throw new CasyncError('ERR_CHUNK_DAMAGED', 'transfer', 'damaged', { id })
      if (id === chunks[3]?.id) return { id, bytes: new Uint8Array(1) }
      return await store.get(id, options)
    }
  }
  const troubles: unknown[] = []
  const counts = await verify(chunks, odd, { onTrouble: (id, error) => troubles.push([id, (error as CasyncError).code]) })
  t.same(troubles, [[chunks[0]?.id, 'ERR_CHUNK_MISSING'], [chunks[2]?.id, 'ERR_CHUNK_DAMAGED'], [chunks[3]?.id, 'ERR_CHUNK_SIZE']])
  t.match(counts, { good: chunks.length - 3, missing: 1, bad: 2 })
  const clean = await verify((await chunksOf("ctr('verify',20000)")).slice(1).map(({ id }) => ({ id })), store)
  t.same(clean, { good: chunks.length - 1, missing: 0, bad: 0, bytes: 20000 - (chunks[0] as Chunk).bytes.length }, 'by id alone')
  await t.rejects(verify(chunks, store, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
})

t.test('a bit flipped at every byte of a chunk on disk is found, named, and healed from another store', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'verify-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const [one] = await chunksOf('text(700)') as [PlacedChunk]
  const good = new MemoryStore(nodeHash)
  await good.put(one)
  const store = castr(directory, { durable: false, compression: nodeCompression() })
  await store.put(one)
  const path = join(directory, one.id.slice(0, 4), `${one.id}.cacnk`)
  const file = await readFile(path)
  for (let at = 0; at < file.length; at++) {
    const flipped = Buffer.from(file)
    flipped[at] = (flipped[at] as number) ^ 1 << at % 8
    await chmod(path, 0o644)
    await writeFile(path, flipped)
    const alone = await store.get(one.id, { length: one.bytes.length }).catch((error: unknown) => error)
    // A bit of the frame's head may mean nothing: then the chunk is the chunk.
    if (!(alone instanceof Error)) {
      t.ok(Buffer.from(one.bytes).equals((alone as Chunk).bytes), `byte ${at}`)
      continue
    }
    t.match(alone, { id: one.id, code: /^ERR_CHUNK_(DAMAGED|SIZE)$/ }, `byte ${at}`)
    const troubles: Trouble[] = []
    const found = await chain([store, good], { onTrouble: trouble => troubles.push(trouble) }).get(one.id, { length: one.bytes.length })
    t.ok(Buffer.from(one.bytes).equals(found?.bytes ?? Buffer.alloc(0)))
    t.match(troubles, [{ id: one.id, healed: true }])
    t.ok(Buffer.from(one.bytes).equals((await store.get(one.id))?.bytes ?? Buffer.alloc(0)), 'and the store has it again')
  }
})

t.test('a bit flipped at every byte of an index is refused, or names other chunks, which no store has', async t => {
  const chunks = await chunksOf("ctr('index',6000)")
  const parts = []
  for await (const part of encodeIndex({ sizes: { min: 256, avg: 1024, max: 4096 } })(chunks)) parts.push(part)
  const index = Buffer.concat(parts)
  const store = new MemoryStore(nodeHash)
  for (const one of chunks) await store.put(one)
  for (let at = 0; at < index.length; at++) {
    const flipped = Buffer.from(index)
    flipped[at] = (flipped[at] as number) ^ 1 << at % 8
    try {
      const { missing, bad } = await verify(decodeIndex()([flipped]), store)
      // The sizes and the features in the head say how it was cut, not what is in it.
      if (missing + bad === 0) t.ok(at >= 16 && at < 48, `byte ${at}`)
      else t.pass(`byte ${at}`)
    } catch (error) {
      t.match(error, { code: /^ERR_(INDEX|TRUNCATED)/ }, `byte ${at}`)
    }
  }
})
