import type { Chunk, ChunkGetOptions, ChunkId, ChunkSource, ChunkStore } from '@ropewalk/interface'
import { CasyncError } from './errors.ts'

export interface ChainOptions {
  /** Asked first, and given what the others had. */
  cache?: ChunkStore | undefined
  /** Replaces what is damaged in a store by what another one has, where the store allows it. Default true. */
  heal?: boolean | undefined
  /** Told of what went wrong and was got over: a store that does not answer, a chunk that was damaged, a cache that is full. */
  onTrouble?: ((trouble: Trouble) => void) | undefined
}

export interface Trouble {
  readonly id: ChunkId
  readonly source: ChunkSource
  readonly error: unknown
  /** Whether the chunk was replaced by a good one. */
  readonly healed: boolean
}

/**
 * Several sources as one: each is asked in turn until one has the chunk. A source that fails, or whose chunk is damaged, is passed over; its
 * error is that of the chain only when no other source has the chunk.
 */
export function chain (sources: readonly ChunkSource[], options: ChainOptions = {}): ChunkSource {
  const { cache, heal = true, onTrouble = () => {} } = options
  const all = cache === undefined ? sources : [cache, ...sources]

  return {
    async get (id: ChunkId, getOptions: ChunkGetOptions = {}): Promise<Chunk | undefined> {
      const failed: Array<{ source: ChunkSource, error: unknown }> = []
      for (const source of all) {
        let chunk: Chunk | undefined
        try {
          chunk = await source.get(id, getOptions)
        } catch (error) {
          getOptions.signal?.throwIfAborted()
          failed.push({ source, error })
          continue
        }
        if (chunk === undefined) continue
        for (const { source, error } of failed) onTrouble({ id, source, error, healed: heal && await replace(source, chunk, error) })
        if (cache !== undefined && source !== cache) await keep(cache, chunk)
        return chunk
      }
      const [first] = failed
      if (first === undefined) return undefined
      if (failed.length === 1) throw first.error
      const errors = new AggregateError(failed.map(({ error }) => error), `${failed.length} sources`)
      throw new CasyncError(isDamage(first.error) ? 'ERR_CHUNK_DAMAGED' : 'ERR_STORE', 'transfer', `chunk ${id}: ${failed.length} of ${all.length} sources failed, none of the others has it`, { id, cause: errors })
    }
  }

  async function keep (cache: ChunkStore, chunk: Chunk): Promise<void> {
    try {
      await cache.put(chunk, { verified: true })
    } catch (error) {
      onTrouble({ id: chunk.id, source: cache, error, healed: false })
    }
  }
}

/** Only what is damaged is replaced: a store that is out of reach keeps what it has. */
async function replace (source: ChunkSource, chunk: Chunk, error: unknown): Promise<boolean> {
  if (!isDamage(error) || !isStore(source) || source.remove === undefined) return false
  try {
    await source.remove(chunk.id)
    return await source.put(chunk, { verified: true })
  } catch {
    return false
  }
}

function isStore (source: ChunkSource): source is ChunkStore {
  return 'put' in source
}

/** Of whatever store, by what the contract says. */
function isDamage (error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ERR_CHUNK_DAMAGED' || error.code === 'ERR_CHUNK_SIZE')
}
