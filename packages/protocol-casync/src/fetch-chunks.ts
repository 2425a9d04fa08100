import type { AbortOptions, Chunk, ChunkGetOptions, ChunkId, ChunkSource, LentBytes, Source } from '@ropewalk/interface'
import { FETCH_AHEAD_BYTES, FETCH_AHEAD_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'
import type { PlacedChunk } from './identify.ts'
import type { IndexItem } from './index-codec.ts'
import { lookahead, type LookaheadOptions, type Turn } from './lookahead.ts'

export interface AheadOptions extends AbortOptions {
  /** Chunks asked for ahead of whoever takes them. Default 64. */
  ahead?: number | undefined
  /** Bytes of chunks, uncompressed, that may be on their way or wait to be taken. Default 16 MiB; one chunk may always be. */
  aheadBytes?: number | undefined
}

export interface FetchOptions extends AheadOptions {
  /** Asked before the source: what is in the chunk, verified, in memory that is used again when the chunk behind it is asked for. Where it has nothing the source is asked. */
  lend?: ((id: ChunkId, options: ChunkGetOptions & { readonly length: number }) => Promise<LentBytes | undefined>) | undefined
}

/** The chunks of an index, in its order. `ERR_CHUNK_MISSING` names the first that the source does not have. */
export function fetchChunks (source: ChunkSource, options: FetchOptions = {}): (items: Source<IndexItem>) => AsyncGenerator<PlacedChunk, void, undefined> {
  const { ahead = FETCH_AHEAD_CHUNKS, aheadBytes = FETCH_AHEAD_BYTES, lend, signal } = options
  return items => {
    const once = new Once(source)
    const get = async ({ id, start, end }: IndexItem, { urgent, signal }: Turn): Promise<PlacedChunk> => {
      const chunk = await once.get(id, { length: end - start, urgent, signal })
      return { ...assertFound(chunk, id, end - start), start, end }
    }
    const bounds: LookaheadOptions<IndexItem> = { maxItems: ahead, maxWeight: aheadBytes, weigh: ({ start, end }) => end - start, signal }
    return lend === undefined ? lookahead(items, get, bounds) : lentChunks(items, lend, get, bounds)
  }
}

interface Lent {
  readonly chunk: PlacedChunk
  readonly lent: LentBytes | undefined
}

async function * lentChunks (items: Source<IndexItem>, lend: Exclude<FetchOptions['lend'], undefined>, get: (item: IndexItem, turn: Turn) => Promise<PlacedChunk>, bounds: LookaheadOptions<IndexItem>): AsyncGenerator<PlacedChunk, void, undefined> {
  const out = new Set<LentBytes>()
  const giveBack = (lent: LentBytes): void => {
    out.delete(lent)
    lent.release()
  }
  const take = async (item: IndexItem, turn: Turn): Promise<Lent> => {
    const { id, start, end } = item
    const lent = await lend(id, { length: end - start, signal: turn.signal })
    if (lent === undefined) return { chunk: await get(item, turn), lent }
    out.add(lent)
    const chunk = { id, bytes: lent.bytes, start, end }
    assertLength(chunk, end - start)
    return { chunk, lent }
  }
  try {
    for await (const { chunk, lent } of lookahead(items, take, bounds)) {
      yield chunk
      if (lent !== undefined) giveBack(lent)
    }
  } finally {
    // What lay ready, too, and nobody wants any more.
    for (const lent of out) giveBack(lent)
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
