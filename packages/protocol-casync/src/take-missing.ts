import type { Chunk, ChunkId, ChunkStore, Source } from '@ropewalk/interface'
import { FETCH_AHEAD_BYTES, FETCH_AHEAD_CHUNKS } from './constants.ts'
import { assertFound, type AheadOptions } from './fetch-chunks.ts'
import type { IndexItem } from './index-codec.ts'
import { lookahead } from './lookahead.ts'
import type { PullSession } from './pull.ts'
import type { Packed } from './unpack.ts'

/** Takes chunks as they came, verifies and keeps them: on threads, say. */
export interface ChunkInlet {
  /** Nothing once the chunk is kept, and else a copy of the data. The data may be used again when this returns. */
  unpack (id: ChunkId, length: number, packed: Packed): Promise<Uint8Array | undefined>
}

/**
 * Takes the chunks of `items`, each once, from a session to where they are verified and kept. What could not be kept so is put into `store`. Yields each item in its
 * order once its chunk is there, though perhaps not durable. `ERR_CHUNK_MISSING` names the first that the other end does not have.
 */
export function takeMissing (session: Pick<PullSession, 'take'>, inlet: ChunkInlet, store: ChunkStore, options: AheadOptions = {}): (items: Source<IndexItem>) => AsyncGenerator<IndexItem, void, undefined> {
  const { ahead = FETCH_AHEAD_CHUNKS, aheadBytes = FETCH_AHEAD_BYTES, signal } = options
  return items => lookahead(items, async (item, turn) => {
    const { id, start, end } = item
    const taken: Chunk | 'used' | undefined = await session.take(id, end - start, async packed => await inlet.unpack(id, end - start, packed), turn)
    if (taken !== 'used') await store.put(assertFound(taken, id, end - start), { verified: true, signal })
    return item
  }, { maxItems: ahead, maxWeight: aheadBytes, weigh: ({ start, end }) => end - start, signal })
}
