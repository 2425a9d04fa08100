/**
 * Chunks, indexes and the wire of casync.
 *
 * @module
 */
export { assemble } from './assemble.ts'
export type { Assembled, AssembleOptions, BlobTarget, Origin } from './assemble.ts'
export { chain } from './chain.ts'
export type { ChainOptions, Trouble } from './chain.ts'
export { chunk } from './chunk.ts'
export { chunkSizesAround, DEFAULT_CHUNK_SIZES, parseChunkSizes } from './chunk-sizes.ts'
export type { ChunkSizes } from './chunk-sizes.ts'
export { CasyncError } from './errors.ts'
export type { CasyncErrorCode, CasyncErrorOptions, CasyncErrorScope } from './errors.ts'
export { fetchChunks } from './fetch-chunks.ts'
export type { AheadOptions } from './fetch-chunks.ts'
export { identify, Verifier } from './identify.ts'
export type { IdentifyOptions, PlacedChunk } from './identify.ts'
export { decodeIndex, encodeIndex, openIndex } from './index-file.ts'
export type { DecodeIndexOptions, OpenIndex } from './index-file.ts'
export type { IndexHeader, IndexItem, IndexLimits, IndexOptions } from './index-codec.ts'
export { MemoryStore } from './memory-store.ts'
export type { MemoryStoreOptions } from './memory-store.ts'
export { seed } from './seed.ts'
export type { RandomRead, SeedOptions } from './seed.ts'
export { storeMissing } from './store-missing.ts'
export type { StoredChunk, StoreMissingOptions } from './store-missing.ts'
