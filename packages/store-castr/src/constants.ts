/** Longest chunk that there may be. From the specification. */
export const MAX_CHUNK_BYTES: number = 128 * 1024 * 1024

/** Digits of an id, of which the first name the folder. From the specification. */
export const ID_DIGITS = 64
export const SHARD_DIGITS = 4

/** What the name of a compressed chunk ends with. The reference uses. */
export const COMPRESSED_SUFFIX = '.cacnk'

/** Chunks that become durable together, and their bytes. Ours: an fsync each would cost more than everything else. */
export const GROUP_CHUNKS = 64
export const GROUP_BYTES: number = 8 * 1024 * 1024

/** How hard chunks are compressed. The reference uses. */
export const ZSTD_LEVEL = 3

/** Widest window of a zstd frame that is longer than its chunk may be: casync writes 2 MiB, desync the length of the chunk. Ours. */
export const MAX_WINDOW_BYTES: number = 8 * 1024 * 1024

/**
 * Chunks up to this length are compressed and decompressed at once: handing 64 KiB to another thread and back takes longer than zstd takes for
 * them (80 to 250 against 35 to 130 microseconds). Ours.
 */
export const AT_ONCE_BYTES: number = 256 * 1024
