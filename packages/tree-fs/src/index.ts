/**
 * Trees of files on disk, read and written with everything that belongs to them.
 *
 * @module
 */
export { TreeError } from './errors.ts'
export type { TreeErrorCode, TreeErrorOptions } from './errors.ts'
export { readTree } from './read-tree.ts'
export type { ReadTreeOptions } from './read-tree.ts'
export { writeTree } from './write-tree.ts'
export type { GivenParts, WriteTreeOptions, WrittenTree } from './write-tree.ts'
