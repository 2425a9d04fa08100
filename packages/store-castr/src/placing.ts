/**
 * Writes chunks to their places in a file, one after the other and without waiting: for a thread of its own. Each is verified before it is
 * written. Whatever is not as it should be is left to whoever asked, who finds out what it is.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { AtOnce } from './at-once.ts'
import { MAX_INTAKE_CHUNK_BYTES } from './constants.ts'
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

  constructor (options: PlacingOptions) {
    this.#options = options
    this.#layout = new Layout(options.root ?? '', options.suffix)
  }

  /** False when it is not there, or is not what it should be. */
  place ({ id, length, position, from }: Place, packed?: Uint8Array): boolean {
    if (length > MAX_INTAKE_CHUNK_BYTES) return false
    const bytes = this.#bytesOf(id, length, from, packed)
    if (bytes?.length !== length || hash(this.#options.digest, bytes) !== id) return false
    try {
      for (let written = 0; written < length;) written += writeSync(this.#options.file, bytes, written, length - written, position + written)
      return true
    } catch (error) {
      throw castrError(error, `write ${id}`, id)
    }
  }

  #bytesOf (id: ChunkId, length: number, from: Place['from'], packed: Uint8Array | undefined): Uint8Array | undefined {
    if (from === undefined) return this.#fromStore(id, length)
    if ('file' in from) return this.#read(from.file, length, from.position)
    const data = packed?.subarray(from.at, from.at + from.bytes)
    return data === undefined || !from.compressed ? data : this.#atOnce.decompress(data, length)
  }

  #fromStore (id: ChunkId, length: number): Uint8Array | undefined {
    if (this.#options.root === undefined) return undefined
    try {
      const content = readChunkFileAtOnce(this.#layout.compressedOf(id), mostCompressed(length), bytes => this.#buffer.subarray(0, bytes))
      return content === undefined ? undefined : this.#atOnce.decompress(content, length)
    } catch {
      return undefined
    }
  }

  #read (file: number, length: number, position: number): Uint8Array | undefined {
    try {
      const bytes = this.#buffer.subarray(0, length)
      return readAtOnce(file, bytes, position) < length ? undefined : bytes
    } catch {
      return undefined
    }
  }
}
