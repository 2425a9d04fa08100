import type { AbortOptions, ChunkId, ChunkSource, Source } from '@ropewalk/interface'
import { FETCH_AHEAD_BYTES, FETCH_AHEAD_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'
import { assertLength } from './fetch-chunks.ts'
import { lookahead } from './lookahead.ts'

export interface VerifyOptions extends AbortOptions {
  /** Chunks that are looked at at a time. Default 64. */
  ahead?: number | undefined
  /** Told of each chunk that is missing or damaged, in order, with the error that says what is wrong. */
  onTrouble?: ((id: ChunkId, error: unknown) => void) | undefined
}

export interface Verified {
  /** Chunks that are as they should be, and their bytes. */
  readonly good: number
  readonly bytes: number
  readonly missing: number
  /** Damaged, of another length, or out of reach. */
  readonly bad: number
}

/** Looks at every chunk, as an index or a store names them. What a source gives out is verified by the source; an index says the length besides. */
export async function verify (chunks: Source<{ readonly id: ChunkId, readonly start?: number, readonly end?: number }>, source: ChunkSource, options: VerifyOptions = {}): Promise<Verified> {
  const { ahead = FETCH_AHEAD_CHUNKS, onTrouble, signal } = options
  const counts = { good: 0, bytes: 0, missing: 0, bad: 0 }
  const lengthOf = ({ start, end }: { readonly start?: number, readonly end?: number }): number | undefined => start === undefined || end === undefined ? undefined : end - start
  const results = lookahead(chunks, async (item, turn) => {
    const length = lengthOf(item)
    try {
      const chunk = await source.get(item.id, { length, signal: turn.signal })
      if (chunk === undefined) return { id: item.id, error: new CasyncError('ERR_CHUNK_MISSING', 'transfer', `chunk ${item.id}: no store has it`, { id: item.id }), missing: true }
      if (length !== undefined) assertLength(chunk, length)
      return { id: item.id, bytes: chunk.bytes.length }
    } catch (error) {
      turn.signal.throwIfAborted()
      return { id: item.id, error, missing: false }
    }
  }, { maxItems: ahead, maxWeight: FETCH_AHEAD_BYTES, weigh: item => lengthOf(item) ?? UNKNOWN_BYTES, signal })
  for await (const result of results) {
    if (result.bytes !== undefined) {
      counts.good++
      counts.bytes += result.bytes
      continue
    }
    counts[result.missing ? 'missing' : 'bad']++
    onTrouble?.(result.id, result.error)
  }
  return counts
}

/** What a chunk weighs of which nobody says the length. Ours: as long as one may be with the usual sizes. */
const UNKNOWN_BYTES = 256 * 1024
