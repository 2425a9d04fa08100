/**
 * Bytes to frames: bounded, and linear in the size of what arrives.
 *
 * @module
 */
export { ByteQueue } from './byte-queue.ts'
export type { ByteQueueOptions } from './byte-queue.ts'
export { FramingError } from './errors.ts'
export type { ErrorScope, FramingErrorCode, FramingErrorOptions } from './errors.ts'
