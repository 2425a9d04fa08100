/**
 * The numbers of this package. All of them are ours unless a line says otherwise.
 *
 * @module
 */

/** Bytes that may wait unread before the socket is paused. */
export const RECEIVE_BUFFER_BYTES: number = 256 * 1024

/** Pieces that may wait unread before the socket is paused: a peer that sends single bytes must not cost a kilobyte each. */
export const RECEIVE_BUFFER_ITEMS = 1024

/** Bytes handed to the socket and not yet to the kernel above which a sink waits. */
export const SEND_BUFFER_BYTES: number = 256 * 1024

/** Bytes a sink may write before it lets the event loop turn, where the kernel takes everything at once. */
export const BYTES_PER_TURN: number = 1024 * 1024

/** Bytes of the buffer that lent reads go to. One a thread, not one a socket. */
export const LENT_BUFFER_BYTES: number = 256 * 1024

/** Bytes of one buffer that is read into and then given away, in pieces; of TCP, and of TLS, whose reads are records of at most 16 KiB. */
export const OWNED_BUFFER_BYTES: number = 256 * 1024
export const OWNED_RECORDS_BYTES: number = 64 * 1024

/** A read of so many bytes is large; after so many smaller ones in a row a connection has no buffer of its own any more. */
export const LARGE_READ_BYTES: number = 8 * 1024
export const SMALL_READS = 16

/**
 * Items of the array that is thrown away with each of them, 16 and 32 KiB. For TCP half as many do as well in a large heap, and four
 * times as many cost a fifth of the speed; over TLS they are nothing beside the cipher, and keep a small heap small. Measured.
 */
export const LITTER_ITEMS = 2048
export const RECORDS_LITTER_ITEMS = 4096

/** How long a graceful close waits for the peer's end before the socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 5_000

/** How long `dial` may take in all: name look-up, connect, handshake. */
export const DIAL_TIMEOUT_MS = 10_000

/** How long a client may take for its TLS handshake. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/** TLS handshakes that may be under way at once; the next connection is refused. */
export const MAX_HANDSHAKES = 64

/** Accepted connections that nobody has taken yet; the next one is refused. */
export const MAX_PENDING_CONNECTIONS = 64

/** Bytes of a unix socket's path. From Linux: `sun_path` holds 108 with its final zero. */
export const MAX_UNIX_PATH_BYTES = 107

/** Hex digits of a SHA-256. */
export const FINGERPRINT_LENGTH = 64

/** Bytes of a certificate's serial number. From RFC 5280, 4.1.2.2: at most 20. */
export const SERIAL_BYTES = 20

/** Days that the certificate of an authority is good for, from now. */
export const AUTHORITY_DAYS = 3650

/** Days that a certificate of a node is good for, from now. */
export const LEAF_DAYS = 365

/** Names in one certificate: more do not fit what TLS stacks read. */
export const MAX_NAMES = 100
