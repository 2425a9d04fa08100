/**
 * Bytes to frames: bounded, and linear in the size of what arrives.
 *
 * @module
 */
export { ByteQueue } from './byte-queue.ts'
export type { ByteQueueOptions } from './byte-queue.ts'
export { ByteReader } from './byte-reader.ts'
export type { ByteReaderOptions, ReadOptions } from './byte-reader.ts'
export {
  DEFAULT_COALESCE_BYTES,
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_MAX_JSON_BYTES,
  DEFAULT_MAX_JSON_DEPTH,
  DEFAULT_MAX_QUEUE_BYTES,
  DEFAULT_MAX_QUEUE_CHUNKS,
  DEFAULT_MAX_READ_BYTES,
  MAX_SLAB_BYTES
} from './constants.ts'
export type { Cut, Cutter } from './cutter.ts'
export { FramingError } from './errors.ts'
export type { ErrorScope, FramingErrorCode, FramingErrorOptions } from './errors.ts'
export { FrameCutter } from './frame-cutter.ts'
export type { FrameCutterOptions } from './frame-cutter.ts'
export { fromHex, toHex } from './hex.ts'
export {
  readU16BE, readU16LE, readU32BE, readU32LE, readU64BE, readU64LE, u64ToNumber,
  writeU16BE, writeU16LE, writeU32BE, writeU32LE, writeU64BE, writeU64LE
} from './integers.ts'
export { JsonSplitter } from './json-splitter.ts'
export type { JsonSplitterOptions } from './json-splitter.ts'
export { formatUuid, parseUuid } from './uuid.ts'
