/** Bytes of every header: version (1), type (1), flags (2), stream (4), length (4), big-endian. From the specification, "Framing". */
export const HEADER_BYTES = 12

/** The only version there is. From the specification. */
export const VERSION = 0

/** Frame types by wire value. `WIRE.md` holds the same table and a test keeps them equal. */
export const FrameType = {
  Data: 0,
  WindowUpdate: 1,
  Ping: 2,
  GoAway: 3
} as const

export type FrameType = typeof FrameType[keyof typeof FrameType]

/** Flags by wire value; `WIRE.md` again. */
export const Flag = {
  SYN: 1,
  ACK: 2,
  FIN: 4,
  RST: 8
} as const

export type Flag = typeof Flag[keyof typeof Flag]

/** Why a session ends, by wire value; `WIRE.md` again. */
export const GoAwayReason = {
  Normal: 0,
  ProtocolError: 1,
  InternalError: 2
} as const

export type GoAwayReason = typeof GoAwayReason[keyof typeof GoAwayReason]

/** What every sender may send on a new stream before it hears anything. From the specification, "Flow Control". */
export const INITIAL_WINDOW_BYTES = 262_144

/** The largest credit that a 32-bit field can express; a peer that grants beyond it is broken. */
export const MAX_CREDIT_BYTES = 4_294_967_295

/** The largest stream id. From the specification: 32 bits. */
export const MAX_STREAM_ID = 4_294_967_295

/** Bytes of content in a frame that we send. Ours: small enough that others come in between, large enough for speed. */
export const FRAME_BYTES = 65_536

/** Channels that one side may have open on a connection. Ours. */
export const MAX_CHANNELS = 1024

/** Channels that the peer has opened and nobody has taken yet. libp2p's specification of yamux asks for at least this; hashicorp's code has the same number. */
export const MAX_ACCEPT_BACKLOG = 256

/** Channels that we have opened and the peer has not acknowledged; `open` waits. libp2p's specification asks for at most this. */
export const MAX_UNACKNOWLEDGED_OPENS = 256

/** Opens of the peer that came to nothing (refused, or reset by the peer itself) in a burst. Ours. */
export const MAX_WASTED_OPENS = 1024

/** How many of them are forgiven each second. Ours. */
export const WASTED_OPENS_PER_SECOND = 200

/** Frames in a burst that do nothing: pings, empty data, updates by zero. Ours; an honest peer sends a ping every half minute. */
export const MAX_IDLE_FRAMES = 1024

/** How many of them are forgiven each second. Ours. */
export const IDLE_FRAMES_PER_SECOND = 100

/** Pings of the peer whose answers the connection has not taken. Ours. */
export const MAX_UNANSWERED_PINGS = 256

/** Resets that the connection has not taken. Ours: more than all channels of both sides at once. */
export const MAX_QUEUED_RESETS = 4096

/** Ranges of ids that the peer has passed over and may still use: it need not open in order, but nearly. Ours. */
export const MAX_ID_GAPS = 256

/** Bytes that wait on one connection, all channels together, before reading from it stops. Ours. */
export const MAX_BUFFERED_BYTES = 33_554_432

/** A goodbye that the peer does not take is given up after this. Ours. */
export const FAREWELL_MS = 1000

/** A ping without any answer for this long means that the peer is gone. Ours. */
export const KEEP_ALIVE_TIMEOUT_MS = 10_000
