import type { Chunk, ChunkSource } from '@ropewalk/interface'
import t from 'tap'
import { chunk } from '../src/chunk.ts'
import { CasyncError } from '../src/errors.ts'
import { identify, type PlacedChunk } from '../src/identify.ts'
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
