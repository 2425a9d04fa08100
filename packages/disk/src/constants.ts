/** Buffers that one `writev` takes. From POSIX: Linux has IOV_MAX = 1024. */
export const MAX_VECTORS = 1024

/** Lists whose pieces are on average smaller than this are joined before they are written: a vector costs more than the copy. Ours. */
export const MIN_VECTOR_BYTES = 1024

/** Bytes written to one file after which the system is asked to bring them to the disk, while more are written. Ours: a disk does them in less than a second. */
export const BEHIND_BYTES = 33_554_432

/** Writes of at least so many bytes go past the system's cache, where they begin and end with a block of the disk. Ours: a disk is slow with smaller ones, one at a time. */
export const DIRECT_BYTES = 524_288

/** Reads of at least so many bytes do. Ours. */
export const DIRECT_READ_BYTES = 262_144

/** What a disk takes at a time, or a multiple of it. From Linux: pages are no smaller. */
export const DISK_BLOCK_BYTES = 4096
