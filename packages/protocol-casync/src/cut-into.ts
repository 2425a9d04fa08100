import type { ChunkId, Source } from '@ropewalk/interface'
import { Chunker } from './chunker-state.ts'
import type { ChunkSizes } from './chunk-sizes.ts'

/** A store that hashes, compresses and keeps chunks elsewhere, several at a time: on threads, say. */
export interface ChunkIntake {
  /** More of the chunk that grows. Whoever gave the bytes may use their array again at once. */
  push (bytes: Uint8Array): void
  /** The chunk ends here. True when `room` has to be waited for before the next byte. */
  cut (): boolean
  room (): Promise<void>
  /** What is done, in the order of the chunks, and was not told yet. */
  done (): ReadonlyArray<{ readonly id: ChunkId, readonly length: number, readonly fresh: boolean }>
  /** Waits for everything, which is durable then. Tells the rest. */
  finish (): Promise<ReadonlyArray<{ readonly id: ChunkId, readonly length: number, readonly fresh: boolean }>>
}

/** Where a chunk went, without its bytes. */
export interface CutChunk {
  readonly id: ChunkId
  readonly start: number
  readonly end: number
  /** False when the store had it already. */
  readonly fresh: boolean
}

/** Cuts a stream of bytes where casync cuts it, straight into a store. The source may lend its arrays. In order; at the end everything is durable. */
export function cutInto (intake: ChunkIntake, sizes?: ChunkSizes): (source: Source<Uint8Array>) => AsyncGenerator<CutChunk, void, undefined> {
  return async function * (source) {
    const chunker = new Chunker(sizes)
    let end = 0
    const placed = ({ id, length, fresh }: { readonly id: ChunkId, readonly length: number, readonly fresh: boolean }): CutChunk => {
      const start = end
      end += length
      return { id, start, end, fresh }
    }
    for await (const piece of source) {
      let start = 0
      for (const cut of chunker.push(piece)) {
        intake.push(piece.subarray(start, cut))
        start = cut
        if (!intake.cut()) continue
        await intake.room()
        yield * intake.done().map(placed)
      }
      intake.push(piece.subarray(start))
    }
    if (chunker.end() > 0) intake.cut()
    yield * (await intake.finish()).map(placed)
  }
}
