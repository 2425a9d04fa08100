import type { ByteRange, Chunk, ChunkId, ChunkSource, Hasher, Source } from '@ropewalk/interface'
import { FETCH_AHEAD_BYTES, FETCH_AHEAD_CHUNKS, MAX_SELF_REFERENCES } from './constants.ts'
import { assertFound, assertLength, type AheadOptions } from './fetch-chunks.ts'
import { Verifier } from './identify.ts'
import type { IndexItem } from './index-codec.ts'
import { lookahead, type Turn } from './lookahead.ts'
import { Places, readChunk, type RandomRead } from './seed.ts'

/** A blob that is being written, in any order. */
export interface BlobTarget extends RandomRead {
  /** Resolves when the bytes were taken; the array may then be reused. */
  write (bytes: Uint8Array, position: number): Promise<void>
  /** Makes the blob this long. */
  truncate? (size: number): Promise<void>
}

export interface AssembleOptions extends AheadOptions {
  /** Where chunks are looked for first, each in turn: files of `seed`, say. What is damaged there is taken from the next. */
  seeds?: readonly ChunkSource[] | undefined
  /** Looks at what the target has at the place of a chunk, and leaves it when it is the chunk: to go on after an interruption, or over a copy of an older blob. Default false. */
  existing?: boolean | undefined
  /** Writes these bytes of the blob only, to their places. The rest of the target is left alone. */
  range?: ByteRange | undefined
  /** Chunks of the blob itself that are remembered, to be copied where they come again. Default 131,072. */
  selfReferences?: number | undefined
  /**
   * Verifies a whole chunk and writes it to its place in the target without its bytes coming by here: from a place in a file, or else from the first
   * source. False when it could not, and has written nothing; then the chunk is looked for as always.
   */
  direct?: ((item: IndexItem, from: { readonly file: RandomRead, readonly position: number } | undefined, turn: { readonly signal: AbortSignal, readonly urgent: boolean }) => Promise<boolean>) | undefined
  /** Told of each chunk, in order, once it is in its place. */
  onChunk?: ((item: IndexItem, from: Origin) => void) | undefined
}

/** Where a chunk was found: in its place, elsewhere in the blob, in a seed, or in the store. */
export type Origin = 'existing' | 'self' | 'seed' | 'store'

export interface Assembled {
  /** Size of the blob; with a range, of what was written of it. */
  readonly bytes: number
  /** Chunks by where they were found. */
  readonly chunks: Readonly<Record<Origin, number>>
}

/** Writes the blob that `items` describe. Memory is bounded by `aheadBytes` and by what is remembered, whatever the size of the blob. */
export async function assemble (items: Source<IndexItem>, source: ChunkSource, target: BlobTarget, hash: Hasher, options: AssembleOptions = {}): Promise<Assembled> {
  const { range, ahead = FETCH_AHEAD_CHUNKS, aheadBytes = FETCH_AHEAD_BYTES, onChunk, signal } = options
  const assembly = new Assembly(source, target, hash, options)
  const chunks: Record<Origin, number> = { existing: 0, self: 0, seed: 0, store: 0 }
  const place = async (item: IndexItem, turn: Turn): Promise<readonly [IndexItem, Origin]> => [item, await assembly.place(item, turn)]
  let bytes = 0
  for await (const [item, from] of lookahead(range === undefined ? items : within(items, range), place, { maxItems: ahead, maxWeight: aheadBytes, weigh: ({ start, end }) => end - start, signal })) {
    chunks[from]++
    bytes += Math.min(item.end, range?.end ?? Infinity) - Math.max(item.start, range?.start ?? 0)
    onChunk?.(item, from)
  }
  if (range === undefined) await target.truncate?.(bytes)
  return { bytes, chunks }
}

async function * within (items: Source<IndexItem>, range: ByteRange): AsyncGenerator<IndexItem, void, undefined> {
  for await (const item of items) if (item.end > range.start && item.start < range.end) yield item
}

