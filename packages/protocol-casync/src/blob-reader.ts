import { fromHex, toHex } from '@ropewalk/framing'
import type { AbortOptions, ChunkSource, Source } from '@ropewalk/interface'
import { CHUNK_ID_BYTES, MAX_SEED_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'
import { assertFound } from './fetch-chunks.ts'
import type { IndexItem } from './index-codec.ts'
import type { RandomRead } from './seed.ts'

export interface BlobReaderOptions extends AbortOptions {
  /** Chunks of the index, 40 bytes of memory each. Default 1,048,576; more is `ERR_INDEX_TOO_LARGE`. */
  maxChunks?: number | undefined
}

/** A blob that is nowhere but in chunks, to be read anywhere: only what is read is fetched. */
export async function blobReader (items: Source<IndexItem>, source: ChunkSource, { maxChunks = MAX_SEED_CHUNKS, signal }: BlobReaderOptions = {}): Promise<RandomRead & { readonly size: number }> {
  let ends = new Float64Array(1024)
  let ids = new Uint8Array(1024 * CHUNK_ID_BYTES)
  let count = 0
  for await (const { id, end } of items) {
    if (count >= maxChunks) throw new CasyncError('ERR_INDEX_TOO_LARGE', 'transfer', `more than ${maxChunks} chunks`)
    if (count === ends.length) {
      ends = grown(ends, new Float64Array(count * 2))
      ids = grown(ids, new Uint8Array(count * 2 * CHUNK_ID_BYTES))
    }
    ends[count] = end
    ids.set(fromHex(id), count * CHUNK_ID_BYTES)
    count++
  }
  /** The chunk that was read last: what is read next is mostly in it too. */
  let last: { readonly i: number, readonly bytes: Uint8Array } | undefined

  const fetch = async (i: number): Promise<Uint8Array> => {
    if (last?.i === i) return last.bytes
    const id = toHex(ids.subarray(i * CHUNK_ID_BYTES, (i + 1) * CHUNK_ID_BYTES))
    const length = (ends[i] as number) - (i === 0 ? 0 : ends[i - 1] as number)
    const { bytes } = assertFound(await source.get(id, { length, urgent: true, signal }), id, length)
    last = { i, bytes }
    return bytes
  }

  return {
    size: count === 0 ? 0 : ends[count - 1] as number,
    async read (into, position) {
      let filled = 0
      for (let i = firstAfter(ends, count, position); i < count && filled < into.length; i++) {
        signal?.throwIfAborted()
        const bytes = await fetch(i)
        const from = position + filled - ((ends[i] as number) - bytes.length)
        const piece = bytes.subarray(from, from + into.length - filled)
        into.set(piece, filled)
        filled += piece.length
      }
      return filled
    }
  }
}

function grown<T extends Float64Array | Uint8Array> (before: T, after: T): T {
  after.set(before)
  return after
}

/** The first of `ends` that lies behind `position`. */
function firstAfter (ends: Float64Array, count: number, position: number): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = low + high >>> 1
    if ((ends[middle] as number) > position) high = middle
    else low = middle + 1
  }
  return low
}
