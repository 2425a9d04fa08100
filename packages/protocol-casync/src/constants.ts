/** Bytes that the rolling hash looks at. From the specification. */
export const WINDOW_BYTES = 48

/** Shortest and longest chunk that there may be. From the specification. */
export const MIN_CHUNK_BYTES = 1
export const MAX_CHUNK_BYTES: number = 128 * 1024 * 1024

/** Average length of a chunk where nobody says otherwise. The reference uses. */
export const DEFAULT_AVG_CHUNK_BYTES: number = 64 * 1024

/** Bytes of a chunk's id. From the specification. */
export const CHUNK_ID_BYTES = 32

/** Chunks that are hashed ahead of whoever takes them, and their bytes. Ours. */
export const HASH_AHEAD_CHUNKS = 8
export const HASH_AHEAD_BYTES: number = 8 * 1024 * 1024

/** Parts of an index. From the specification, section 5.1. */
export const INDEX_HEADER_BYTES = 48
export const TABLE_HEAD_BYTES = 16
export const INDEX_HEAD_BYTES: number = INDEX_HEADER_BYTES + TABLE_HEAD_BYTES
export const INDEX_ITEM_BYTES = 40

/** Words that mark them. From the specification. */
export const INDEX_MAGIC = 0x9682_4d9c_7b12_9ff9n
export const TABLE_MAGIC = 0xe75b_9e11_2f17_417dn
export const TABLE_TAIL_MAGIC = 0x4b4f_050e_5549_ecd1n

/** Stands where the size of the table would: it is not known when it is written. From the specification. */
export const UNKNOWN_SIZE = 0xffff_ffff_ffff_ffffn

/** The feature that says that ids are SHA-512/256, not SHA-256. From the specification. */
export const FEATURE_SHA512_256 = 0x2000_0000_0000_0000n

/** The features of a blob's index: the reference writes them. */
export const BLOB_FEATURES = 0xb000_0000_0000_0000n

/** Refuse an index of more bytes than this: at the default sizes of chunks, that of a blob of 1.7 TiB. Ours. */
export const MAX_INDEX_BYTES: number = 1024 * 1024 * 1024

/** Index bytes that are gathered before they are passed on. The reference sends so many at a time. */
export const INDEX_SLICE_BYTES: number = 64 * 1024

/** Chunks that are asked for ahead of whoever takes them, and their bytes. Ours: enough to hide a round trip, and a bound on memory. */
export const FETCH_AHEAD_CHUNKS = 64
export const FETCH_AHEAD_BYTES: number = 16 * 1024 * 1024

/** Chunks of the blob itself that are remembered, to be copied when they come again. Ours: about 32 MiB. */
export const MAX_SELF_REFERENCES: number = 128 * 1024

/** Chunks of a seed that are remembered. Ours: at the default sizes, those of 64 GiB. */
export const MAX_SEED_CHUNKS: number = 1024 * 1024

/** Bytes of chunks that a store in memory keeps. Ours. */
export const MEMORY_STORE_BYTES: number = 64 * 1024 * 1024

/** Chunks that are compressed and stored at a time. Ours. */
export const STORE_AHEAD_CHUNKS = 16
