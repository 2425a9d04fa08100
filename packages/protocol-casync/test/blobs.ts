import type { Chunk, ChunkId, ChunkSource } from '@ropewalk/interface'
import { chunk } from '../src/chunk.ts'
import type { ChunkSizes } from '../src/chunk-sizes.ts'
import { identify, type PlacedChunk } from '../src/identify.ts'
import type { BlobTarget } from '../src/assemble.ts'
import { nodeHash } from './inputs.ts'

export const SMALL: ChunkSizes = { min: 48, avg: 128, max: 512 }

export async function chunksOf (bytes: Uint8Array, sizes: ChunkSizes = SMALL): Promise<PlacedChunk[]> {
  return await gather(identify(nodeHash)(chunk(sizes)([bytes])))
}

export async function gather<T> (source: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all = []
  for await (const one of source) all.push(one)
  return all
}

/** A blob in memory. */
export class MemoryBlob implements BlobTarget {
  bytes: Uint8Array
  writes = 0

  constructor (bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = Uint8Array.from(bytes)
  }

  async read (into: Uint8Array, position: number): Promise<number> {
    const part = this.bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }

  async write (bytes: Uint8Array, position: number): Promise<void> {
    this.writes++
    if (position + bytes.length > this.bytes.length) await this.truncate(position + bytes.length)
    this.bytes.set(bytes, position)
  }

  async truncate (size: number): Promise<void> {
    const resized = new Uint8Array(size)
    resized.set(this.bytes.subarray(0, size))
    this.bytes = resized
  }
}

/** Chunks, with a list of what was asked for, and of how much was on its way at a time. */
export class CountingSource implements ChunkSource {
  readonly asked: ChunkId[] = []
  readonly #chunks: Map<ChunkId, Chunk>
  under = 0
  most = 0

  constructor (chunks: Iterable<Chunk>) {
    this.#chunks = new Map(Array.from(chunks, chunk => [chunk.id, chunk]))
  }

  async get (id: ChunkId): Promise<Chunk | undefined> {
    this.asked.push(id)
    const chunk = this.#chunks.get(id)
    this.under += chunk?.bytes.length ?? 0
    this.most = Math.max(this.most, this.under)
    await new Promise(resolve => { setImmediate(resolve) })
    this.under -= chunk?.bytes.length ?? 0
    return chunk
  }
}
