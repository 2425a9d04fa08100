/**
 * The numbers of this package. All of them are ours unless a line says otherwise.
 *
 * @module
 */

/** What both ends say in `Sec-WebSocket-Protocol` when they know how to end one direction: see `../WIRE.md`. */
export const SUBPROTOCOL = 'ropewalk.1'

/** Bytes of the largest message that is accepted. */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024

/** Bytes of the largest message that is sent. */
export const MAX_SEND_BYTES: number = 64 * 1024

/** Bytes that may wait unread before the socket is paused, where it can be. */
export const RECEIVE_BUFFER_BYTES: number = 256 * 1024

/** Pieces that may wait unread before the socket is paused. Small messages are joined, so that this is no message count. */
export const RECEIVE_BUFFER_ITEMS = 1024

/** Bytes that may wait unread where the socket cannot be paused: one more ends the connection. */
export const MAX_BUFFERED_BYTES: number = 16 * 1024 * 1024

/** Bytes that may come after a pause: one read of the kernel, in which a message may end. That message counts apart. */
export const PAUSE_SLACK_BYTES: number = 256 * 1024

/** Bytes handed to the WebSocket and not yet sent above which a sink waits. */
export const SEND_BUFFER_BYTES: number = 256 * 1024

/** Bytes a sink may write before it lets the event loop turn, where everything is taken at once. */
export const BYTES_PER_TURN: number = 1024 * 1024

/** Where nothing tells that bytes have left: how long to wait before looking, the first time and at most. */
export const POLL_FIRST_MS = 1
export const POLL_MAX_MS = 64

/** How long a graceful close waits for the peer's end before the connection is dropped. */
export const CLOSE_TIMEOUT_MS = 5_000

/** How long a connection that was broken off waits for the peer to hear why. */
export const LINGER_MS = 500

/** How long `dial` may take in all: name look-up, connect, both handshakes. */
export const DIAL_TIMEOUT_MS = 10_000

/** How long a client may take until its upgrade request is complete. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/** Clients without a complete upgrade request that there may be at once; the next connection is refused. */
export const MAX_HANDSHAKES = 64

/** Bytes of a request line with its headers. */
export const MAX_HEADER_BYTES: number = 16 * 1024

/** Accepted connections that nobody has taken yet; the next one is refused. */
export const MAX_PENDING_CONNECTIONS = 64

/** The codes with which we close. From RFC 6455, 7.4: 1000 is a normal end, and from 4000 on they are the application's. */
export const CloseCode = {
  Normal: 1000,
  Aborted: 4000,
  Protocol: 4002,
  Text: 4003,
  BufferFull: 4008,
  TooLarge: 4009
} as const

export type CloseCode = typeof CloseCode[keyof typeof CloseCode]

/** From RFC 6455, 7.1.5: closed without a code; the connection went away without a close. */
export const CLOSED_WITHOUT_CODE = 1005
export const CLOSED_ABNORMALLY = 1006
