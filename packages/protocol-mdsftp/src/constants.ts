/** Bytes of a node id, the first thing a dialer sends. From the specification, section 2.2. */
export const NODE_ID_BYTES = 16

/** Bytes of the access token that may follow the node id. From the specification, section 2.2. */
export const TOKEN_BYTES = 64

/** How long a dialer may take for its preamble. Ours, from section 8. */
export const PREAMBLE_TIMEOUT_MS = 10_000

/** Bytes that may pile up behind a preamble while its token is verified. Ours: what a transport hands over at a time, and some more. */
export const MAX_EARLY_BYTES = 1_048_576

/** Connections that have not said who they are. Ours, from section 8. */
export const MAX_HALF_OPEN = 64

/** How long a reply may take (Reserve, Put, Query, Commit, LockReq). Ours, from section 8. */
export const REQUEST_TIMEOUT_MS = 30_000

/** How long the first fragment of a retrieval may take. Ours, from section 8. */
export const FIRST_FRAGMENT_TIMEOUT_MS = 15_000

/** How long it may take between fragments or acknowledgements. Ours, from section 8. */
export const PROGRESS_TIMEOUT_MS = 60_000

/** How long a channel may stand open without a request. Ours, from section 8. */
export const IDLE_TIMEOUT_MS = 60_000

/** How long a lock is held on a channel that says nothing. Ours, from section 8. */
export const LOCK_LEASE_MS = 300_000

/** How long an upload that failed may try to tell the peer so. Ours. */
export const CLEANUP_TIMEOUT_MS = 5_000

/** A client keeps what it has reserved alive this often while it uploads. The reference does; section 5.4. */
export const KEEP_ALIVE_MS = 60_000

/** Life of a reservation, and of an uploaded chunk that nobody commits. The reference uses it; section 5.10. */
export const RESERVATION_LIFE_MS = 3_600_000

/** How often a node looks for reservations that are over. The reference uses it; section 5.10. */
export const SWEEP_MS = 300_000

/** Window announced to who uploads to us, in fragments. The reference uses it; section 4.1. */
export const UPLOAD_WINDOW = 10

/** Window asked for in Retrieve, in fragments. The reference uses it, and its acknowledgement queue holds no more; section 4.7. */
export const RETRIEVE_WINDOW = 16

/** Most fragments that we have unacknowledged, whatever window the peer names. Ours, from section 8. */
export const MAX_SEND_FRAGMENTS = 64

/** Most bytes that we have unacknowledged on one channel, whatever window the peer names. Ours. */
export const MAX_SEND_BYTES = 4_194_304

/** The same of a durable upload: what may have to be sent again. Ours. */
export const MAX_DURABLE_SEND_BYTES = 1_048_576

/** Content bytes of the fragments that we send. The reference's default for nodes; section 1.5. */
export const FRAGMENT_BYTES = 262_144

/** The same towards our own kind, where the link is fast: a disk takes them better. Ours. */
export const FAST_FRAGMENT_BYTES = 1_048_576

/** A link is fast that brings such a fragment in this time. Ours: what everybody else on the connection has to wait for it. */
export const FAST_FRAGMENT_MS = 100

/** Most fragments of one transfer. The reference refuses more; section 4.2. */
export const MAX_FRAGMENTS = 4_294_967_294

/** Readers that one chunk may have. The reference's cluster default; section 6.3. */
export const MAX_READERS = 2048

/** Reservations and uncommitted chunks that a node keeps. Ours. */
export const MAX_RESERVATIONS = 65_536

/** The same, of one peer. Ours: one of them must not use up what there is for all. */
export const MAX_OWNER_RESERVATIONS = 16_384

/** How long a reservation can be prolonged. Ours, asked for by section 8: otherwise keep-alives would hold space for ever. */
export const MAX_RESERVATION_AGE_MS = 604_800_000

/** How long an upload has the right to write without renewing it. Ours. It is renewed when a third has passed. */
export const LEASE_MS = 600_000

/** Expired reservations that are removed together. Ours. */
export const SWEEP_BATCH = 64

/** How long a channel that a peer has opened without asking holds our content back. Ours: the original asks at once. */
export const REQUEST_HOLD_MS = 10_000

/** Connections of one node, whoever dialled. Ours, from section 8. */
export const MAX_NODE_CONNECTIONS = 8

/** Channels on a connection, above which another is dialled. Ours. */
export const CONNECTION_CHANNELS = 64

/** How long a connection to another node may take to be made. Ours, from section 8. */
export const DIAL_TIMEOUT_MS = 10_000

/** How long to wait after the first failed attempt to dial a node, and at most. Ours. */
export const BACKOFF_FIRST_MS = 500
export const BACKOFF_MOST_MS = 30_000

/** A connection to our own kind that nobody uses is closed after this. The reference meant to; finding 15. */
export const IDLE_CONNECTION_MS = 300_000

/** After a time-out, a connection from which nothing was read for so long is dead. Ours, from finding 5. */
export const DEAD_AFTER_MS = 30_000

/** Bytes a second that a scrub reads. Ours: a tenth of what a slow disk can, so that nobody notices. */
export const SCRUB_BYTES_PER_SECOND = 8_388_608

/** From the end of one scrub to the next. Ours: a week. */
export const SCRUB_EVERY_MS = 604_800_000

/** Bytes that a scrub reads at a time. Ours. */
export const SCRUB_READ_BYTES = 262_144

/** Entries that a scrub asks the ledger for at a time. Ours. */
export const SCRUB_BATCH = 256

/** Bytes acknowledged after which a durable upload writes its journal anew. Ours. */
export const JOURNAL_BYTES = 16_777_216

/** How long the attempts of a durable upload may bring nothing new. Ours: longer than a node takes to notice that a connection is gone. */
export const GIVE_UP_MS = 300_000

/** How often a durable upload begins anew because the peer has lost what it had. Ours. */
export const MAX_RESTARTS = 3
