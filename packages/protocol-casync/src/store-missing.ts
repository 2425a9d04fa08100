import type { AbortOptions, ChunkStore, Source } from '@ropewalk/interface'
import { FETCH_AHEAD_BYTES, STORE_AHEAD_CHUNKS } from './constants.ts'
import type { PlacedChunk } from './identify.ts'
import { lookahead } from './lookahead.ts'

export interface StoreMissingOptions extends AbortOptions {
  /** Chunks that are compressed and stored at a time. Default 16. */
  ahead?: number | undefined
}

/** Where a chunk went. */
export interface StoredChunk extends PlacedChunk {
  /** False when the store had it already. */
  readonly fresh: boolean
}

/** Stores what the store does not have yet, and passes everything on, in order. At the end everything is durable. */
export function storeMissing (store: ChunkStore, options: StoreMissingOptions = {}): (chunks: Source<PlacedChunk>) => AsyncGenerator<StoredChunk, void, undefined> {
  const { ahead = STORE_AHEAD_CHUNKS, signal } = options
  return async function * (chunks) {
    // The ids are those that `identify` has just computed.
    const put = async (chunk: PlacedChunk): Promise<StoredChunk> => ({ ...chunk, fresh: await store.put(chunk, { verified: true, signal }) })
    yield * lookahead(chunks, put, { maxItems: ahead, maxWeight: FETCH_AHEAD_BYTES, weigh: ({ bytes }) => bytes.length, signal })
    await store.sync?.({ signal })
  }
}
