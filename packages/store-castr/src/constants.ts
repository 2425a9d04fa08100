/** Longest chunk that there may be. From the specification. */
export const MAX_CHUNK_BYTES: number = 128 * 1024 * 1024

/** Digits of an id, of which the first name the folder. From the specification. */
export const ID_DIGITS = 64
export const SHARD_DIGITS = 4

/** What the name of a compressed chunk ends with. The reference uses. */
export const COMPRESSED_SUFFIX = '.cacnk'

/** Chunks that become durable together, and their bytes. Ours: an fsync each would cost more than everything else. */
export const GROUP_CHUNKS = 512
export const GROUP_BYTES: number = 32 * 1024 * 1024

/** What a thread of an intake is given at a time. Ours. */
export const INTAKE_BATCH_BYTES: number = 2 * 1024 * 1024
export const INTAKE_BATCH_CHUNKS = 256

/** Threads of an intake or an outlet. Ours: each takes some 15 MiB of memory. */
export const MAX_THREADS = 4

/** The same for a thread of an outlet. Ours. */
export const OUTLET_BATCH_BYTES: number = 1024 * 1024
export const OUTLET_BATCH_CHUNKS = 64

/** Chunks that are lent before threads are begun for the others. Ours: 2 MiB at the usual sizes. */
export const LENT_AT_ONCE = 32

/** Chunks that a thread reads at a time for whoever passes them on, and arrays of 2 MiB for those that are lent. Ours. */
export const LENDING_BATCH_CHUNKS = 8
export const LENDING_SLABS = 6

/** The same for whoever looks at what is in them, as far as that has room in one array. Ours. */
export const READING_BATCH_CHUNKS = 32

/** Longest chunk that goes through threads: each buffer has room for one. Ours. */
export const MAX_INTAKE_CHUNK_BYTES: number = 2 * 1024 * 1024

/** Chunks that an identifier may look out for, 96 bytes each. Ours: 8 GiB of a blob at the usual sizes. */
export const MAX_WANTED_CHUNKS = 131_072

/** How hard chunks are compressed. The reference uses. */
export const ZSTD_LEVEL = 3

/** Widest window of a zstd frame that is longer than its chunk may be: casync writes 2 MiB, desync the length of the chunk. Ours. */
export const MAX_WINDOW_BYTES: number = 8 * 1024 * 1024

/**
 * Chunks up to this length are compressed and decompressed at once: handing 64 KiB to another thread and back takes longer than zstd takes for
 * them (80 to 250 against 35 to 130 microseconds). Ours.
 */
export const AT_ONCE_BYTES: number = 256 * 1024

/** Times on file systems are this coarse at worst. From FAT. */
export const TIME_SLACK_MS = 2_000

/** How often a lease says that it is alive, and how long its silence means nothing, where its process cannot be looked at. Ours. */
export const LEASE_RENEWAL_MS = 60_000
export const LEASE_EXPIRY_MS: number = 60 * 60_000

/** How old what was being written has to be before a collection removes it. Ours. */
export const STALE_WRITE_MS: number = 24 * 60 * 60_000

/** Ids of which a collection remembers that they stay. Ours: about 512 MiB of the disk's chunks for each MiB here. */
export const MAX_KEPT_IDS: number = 4 * 1024 * 1024
