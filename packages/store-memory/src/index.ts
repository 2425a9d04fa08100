/**
 * Fragments in memory.
 *
 * @module
 */
export { StoreError } from './errors.ts'
export type { StoreErrorCode } from './errors.ts'
export { MemoryStore } from './store.ts'
export type { MemoryStoreOptions, StoreOperation } from './store.ts'
