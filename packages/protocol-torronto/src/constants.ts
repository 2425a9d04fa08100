/** Bytes of a padded header, and of the only header that the original reads. From the original. */
export const HEADER_BYTES = 500

/** Bytes of a chunk, and of the block behind a header. From the original. */
export const CHUNK_BYTES = 65_536

/** Bytes of a message with its block. From the original. */
export const MESSAGE_BYTES = 66_036

/** Peers of a swarm that the original can live in, ourselves included; it dies of a seventh copy. From the original. */
export const MAX_PEERS = 6

/** Peers of a swarm of our own kind. Ours. */
export const MAX_HARDENED_PEERS = 64

/** Files of a swarm. The original names the number and never applies it; we do. */
export const MAX_FILES = 100

/** Chunks of a file (4 GiB) between originals. Ours. */
export const MAX_CHUNKS = 65_536

/** Chunks of a file (64 GiB) between our own peers. Ours. */
export const MAX_HARDENED_CHUNKS = 1_048_576

/** Bytes of the JSON of a hardened frame. Ours, from section 14 of the specification of this wire. */
export const MAX_JSON_BYTES = 1_048_576

/** Levels of objects and arrays. Nothing on this wire needs more than four. Ours. */
export const MAX_JSON_DEPTH = 8

/** Characters of one number. Ours: no number of this wire needs more than 16. */
export const MAX_NUMBER_CHARACTERS = 32

/** Bytes of one segment of a file's name. Ours: what file systems take. */
export const MAX_SEGMENT_BYTES = 255

/** Chunk hashes that one hardened list entry carries: what fits a frame. Ours. */
export const HASHES_PER_ENTRY = 8_192

/** First bytes of a hardened connection: "TORX", version 1. Ours. */
export const PREFACE: readonly number[] = [0x54, 0x4f, 0x52, 0x58, 1, 0, 0, 0]

/** How long a connection may say nothing. Ours, rule R1. */
export const IDLE_TIMEOUT_MS = 5_000

/** How long a connection to a peer of our own kind is kept when nothing is to be said. Ours: well below what the other side waits. */
export const LINK_IDLE_MS = 2_000

/** How long one message may take. Ours, rule R1. */
export const MESSAGE_TIMEOUT_MS = 30_000

/** How long a holder may take for a chunk before another is asked. Ours, rule R9. */
export const REQUEST_TIMEOUT_MS = 10_000

/** How long the same Download is not forwarded again. Ours, rule R10. */
export const FORWARD_AGAIN_MS = 30_000

/** Forwarded Downloads that are remembered. Ours. */
export const MAX_FORWARDS = 1_024

/** How long an announced chunk may stay unanswered before the next is announced. Ours, rule T8. */
export const ANNOUNCE_TIMEOUT_MS = 5_000

/** How long chunks gather that a peer of our own kind is told of together; the first is told at once. Ours: a message each cost more than all else that is small. */
export const ANNOUNCE_GATHER_MS = 50

/** How often peers that were not heard of are greeted. Ours, rule T11. */
export const GREET_MS = 30_000

/** Pause between two connections to the same original. Ours, rule T1. */
export const SEND_PAUSE_MS = 5

/** Chunks asked for and not yet written, over all peers. Ours. */
export const MAX_REQUESTS = 16

/** Chunks asked for at one peer of our own kind; an original gets one. Ours. */
export const MAX_PEER_REQUESTS = 4

/** Connections that are read at a time. Ours. */
export const MAX_CONNECTIONS = 64

/** Messages that wait for a peer; the oldest that says least is dropped. Ours. */
export const MAX_OUTBOX = 1_024

/** Missing chunks of a file that are compared for the rarest. Ours: choosing stays cheap in a file of a million. */
export const RAREST_SAMPLE = 512

/** Bytes of a nonce. Ours. */
export const NONCE_BYTES = 32

/** Shortest key of a swarm. Ours: what HMAC-SHA-256 cannot be guessed by. */
export const MIN_KEY_BYTES = 16

/** Which answer is the one to the hello of a handshake. Ours; other ids begin with 1. */
export const HELLO_ID = 0
