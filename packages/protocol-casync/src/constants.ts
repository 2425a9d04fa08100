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

/** Size and type before the body of a frame. From the specification, section 1.1. */
export const FRAME_HEADER_BYTES = 16

/** Longest frame, its header included. The reference takes no more. */
export const MAX_FRAME_BYTES: number = 16 * 1024 * 1024

/** What stands before the data of a chunk, and before the ids of a request. From the specification. */
export const CHUNK_HEADER_BYTES: number = FRAME_HEADER_BYTES + 8 + CHUNK_ID_BYTES
export const REQUEST_HEADER_BYTES: number = FRAME_HEADER_BYTES + 8

/** Most data of one chunk on the wire, compressed or not. From the specification. */
export const MAX_WIRE_CHUNK_BYTES: number = MAX_FRAME_BYTES - CHUNK_HEADER_BYTES

/** A frame of requests ends with the id that makes it this long. The reference uses; that is 2,048 ids. */
export const REQUEST_FRAME_BYTES: number = 64 * 1024

/** Messages, by the word that announces them. `WIRE.md` is the prose; a test keeps the two equal. */
export const MESSAGE_TYPES = {
  HELLO: 0x3c71_d094_8ca5_fbeen,
  INDEX: 0xb32a_91dd_2b3e_27f8n,
  INDEX_EOF: 0x4f09_32f1_0437_18f5n,
  ARCHIVE: 0x95d6_428a_69ed_dcc5n,
  ARCHIVE_EOF: 0x450b_ef66_3f24_cbadn,
  REQUEST: 0x8ab4_27e0_f89d_9210n,
  CHUNK: 0x5213_dd18_0a84_bc8cn,
  MISSING: 0xd010_f9fa_c82b_7b6cn,
  GOODBYE: 0xad20_5dbf_1a36_86c3n,
  ABORT: 0xe7d9_136b_7efe_a352n
} as const

/** Services and wishes, by bit. From the specification, section 1.3. */
export const HELLO_FLAGS = {
  READABLE_STORE: 0x1,
  WRITABLE_STORE: 0x2,
  READABLE_INDEX: 0x4,
  WRITABLE_INDEX: 0x8,
  READABLE_ARCHIVE: 0x10,
  WRITABLE_ARCHIVE: 0x20,
  PULL_CHUNKS: 0x40,
  PULL_INDEX: 0x80,
  PULL_ARCHIVE: 0x100,
  PUSH_CHUNKS: 0x200,
  PUSH_INDEX: 0x400,
  PUSH_INDEX_CHUNKS: 0x800,
  PUSH_ARCHIVE: 0x1000
} as const

/** Numbers that the reference makes error messages of, whatever the system: those of Linux. */
export const ERRNO = { ENOENT: 2, EIO: 5, EACCES: 13, ENOSPC: 28, EPROTO: 71, EBADMSG: 74, ECONNABORTED: 103, ETIMEDOUT: 110 } as const

/** The number of an ABORT is below this. From the specification. */
export const ERRNO_LIMIT = 0x7fff_ffff

/** Most bytes of an index that a peer sends. Ours: it is kept in memory until it is used; at the default sizes, that of a blob of 100 GiB. */
export const MAX_WIRE_INDEX_BYTES: number = 64 * 1024 * 1024

/** Requests of a peer that wait for their answer, above which nothing more is read from it. Ours; one frame may exceed it. */
export const MAX_QUEUED_REQUESTS: number = 64 * 1024

/** Answers of which a server remembers that it gave them. Ours: a chunk that is sent again does no harm. */
export const MAX_REMEMBERED_ANSWERS: number = 64 * 1024

/** Chunks that one push may be asked for, and that one pull may ask for. Ours: about 128 MiB of ids; at the default sizes, chunks of 64 GiB. */
export const MAX_SESSION_CHUNKS: number = 1024 * 1024

/** Requests that are under way at a time. Ours. */
export const MAX_OUTSTANDING = 2048

/** Chunks that a pull asks for at a time, of which each may take a frame of memory. Ours. */
export const MAX_PULL_OUTSTANDING = 256

/** Bytes that are encoded ahead of the channel. Ours. */
export const MAX_UNSENT_BYTES: number = 256 * 1024

