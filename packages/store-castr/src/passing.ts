/**
 * Reads chunks for whoever passes them on as they are kept, one after the other and without waiting. Each is verified; of what that needs nothing
 * is left. Whatever is not as it should be is left to whoever asked, who finds out what it is.
 *
 * @module
 */
import { hash } from 'node:crypto'
import type { ChunkDigest, ChunkId, LentBytes } from '@ropewalk/interface'
import { AtOnce } from './at-once.ts'
import { MAX_INTAKE_CHUNK_BYTES, PASSING_BUFFER_BYTES } from './constants.ts'
import type { Layout } from './layout.ts'
import { mostCompressed, readChunkFileAtOnce } from './read-chunk.ts'

/** What chunks are read into, one behind the other. It is filled again once all of them were given back. */
interface Slab {
  readonly bytes: Uint8Array
  filled: number
  lent: number
}

export class Passing {
  readonly #layout: Layout
  readonly #maxChunkBytes: number
  readonly #atOnce = new AtOnce()
  readonly #free: Slab[] = []
  #digests: readonly ChunkDigest[]
  #slab: Slab | undefined

  constructor (layout: Layout, digests: readonly ChunkDigest[], maxChunkBytes: number) {
    this.#layout = layout
    this.#digests = digests
    this.#maxChunkBytes = Math.min(maxChunkBytes, MAX_INTAKE_CHUNK_BYTES)
  }

  /** The chunk as it lies there, compressed with zstd. `undefined` when it does not, or is not what it should be, or is longer than 2 MiB. */
  read (id: ChunkId): LentBytes | undefined {
    let slab: Slab | undefined
    try {
      const content = readChunkFileAtOnce(this.#layout.compressedOf(id), mostCompressed(this.#maxChunkBytes), length => {
        slab = this.#slabFor(length)
        return slab.bytes.subarray(slab.filled, slab.filled += length)
      })
      const bytes = content === undefined ? undefined : this.#atOnce.decompress(content, this.#maxChunkBytes)
      if (content !== undefined && bytes !== undefined && this.#fits(id, bytes)) return { bytes: content, release: () => { this.#release(slab) } }
    } catch {
      // Told by whoever is asked next.
    }
    this.#release(slab)
    return undefined
  }

  #fits (id: ChunkId, bytes: Uint8Array): boolean {
    const digest = this.#digests.find(each => hash(each, bytes) === id)
    if (digest === undefined) return false
    if (digest !== this.#digests[0]) this.#digests = [digest, ...this.#digests.filter(other => other !== digest)]
    return true
  }

  #slabFor (length: number): Slab {
    if (this.#slab === undefined || this.#slab.bytes.length - this.#slab.filled < length) {
      const free = length > PASSING_BUFFER_BYTES ? undefined : this.#free.pop()
      this.#slab = free ?? { bytes: new Uint8Array(Math.max(length, PASSING_BUFFER_BYTES)), filled: 0, lent: 0 }
    }
    this.#slab.lent++
    return this.#slab
  }

  #release (slab: Slab | undefined): void {
    if (slab === undefined || --slab.lent > 0) return
    slab.filled = 0
    if (slab !== this.#slab && slab.bytes.length === PASSING_BUFFER_BYTES) this.#free.push(slab)
  }
}
