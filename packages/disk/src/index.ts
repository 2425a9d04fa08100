/**
 * How bytes get to a disk.
 *
 * @module
 */
export { BEHIND_BYTES, DIRECT_BYTES, DIRECT_READ_BYTES, DISK_BLOCK_BYTES, MAX_VECTORS, MIN_VECTOR_BYTES } from './constants.ts'
export { DIRECT_FLAG, DirectFile, diskMemory } from './direct.ts'
export { DirectorySync, syncDirectory } from './directory-sync.ts'
export type { DirectoryOpener } from './directory-sync.ts'
export { fileOf } from './file.ts'
export type { DiskFile } from './file.ts'
export { flushFileSystem, startFlush } from './flush.ts'
export { Flusher } from './flusher.ts'
export { bootId, identify, ownerName, ownerOf, startOf } from './owner.ts'
export type { Owner } from './owner.ts'
export { copyTo, sharedMemory } from './shared-memory.ts'
export { SyncBehind } from './sync-behind.ts'
export { vectorsOf, writeAll, writeAtOnce } from './vectors.ts'