/** Chunks that a server reads and compresses ahead of the channel, and those that it is lent as they lie there. Ours. */
export const ANSWERS_AHEAD = 8
export const LENT_AHEAD = 32

/** Bytes of answers that wait for those that come at once behind them. Ours. */
export const GATHERED_BYTES: number = 128 * 1024

/** How long the peer may take to say hello, to send or take anything, and to take our last words. Ours: the reference waits for ever. */
export const HELLO_TIMEOUT_MS = 30_000
export const IDLE_TIMEOUT_MS = 300_000
export const LAST_WORDS_MS = 2_000

/** Bytes of chunks, as they came, that are decompressed and verified at a time; nothing more is read above that. Ours. */
export const MAX_UNPACKING_BYTES: number = 32 * 1024 * 1024

/** Chunks that a push looks for in the store at a time. Ours. */
export const LOOKUPS_AHEAD = 32

/** HTTP: tries of one request, the wait before the second, doubled before each further, and the longest wait. Ours. */
export const HTTP_ATTEMPTS = 5
export const HTTP_BACKOFF_MS = 250
export const HTTP_MAX_BACKOFF_MS = 10_000

/** How long a web server may take for its first byte, and between two. Ours. */
export const HTTP_TIMEOUT_MS = 30_000

/** Records of an archive, by the word that announces them. From the specification, section 5.4. */
export const RECORD_TYPES = {
  ENTRY: 0x1396_fabc_ea5b_bb51n,
  USER: 0xf453_131a_aeea_ccb3n,
  GROUP: 0x25eb_6ac9_6939_6a52n,
  XATTR: 0xb815_7091_f80b_c486n,
  ACL_USER: 0x297d_c88b_2ef1_2fafn,
  ACL_GROUP: 0x36f2_acb5_6cb3_dd0bn,
  ACL_GROUP_OBJ: 0x2304_7110_441f_38f3n,
  ACL_DEFAULT: 0xfe3e_eda6_823c_8cd0n,
  ACL_DEFAULT_USER: 0xbdf0_3df9_bd01_0a91n,
  ACL_DEFAULT_GROUP: 0xa0cb_1168_782d_1f51n,
  SELINUX: 0x46fa_f060_2fd2_6c59n,
  FCAPS: 0xf726_7db0_afed_0629n,
  QUOTA_PROJID: 0x161b_af2d_8772_a72bn,
  PAYLOAD: 0x8b9e_1d93_d6dc_ffc9n,
  SYMLINK: 0x664a_6fb6_830e_0d6cn,
  DEVICE: 0xac3d_ace3_69df_e643n,
  FILENAME: 0x6dbb_6ebc_b316_1f0bn,
  GOODBYE: 0xdfd3_5c5e_8327_c403n
} as const

/** Size and type before the body of a record; the body of an ENTRY; one item of a GOODBYE, and its tail. From the specification. */
export const RECORD_HEADER_BYTES = 16
export const ENTRY_BYTES = 64
export const GOODBYE_ITEM_BYTES = 24
export const GOODBYE_TAIL_MAGIC = 0x5744_6fa5_3370_2943n

/** Most bytes of a name, of a link's target, of an attribute's name and value, of a user's name. Linux has no more. */
export const MAX_FILENAME_BYTES = 255
export const MAX_TARGET_BYTES = 4095
export const MAX_XATTR_NAME_BYTES = 255
export const MAX_XATTR_VALUE_BYTES: number = 64 * 1024
export const MAX_USER_NAME_BYTES = 255
export const MAX_LABEL_BYTES = 4095
export const MAX_CAPABILITIES_BYTES = 64

/** Folders in each other, records of one node besides its content, and their bytes. Ours. */
export const MAX_TREE_DEPTH = 1024
export const MAX_NODE_RECORDS = 4096
export const MAX_NODE_BYTES: number = 1024 * 1024

/** Names in the folders that are open, of which the table at the end of each is made. Ours: about 48 MiB. */
export const MAX_OPEN_NAMES: number = 1024 * 1024

/** Bytes of an archive that are gathered before they are passed on. Ours. */
export const GATHER_BYTES: number = 256 * 1024
