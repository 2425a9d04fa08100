/** The name under which libp2p's peers agree on this muxer. Windows and frames are part of it: both ends have the same. Ours. */
export const PROTOCOL = '/mdsftp/1.0.0'

/** Streams that the peer may have open on a connection. libp2p's own default. */
export const MAX_INBOUND_STREAMS = 1000

/** Streams that we may have open on a connection. libp2p's own default. */
export const MAX_OUTBOUND_STREAMS = 1000

/** Sends that may wait on a stream before `send` says no, as a window of bytes may. Ours. */
export const MAX_WAITING_WRITES = 1024

/** `toChannel`: bytes that a stream may hold for a reader that does not come. Ours: as wide as the windows of yamux grow. */
export const MAX_BUFFERED_BYTES = 16_777_216

/** Bytes that may be unacknowledged on one stream, and that may wait to be sent. Part of `/mdsftp/1.0.0`: both ends must say the same. */
export const WINDOW_BYTES = 262_144
