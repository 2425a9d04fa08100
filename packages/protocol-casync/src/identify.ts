import { toHex } from '@ropewalk/framing'
import type { AbortOptions, Chunk, ChunkDigest, ChunkId, Hasher, Source } from '@ropewalk/interface'
import { HASH_AHEAD_BYTES, HASH_AHEAD_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'
import { lookahead } from './lookahead.ts'

export interface IdentifyOptions extends AbortOptions {
  /** Default SHA-512/256. */
  digest?: ChunkDigest | undefined
  /** Chunks that are hashed at a time, where the hasher is not synchronous. Default 8. */
  ahead?: number | undefined
}

/** A chunk at its place. */
export interface PlacedChunk extends Chunk {
  /** Where it begins. */
  readonly start: number
  /** One past its last byte. */
  readonly end: number
}

/** Gives each chunk its id and its place. */
export function identify (hash: Hasher, options: IdentifyOptions = {}): (chunks: Source<Uint8Array>) => AsyncGenerator<PlacedChunk, void, undefined> {
  const { digest = 'sha512-256', ahead = HASH_AHEAD_CHUNKS, signal } = options
  return async function * (chunks) {
    let start = 0
    const work = async (bytes: Uint8Array): Promise<{ bytes: Uint8Array, id: ChunkId }> => ({ bytes, id: toHex(await hash(digest, bytes)) })
    for await (const { bytes, id } of lookahead(chunks, work, { maxItems: ahead, maxWeight: HASH_AHEAD_BYTES, weigh: bytes => bytes.length, signal })) {
      const end = start + bytes.length
      yield { id, bytes, start, end }
      start = end
    }
  }
}

/** Compares bytes with the id that they should have. */
export class Verifier {
  readonly #hash: Hasher
  #digests: readonly ChunkDigest[]

  /** Without a digest it takes either: SHA-512/256 first, later whichever fitted last. */
  constructor (hash: Hasher, digest?: ChunkDigest) {
    this.#hash = hash
    this.#digests = digest === undefined ? ['sha512-256', 'sha256'] : [digest]
  }

  async fits (id: ChunkId, bytes: Uint8Array): Promise<boolean> {
    for (const digest of this.#digests) {
      if (toHex(await this.#hash(digest, bytes)) !== id) continue
      if (this.#digests.length > 1 && digest !== this.#digests[0]) this.#digests = [digest, ...this.#digests.filter(other => other !== digest)]
      return true
    }
    return false
  }

  /** `ERR_CHUNK_DAMAGED` unless they fit. */
  async assert (id: ChunkId, bytes: Uint8Array, from: string): Promise<void> {
    if (!await this.fits(id, bytes)) {
      throw new CasyncError('ERR_CHUNK_DAMAGED', 'transfer', `chunk ${id}: ${bytes.length} bytes ${from} have another digest`, { id })
    }
  }
}
