/**
 * Reads chunks for whoever passes them on as they are kept, or takes what is in them, one after the other and without waiting. Each is verified; of what
 * that needs besides nothing is left. Whatever is not as it should be is left to whoever asked, who finds out what it is.
 *
 * @module
 */
import { hash } from 'node:crypto'
import type { ChunkDigest, ChunkId } from '@ropewalk/interface'
import { AtOnce } from './at-once.ts'
import { MAX_INTAKE_CHUNK_BYTES } from './constants.ts'
import { Layout } from './layout.ts'
import { mostCompressed, readChunkFileAtOnce } from './read-chunk.ts'

export interface PassingOptions {
  readonly root: string
  readonly suffix: string | undefined
  /** What ids may be made of. */
  readonly digests: readonly ChunkDigest[]
  readonly maxChunkBytes: number
}

/** Says that the rest of an array is too short. */
export const NO_ROOM = -1

export class Passing {
  readonly #layout: Layout
  readonly #maxChunkBytes: number
  readonly #atOnce = new AtOnce()
  #packed = new Uint8Array()
  #digests: readonly ChunkDigest[]

  constructor ({ root, suffix, digests, maxChunkBytes }: PassingOptions) {
    this.#layout = new Layout(root, suffix)
    this.#digests = digests
    this.#maxChunkBytes = Math.min(maxChunkBytes, MAX_INTAKE_CHUNK_BYTES)
  }

  /**
   * Reads the chunk to the beginning of `into`, as it lies there, compressed with zstd. Its length; 0 when it does not lie there, or is not what it should be, or is
   * longer than 2 MiB; `NO_ROOM`.
   */
  read (id: ChunkId, into: Uint8Array): number {
    let wanted = 0
    try {
      const content = readChunkFileAtOnce(this.#layout.compressedOf(id), mostCompressed(this.#maxChunkBytes), length => {
        wanted = length
        return into.subarray(0, length)
      })
      if (wanted > into.length) return NO_ROOM
      const bytes = content === undefined ? undefined : this.#atOnce.decompress(content, this.#maxChunkBytes)
      return content !== undefined && bytes !== undefined && this.#fits(id, bytes) ? content.length : 0
    } catch {
      // Told by whoever is asked next.
      return 0
    }
  }

  /** The same of the bytes that are in the chunk, of which there must be `length`. A decompressor needs a byte more. */
  readPlain (id: ChunkId, length: number, into: Uint8Array): number {
    if (length > this.#maxChunkBytes) return 0
    if (length >= into.length) return NO_ROOM
    try {
      const content = readChunkFileAtOnce(this.#layout.compressedOf(id), mostCompressed(length), bytes => this.#room(bytes))
      const bytes = content === undefined ? undefined : this.#atOnce.decompress(content, length, into)
      if (bytes?.length !== length || !this.#fits(id, bytes)) return 0
      if (bytes.buffer !== into.buffer) into.set(bytes)
      return length
    } catch {
      return 0
    }
  }

  #room (bytes: number): Uint8Array {
    if (this.#packed.length < bytes) this.#packed = new Uint8Array(Math.max(bytes, mostCompressed(256 * 1024)))
    return this.#packed.subarray(0, bytes)
  }

  #fits (id: ChunkId, bytes: Uint8Array): boolean {
    const digest = this.#digests.find(each => hash(each, bytes) === id)
    if (digest === undefined) return false
    if (digest !== this.#digests[0]) this.#digests = [digest, ...this.#digests.filter(other => other !== digest)]
    return true
  }
}
