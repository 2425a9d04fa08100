/**
 * Writes chunks to their places in a file, one after the other and without waiting: for a thread of its own. Each is verified before it is
 * written. Whatever is not as it should be is left to whoever asked, who finds out what it is.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { writeAtOnce } from '@ropewalk/disk'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { AtOnce } from './at-once.ts'
import { MAX_INTAKE_CHUNK_BYTES, OUTLET_BATCH_BYTES } from './constants.ts'
import { castrError } from './errors.ts'
import { Layout } from './layout.ts'
import { mostCompressed, readAtOnce, readChunkFileAtOnce } from './read-chunk.ts'

export interface PlacingOptions {
  /** Without one there is no store. */
  readonly root: string | undefined
  readonly suffix: string | undefined
  /** Where to: an open file of this process. */
  readonly file: number
  readonly digest: ChunkDigest
}

/** Where a chunk lies that came from elsewhere: among the bytes that came along. */
export interface PackedAt {
  readonly at: number
  readonly bytes: number
  readonly compressed: boolean
}

export interface Place {
  readonly id: ChunkId
  readonly length: number
  readonly position: number
  /** Where it lies: in an open file of this process, or packed. Absent: in the store. */
  readonly from?: { readonly file: number, readonly position: number } | PackedAt | undefined
}

export class Placing {
  readonly #options: PlacingOptions
  readonly #layout: Layout
  readonly #atOnce = new AtOnce()
  readonly #buffer: Uint8Array = new Uint8Array(mostCompressed(MAX_INTAKE_CHUNK_BYTES))
  /** Chunks that lie one behind the other in the file, on their way there; behind them a decompressor needs a byte. */
  readonly #stroke: Uint8Array = new Uint8Array(OUTLET_BATCH_BYTES + MAX_INTAKE_CHUNK_BYTES + 1)

  constructor (options: PlacingOptions) {
    this.#options = options
    this.#layout = new Layout(options.root ?? '', options.suffix)
  }

  /** Of each, false when it is not there, or is not what it should be. What lies one behind the other is written in one stroke. */
  place (places: readonly Place[], packed?: Uint8Array): boolean[] {
    let first: Place | undefined
    let filled = 0
    const write = (): void => {
      if (first !== undefined && filled > 0) this.#write(first, filled)
      first = undefined
      filled = 0
    }
    const placed = places.map(place => {
      if (place.length > MAX_INTAKE_CHUNK_BYTES) return false
      if (first !== undefined && (place.position !== first.position + filled || filled >= OUTLET_BATCH_BYTES)) write()
      if (!this.#fill(place, this.#stroke.subarray(filled), packed)) return false
      first ??= place
      filled += place.length
      return true
    })
    write()
    return placed
  }

  /** Whether the chunk lies at the beginning of `room` now. */
  #fill ({ id, length, from }: Place, room: Uint8Array, packed: Uint8Array | undefined): boolean {
    const bytes = this.#bytesOf(id, length, from, room, packed)
    if (bytes?.length !== length) return false
    if (bytes.buffer !== room.buffer) room.set(bytes)
    return hash(this.#options.digest, room.subarray(0, length)) === id
  }

  #write ({ id, position }: Place, length: number): void {
    try {
      writeAtOnce(this.#options.file, this.#stroke.subarray(0, length), position)
    } catch (error) {
      throw castrError(error, `write ${id}`, id)
    }
  }

  #bytesOf (id: ChunkId, length: number, from: Place['from'], room: Uint8Array, packed: Uint8Array | undefined): Uint8Array | undefined {
    if (from === undefined) return this.#fromStore(id, length, room)
    if ('file' in from) return this.#read(from.file, room.subarray(0, length), from.position)
    const data = packed?.subarray(from.at, from.at + from.bytes)
    return data === undefined || !from.compressed ? data : this.#atOnce.decompress(data, length, room)
  }

  #fromStore (id: ChunkId, length: number, room: Uint8Array): Uint8Array | undefined {
    if (this.#options.root === undefined) return undefined
    try {
      const content = readChunkFileAtOnce(this.#layout.compressedOf(id), mostCompressed(length), bytes => this.#buffer.subarray(0, bytes))
      return content === undefined ? undefined : this.#atOnce.decompress(content, length, room)
    } catch {
      return undefined
    }
  }

  #read (file: number, room: Uint8Array, position: number): Uint8Array | undefined {
    try {
      return readAtOnce(file, room, position) < room.length ? undefined : room
    } catch {
      return undefined
    }
  }
}
