/**
 * Chunk stores on disk in the layout of casync, with the hashes and compressors of Node.
 *
 * @module
 */
export { nodeCompression } from './compression.ts'
export type { CompressionOptions } from './compression.ts'
export type { Collected, CollectOptions } from './collect.ts'
export { CastrError } from './errors.ts'
export type { CastrErrorCode, CastrErrorOptions } from './errors.ts'
export { nodeFileSystem } from './file-system.ts'
export type { FileSystem } from './file-system.ts'
export { nodeHash } from './hash.ts'
export type { StoreSurvey } from './survey.ts'
export { castr } from './store.ts'
export type { CastrOptions, CastrStore } from './store.ts'
