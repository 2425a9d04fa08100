/** Most UTF-8 bytes of a string on the wire. From the specification, section 1: its count is one byte. */
export const MAX_STRING_BYTES = 255

/** Bytes of an identity. From the specification, section 2.2: a compressed public key. */
export const IDENTITY_BYTES = 33

/** Most elements of one cslq array, whatever its count claims. Ours. */
export const MAX_ARRAY_ITEMS = 65_536

/** Most bytes of one JSON value. Ours, from section 6. */
export const MAX_JSON_BYTES = 16_777_216

/** Most levels of arrays and objects in one JSON value. Ours. */
export const MAX_JSON_DEPTH = 16

/** Most entries of one offer. Ours, from section 6. */
export const MAX_ENTRIES = 100_000

/** Most UTF-8 bytes of a name in an offer. Ours: what file systems take. */
export const MAX_NAME_BYTES = 4096

/** Most offers that are kept of one peer. Ours. */
export const MAX_PEER_OFFERS = 256

/** Most peers that are kept. Ours. */
export const MAX_PEERS = 4096

/** Most sessions of one peer at a time. Ours. */
export const MAX_PEER_SESSIONS = 32

/** Events that wait for a slow listener before it is disconnected. Ours. */
export const MAX_QUEUED_EVENTS = 1024

/** How long a reply may take. Ours, from section 3.1: the original never answers some requests. */
export const REPLY_TIMEOUT_MS = 20_000

/** How long it may take between bytes of a download, in both directions. Ours. */
export const PROGRESS_TIMEOUT_MS = 60_000

/** How long a session may stand without a command. Ours. */
export const IDLE_TIMEOUT_MS = 60_000

/** How long after its answer an offer is downloaded by itself. From the specification, section 5.2: earlier hangs the original. */
export const AUTO_ACCEPT_DELAY_MS = 2_000

/** Bytes that wait for a channel before a writer waits. Ours. */
export const MAX_WAITING_BYTES = 262_144

/** Bytes of a block that is verified by itself, in files that are longer. Ours: our extension tells a digest of each. */
export const BLOCK_BYTES = 8_388_608

/** Most blocks of one file; of larger files the blocks are larger. Ours. */
export const MAX_BLOCKS = 4096

/** Files that are downloaded at a time from a peer that knows our extension. Ours. */
export const PARALLEL_FILES = 4

/** Entries that are asked for ahead on one session. Ours. */
export const ASKED_AHEAD = 8

/** Entries of one session that were sent and are not confirmed. Ours: more than any of ours asks for ahead. */
export const MAX_UNCONFIRMED = 1024

/** Files up to this are asked for together. Ours. */
export const SMALL_FILE_BYTES = 65_536

/** Entries that are asked for with one command, at most. Ours. */
export const MANY_ENTRIES = 256

/** ... and their bytes. Ours: they are held until all of them are verified. */
export const MANY_BYTES = 524_288

/** Such commands that are asked ahead, and such lists that are being made to last. Ours: together less than may be unconfirmed. */
export const MANY_AHEAD = 2

/** How long the entries of one command may take to come before fewer are asked for, and how long before more are: then less is lost with the process. Ours. */
export const MANY_SLOW_MS = 500
export const MANY_FAST_MS = 125

/** Bytes of a file that are read at a time, at most. Ours: a thread costs some hundred microseconds before it reads. */
export const READ_BYTES = 524_288

/** Bytes of small files that are sent in one piece. Ours. */
export const SENT_BYTES = 131_072

/** Bytes of a download that are gathered for one write, while the one before is under way. Ours: a disk takes twice as many at once in little more time. */
export const STROKE_BYTES = 2_097_152

/** Entries of one session that are there and are being made to last, while the next ones come. Ours: they share their syncs. */
export const FINISHED_AHEAD = 64

/** What became of an offer at who got it: our extension. */
export const Outcome = { completed: 0, declined: 1, failed: 2 } as const
export type Outcome = typeof Outcome[keyof typeof Outcome]

/** How long a peer may take to end its direction after we have ended ours. Ours. */
export const CLOSE_TIMEOUT_MS = 1_000

/** Bytes that are thrown away while waiting for that. Ours. */
export const MAX_DRAIN_BYTES = 65_536
