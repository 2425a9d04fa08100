/** Most bytes in a `ByteQueue`. Ours. */
export const DEFAULT_MAX_QUEUE_BYTES: number = 1024 * 1024

/** Most chunks in a `ByteQueue`. Ours: bytes alone would let a peer make us keep a million one-byte arrays. */
export const DEFAULT_MAX_QUEUE_CHUNKS = 4096

/** Chunks up to this size are copied together. Ours: copying so few costs less than keeping an object for them. */
export const DEFAULT_COALESCE_BYTES = 512

/** Size that the slabs grow to into which small chunks are copied. Ours. */
export const MAX_SLAB_BYTES = 4096

/** Most bytes that one exact read may ask for. Ours. */
export const DEFAULT_MAX_READ_BYTES: number = 1024 * 1024

/** Most bytes of one frame, header included. Ours. */
export const DEFAULT_MAX_FRAME_BYTES: number = 1024 * 1024

/** Most bytes of one JSON value. Ours. */
export const DEFAULT_MAX_JSON_BYTES: number = 1024 * 1024

/** Most levels of arrays and objects in one JSON value. Ours; Go's decoder takes 10,000. */
export const DEFAULT_MAX_JSON_DEPTH = 128
