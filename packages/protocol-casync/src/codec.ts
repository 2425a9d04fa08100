/**
 * The formats alone: chunk boundaries and indexes, without waiting.
 *
 * @module
 */
export { assertChunkSizes, chunkSizesAround, DEFAULT_CHUNK_SIZES, discriminator, parseChunkSizes } from './chunk-sizes.ts'
export type { ChunkSizes } from './chunk-sizes.ts'
export { Chunker } from './chunker-state.ts'
export { CasyncError } from './errors.ts'
export type { CasyncErrorCode, CasyncErrorOptions, CasyncErrorScope } from './errors.ts'
export { digestOf, indexBytes, IndexDecoder, IndexEncoder } from './index-codec.ts'
export type { IndexHeader, IndexItem, IndexLimits, IndexOptions } from './index-codec.ts'
