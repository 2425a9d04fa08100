import type { Chunk, ChunkGetOptions, ChunkId, ChunkSource, Hasher, Source } from '@ropewalk/interface'
import { MAX_SEED_CHUNKS } from './constants.ts'
import { Verifier } from './identify.ts'
import type { IndexItem } from './index-codec.ts'

/** Bytes that can be read anywhere. */
export interface RandomRead {
  /** Fills `into` from `position`. Resolves to the number of bytes read; fewer than asked only at the end. */
  read (into: Uint8Array, position: number): Promise<number>
}

export interface SeedOptions {
  /** Chunks that are remembered; those beyond are not offered. Default 1,048,576. */
  maxChunks?: number | undefined
}

/** A file that has the chunks of an index, or had them once: what does not fit any more is not given out. */
export async function seed (file: RandomRead, items: Source<IndexItem>, hash: Hasher, { maxChunks = MAX_SEED_CHUNKS }: SeedOptions = {}): Promise<ChunkSource> {
  const places = new Places(file, new Verifier(hash))
  for await (const { id, start, end } of items) {
    if (places.size >= maxChunks) break
    places.add(id, start, end - start)
  }
  return places
}

/** Chunks by their places in a file. */
export class Places implements ChunkSource {
  readonly #file: RandomRead
  readonly #verifier: Verifier
  readonly #places = new Map<ChunkId, readonly [position: number, length: number]>()

  constructor (file: RandomRead, verifier: Verifier) {
    this.#file = file
    this.#verifier = verifier
  }

  get size (): number {
    return this.#places.size
  }

  get file (): RandomRead {
    return this.#file
  }

  /** Where the chunk should lie; not looked at. */
  positionOf (id: ChunkId, length: number): number | undefined {
    const place = this.#places.get(id)
    return place?.[1] === length ? place[0] : undefined
  }

  add (id: ChunkId, position: number, length: number): void {
    this.#places.set(id, [position, length])
  }

  async get (id: ChunkId, { length, signal }: ChunkGetOptions = {}): Promise<Chunk | undefined> {
    const place = this.#places.get(id)
    if (place === undefined || (length !== undefined && place[1] !== length)) return undefined
    signal?.throwIfAborted()
    return await readChunk(this.#file, this.#verifier, id, ...place)
  }
}

/** The chunk that should lie at `position`; `undefined` when something else does. */
export async function readChunk (file: RandomRead, verifier: Verifier, id: ChunkId, position: number, length: number): Promise<Chunk | undefined> {
  const bytes = new Uint8Array(length)
  if (await file.read(bytes, position) < length) return undefined
  return await verifier.fits(id, bytes) ? { id, bytes } : undefined
}
