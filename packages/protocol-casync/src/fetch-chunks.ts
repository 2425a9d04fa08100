import type { AbortOptions, Chunk, ChunkGetOptions, ChunkId, ChunkSource, Source } from '@ropewalk/interface'
import { FETCH_AHEAD_BYTES, FETCH_AHEAD_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'
import type { PlacedChunk } from './identify.ts'
import type { IndexItem } from './index-codec.ts'
import { lookahead } from './lookahead.ts'

export interface AheadOptions extends AbortOptions {
  /** Chunks asked for ahead of whoever takes them. Default 64. */
  ahead?: number | undefined
  /** Bytes of chunks, uncompressed, that may be on their way or wait to be taken. Default 16 MiB; one chunk may always be. */
  aheadBytes?: number | undefined
}

/** The chunks of an index, in its order. `ERR_CHUNK_MISSING` names the first that the source does not have. */
export function fetchChunks (source: ChunkSource, options: AheadOptions = {}): (items: Source<IndexItem>) => AsyncGenerator<PlacedChunk, void, undefined> {
  const { ahead = FETCH_AHEAD_CHUNKS, aheadBytes = FETCH_AHEAD_BYTES, signal } = options
  return items => {
    const once = new Once(source)
    return lookahead(items, async ({ id, start, end }, turn) => {
      const chunk = await once.get(id, { length: end - start, urgent: turn.urgent, signal: turn.signal })
      return { ...assertFound(chunk, id, end - start), start, end }
    }, { maxItems: ahead, maxWeight: aheadBytes, weigh: ({ start, end }) => end - start, signal })
  }
}

/** A source that is asked once for what several want at the same time. */
export class Once implements ChunkSource {
  readonly #source: ChunkSource
  readonly #asked = new Map<ChunkId, Promise<Chunk | undefined>>()

  constructor (source: ChunkSource) {
    this.#source = source
  }

  async get (id: ChunkId, options?: ChunkGetOptions): Promise<Chunk | undefined> {
    let asked = this.#asked.get(id)
    if (asked === undefined) {
      asked = this.#source.get(id, options).finally(() => { this.#asked.delete(id) })
      this.#asked.set(id, asked)
    }
    return await asked
  }
}

export function assertFound (chunk: Chunk | undefined, id: ChunkId, length: number): Chunk {
  if (chunk === undefined) throw new CasyncError('ERR_CHUNK_MISSING', 'transfer', `chunk ${id}: no store has it`, { id })
  assertLength(chunk, length)
  return chunk
}

/** Whatever a source promises. */
export function assertLength ({ id, bytes }: Chunk, length: number): void {
  if (bytes.length !== length) throw new CasyncError('ERR_CHUNK_SIZE', 'transfer', `chunk ${id}: ${bytes.length}, not ${length} bytes`, { id })
}
