/**
 * Chunks, indexes and the wire of casync.
 *
 * @module
 */
export { chunk } from './chunk.ts'
export { chunkSizesAround, DEFAULT_CHUNK_SIZES, parseChunkSizes } from './chunk-sizes.ts'
export type { ChunkSizes } from './chunk-sizes.ts'
export { CasyncError } from './errors.ts'
export type { CasyncErrorCode, CasyncErrorOptions, CasyncErrorScope } from './errors.ts'
export { identify, Verifier } from './identify.ts'
export type { IdentifyOptions, PlacedChunk } from './identify.ts'
export { decodeIndex, encodeIndex, openIndex } from './index-file.ts'
export type { DecodeIndexOptions, OpenIndex } from './index-file.ts'
export type { IndexHeader, IndexItem, IndexLimits, IndexOptions } from './index-codec.ts'
