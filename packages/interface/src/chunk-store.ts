import type { AbortOptions } from './channel.ts'

/** The digest of a chunk's bytes, uncompressed, as 64 lower-case hex digits. */
export type ChunkId = string

/** What a chunk is named by. */
export type ChunkDigest = 'sha512-256' | 'sha256'

/** A chunk whose bytes were found to fit its id. Nobody writes to its arrays. */
export interface Chunk {
  readonly id: ChunkId
  readonly bytes: Uint8Array
  /** The same bytes as one stream of zstd, xz or gzip, where it is at hand: whoever keeps or sends it need not compress. */
  readonly compressed?: Uint8Array | undefined
}

export interface ChunkGetOptions extends AbortOptions {
  /** The length that the chunk must have, where it is known: nothing longer is kept in memory. */
  length?: number | undefined
  /** That somebody stands waiting for it. A store behind a network may send it before others. */
  urgent?: boolean | undefined
}

export interface ChunkPutOptions extends AbortOptions {
  /** The caller has just found that the bytes fit the id: they need not be hashed again. */
  verified?: boolean | undefined
}

/** Where chunks come from. */
export interface ChunkSource {
  /** The chunk, its bytes verified by its id; `undefined` when there is none. A damaged chunk is an error with the code `ERR_CHUNK_DAMAGED` or `ERR_CHUNK_SIZE`, never a result. */
  get (id: ChunkId, options?: ChunkGetOptions): Promise<Chunk | undefined>
  /** The chunk as one stream of zstd, xz or gzip, verified likewise, for whoever only passes it on. `undefined` says that it is not at hand so: `get` says more. */
  lend? (id: ChunkId, options?: ChunkGetOptions): Promise<LentBytes | undefined>
}

/** Bytes that are good until they are given back. Whoever never does that lets others wait: there may be so much to lend and no more. */
export interface LentBytes {
  readonly bytes: Uint8Array
  /** Once. */
  release (): void
}

/** Where chunks are kept. Of one id there is one content, so that whoever comes second changes nothing. */
export interface ChunkStore extends ChunkSource {
  has (id: ChunkId, options?: AbortOptions): Promise<boolean>
  /** Keeps the chunk, after verifying it by its id. False when it was there already. What is kept when the process is killed is whole. */
  put (chunk: Chunk, options?: ChunkPutOptions): Promise<boolean>
  /** Resolves once every chunk that was put before survives loss of power. */
  sync? (options?: AbortOptions): Promise<void>
  /** Every chunk, in no particular order. */
  list? (options?: AbortOptions): AsyncIterable<ChunkId>
  /** False when there was none. */
  remove? (id: ChunkId, options?: AbortOptions): Promise<boolean>
}

/** Computes digests. */
export type Hasher = (digest: ChunkDigest, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** Compresses and decompresses chunks. */
export interface ChunkCompression {
  /** One zstd stream. */
  compress (bytes: Uint8Array): Promise<Uint8Array>
  /** Takes exactly one stream of zstd, xz or gzip, told by its first bytes. Rejects what is cut short, what goes on behind its end and what would exceed `maxBytes`. */
  decompress (bytes: Uint8Array, maxBytes: number): Promise<Uint8Array>
}
