/**
 * Chunk stores on disk in the layout of casync, with the hashes and compressors of Node.
 *
 * @module
 */
export { MAX_INTAKE_CHUNK_BYTES } from './constants.ts'
export { nodeCompression } from './compression.ts'
export type { CompressionOptions } from './compression.ts'
export type { Collected, CollectOptions } from './collect.ts'
export { CastrError } from './errors.ts'
export type { CastrErrorCode, CastrErrorOptions } from './errors.ts'
export { nodeFileSystem } from './file-system.ts'
export type { FileSystem } from './file-system.ts'
export { nodeHash } from './hash.ts'
export { identifier } from './identifier.ts'
export type { IdentifierOptions, Onto } from './identifier.ts'
export type { Inlet, InletOptions } from './inlet.ts'
export type { Intake, IntakeOptions, KeptChunk } from './intake.ts'
export type { Reader, ReaderOptions } from './lending.ts'
export type { Outlet, OutletOptions, PlaceFrom, PlacePacked } from './outlet.ts'
export { placer } from './placer.ts'
export type { WrittenFormat } from './at-once.ts'
export type { StoreSurvey } from './survey.ts'
export { castr } from './store.ts'
export type { CastrOptions, CastrStore } from './store.ts'
export { WantedChunks } from './wanted.ts'
