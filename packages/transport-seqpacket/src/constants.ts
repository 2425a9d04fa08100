/**
 * The numbers of this package. All of them are ours unless a line says otherwise.
 *
 * @module
 */

/** Largest packet, both ways. The kernel takes about 212,000 bytes by default, and the reader's buffer must hold one. */
export const MAX_PACKET_BYTES: number = 128 * 1024

/** Bytes and packets that may wait unread: the library cannot stop reading, so a peer that sends more is cut off. */
export const RECEIVE_BUFFER_BYTES: number = 8 * 1024 * 1024
export const RECEIVE_BUFFER_ITEMS = 4096

/** Bytes and packets handed to the socket and not yet to the kernel above which a sink waits. */
export const SEND_BUFFER_BYTES: number = 256 * 1024
export const SEND_BUFFER_ITEMS = 64

/** How long a graceful close waits for the peer's end before the socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 5000

/** Accepted connections that nobody has taken yet; the next one is refused. */
export const MAX_PENDING_CONNECTIONS = 64

/** Bytes of a unix socket's path. From Linux: `sun_path` holds 108 with its final zero. */
export const MAX_UNIX_PATH_BYTES = 107