class Assembly {
  readonly #source: ChunkSource
  readonly #target: BlobTarget
  readonly #verifier: Verifier
  readonly #seeds: readonly ChunkSource[]
  readonly #existing: boolean
  readonly #range: ByteRange
  readonly #maxReferences: number
  readonly #written: Places
  readonly #direct: AssembleOptions['direct']
  /** Chunks on their way from the source to their places. */
  readonly #moving = new Map<ChunkId, Promise<boolean>>()
  /** Chunks on their way: what comes again meanwhile is asked for once. */
  readonly #coming = new Map<ChunkId, Promise<Found>>()

  constructor (source: ChunkSource, target: BlobTarget, hash: Hasher, options: AssembleOptions) {
    this.#source = source
    this.#target = target
    this.#verifier = new Verifier(hash)
    this.#seeds = options.seeds ?? []
    this.#existing = options.existing ?? false
    this.#range = options.range ?? { start: 0, end: Infinity }
    this.#maxReferences = options.selfReferences ?? MAX_SELF_REFERENCES
    this.#written = new Places(target, this.#verifier)
    this.#direct = options.direct
  }

  async place (item: IndexItem, turn: Turn): Promise<Origin> {
    const { id, start, end } = item
    const whole = start >= this.#range.start && end <= this.#range.end
    if (this.#existing && whole && await readChunk(this.#target, this.#verifier, id, start, end - start) !== undefined) {
      this.#remember(item)
      return 'existing'
    }
    const directly = whole ? await this.#move(item, turn) : undefined
    if (directly !== undefined) return directly
    const { chunk, from } = await this.#find(item, turn)
    const first = Math.max(start, this.#range.start)
    await this.#target.write(chunk.bytes.subarray(first - start, Math.min(end, this.#range.end) - start), first)
    if (whole) this.#remember(item)
    return from
  }

  /** Without its bytes: what is written already first, then seeds, then the source. */
  async #move (item: IndexItem, turn: Turn): Promise<Origin | undefined> {
    const direct = this.#direct
    if (direct === undefined) return undefined
    const before = this.#moving.get(item.id)
    if (before !== undefined) await before.catch(() => {})
    for (const places of [this.#written, ...this.#seeds]) {
      if (!(places instanceof Places)) continue
      const position = places.positionOf(item.id, item.end - item.start)
      if (position === undefined || !await direct(item, { file: places.file, position }, turn)) continue
      this.#remember(item)
      return places === this.#written ? 'self' : 'seed'
    }
    turn.signal.throwIfAborted()
    const moving = direct(item, undefined, turn)
    this.#moving.set(item.id, moving)
    try {
      const placed = await moving
      if (placed) this.#remember(item)
      return placed ? 'store' : undefined
    } finally {
      this.#moving.delete(item.id)
    }
  }

  async #find ({ id, start, end }: IndexItem, turn: Turn): Promise<Found> {
    const length = end - start
    const same = await this.#written.get(id, { length })
    if (same !== undefined) return { chunk: same, from: 'self' }
    let coming = this.#coming.get(id)
    if (coming === undefined) {
      coming = this.#fetch(id, length, turn).finally(() => { this.#coming.delete(id) })
      this.#coming.set(id, coming)
    }
    const found = await coming
    assertLength(found.chunk, length)
    return found
  }

  async #fetch (id: ChunkId, length: number, { signal, urgent }: Turn): Promise<Found> {
    for (const seed of this.#seeds) {
      const chunk = await seed.get(id, { length, signal }).catch(() => { signal.throwIfAborted() })
      if (chunk !== undefined) return { chunk, from: 'seed' }
    }
    signal.throwIfAborted()
    return { chunk: assertFound(await this.#source.get(id, { length, signal, urgent }), id, length), from: 'store' }
  }

  #remember ({ id, start, end }: IndexItem): void {
    if (this.#written.size < this.#maxReferences) this.#written.add(id, start, end - start)
  }
}

interface Found {
  readonly chunk: Chunk
  readonly from: Origin
}
