import type { Chunk, ChunkGetOptions, ChunkId, ChunkPutOptions, ChunkStore, Hasher } from '@ropewalk/interface'
import { MEMORY_STORE_BYTES } from './constants.ts'
import { assertLength } from './fetch-chunks.ts'
import { Verifier } from './identify.ts'

export interface MemoryStoreOptions {
  /** Bytes of chunks that are kept; the one that was not used for longest goes first. Default 64 MiB. */
  maxBytes?: number | undefined
}

/** Weight of a chunk besides its bytes, so that many small ones count too. Ours. */
const CHUNK_OVERHEAD_BYTES = 256

/** Keeps chunks in memory: a cache, or a store for tests and browsers. */
export class MemoryStore implements ChunkStore {
  readonly #verifier: Verifier
  readonly #maxBytes: number
  readonly #chunks = new Map<ChunkId, Chunk>()
  #bytes = 0

  constructor (hash: Hasher, { maxBytes = MEMORY_STORE_BYTES }: MemoryStoreOptions = {}) {
    if (!(maxBytes >= 0)) throw new RangeError(`maxBytes ${maxBytes}`)
    this.#verifier = new Verifier(hash)
    this.#maxBytes = maxBytes
  }

  /** Bytes kept. */
  get byteLength (): number {
    return this.#bytes
  }

  async has (id: ChunkId): Promise<boolean> {
    return this.#chunks.has(id)
  }

  async get (id: ChunkId, { length }: ChunkGetOptions = {}): Promise<Chunk | undefined> {
    const chunk = this.#chunks.get(id)
    if (chunk === undefined) return undefined
    if (length !== undefined) assertLength(chunk, length)
    this.#chunks.delete(id)
    this.#chunks.set(id, chunk)
    return chunk
  }

  async put (chunk: Chunk, { verified = false }: ChunkPutOptions = {}): Promise<boolean> {
    if (this.#chunks.has(chunk.id)) return false
    if (!verified) await this.#verifier.assert(chunk.id, chunk.bytes, 'that were put')
    const weight = weigh(chunk)
    if (weight > this.#maxBytes || this.#chunks.has(chunk.id)) return false
    this.#chunks.set(chunk.id, chunk)
    this.#bytes += weight
    for (const [id, oldest] of this.#chunks) {
      if (this.#bytes <= this.#maxBytes) break
      this.#chunks.delete(id)
      this.#bytes -= weigh(oldest)
    }
    return true
  }

  async * list (): AsyncGenerator<ChunkId, void, undefined> {
    yield * [...this.#chunks.keys()]
  }

  async remove (id: ChunkId): Promise<boolean> {
    const chunk = this.#chunks.get(id)
    if (chunk !== undefined) this.#bytes -= weigh(chunk)
    return this.#chunks.delete(id)
  }
}

function weigh ({ bytes, compressed }: Chunk): number {
  return bytes.length + (compressed?.length ?? 0) + CHUNK_OVERHEAD_BYTES
}
