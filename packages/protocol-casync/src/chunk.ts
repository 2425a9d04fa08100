import type { Bytes, Source } from '@ropewalk/interface'
import { ByteQueue } from '@ropewalk/framing'
import { Chunker } from './chunker-state.ts'
import type { ChunkSizes } from './chunk-sizes.ts'

/** Pieces up to this size are copied together while a chunk grows; all others are kept as they came. Ours. */
const COALESCE_BYTES = 512

/** Cuts a stream of bytes where casync cuts it. A chunk that lies in one piece is a view of it, all others are copied once. */
export function chunk (sizes?: ChunkSizes): (source: Source<Bytes>) => AsyncGenerator<Uint8Array, void, undefined> {
  return async function * (source) {
    const chunker = new Chunker(sizes)
    const { max } = chunker.sizes
    const begun = new ByteQueue({ maxBytes: max, maxChunks: Math.ceil(max / COALESCE_BYTES) + 2, coalesceBytes: COALESCE_BYTES })
    for await (const bytes of source) {
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
        let start = 0
        for (const cut of chunker.push(piece)) {
          if (begun.byteLength === 0) yield piece.subarray(start, cut)
          else {
            begun.push(piece.subarray(start, cut))
            yield begun.take(begun.byteLength)
          }
          start = cut
        }
        begun.push(piece.subarray(start))
      }
    }
    if (chunker.end() > 0) yield begun.take(begun.byteLength)
  }
}
