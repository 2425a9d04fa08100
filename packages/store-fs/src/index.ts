/**
 * Fragments on disk: durable when committed, recovered or removed when not.
 *
 * @module
 */
export { AT_ONCE_BYTES, LIST_BATCH_FILES, LOCK_ANSWER_MS, LOCK_SETTLE_MS, MAX_KEPT_FILES, MAX_READ_OBJECTS } from './constants.ts'
export { StoreError } from './errors.ts'
export type { StoreErrorCode } from './errors.ts'
export { nodeFileSystem } from './file-system.ts'
export type { FileSystem, StoreFile } from './file-system.ts'
export { openFsStore } from './store.ts'
export type { FsStoreOptions } from './store.ts'
export { LoopBudget } from './loop-budget.ts'
