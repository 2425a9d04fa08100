/**
 * WebSocket as Connection, with the platform's WebSocket: in browsers and elsewhere. In Node there is more in `@ropewalk/transport-ws/node`.
 *
 * @module
 */
export { type ConnectionOptions } from './connection.ts'
export {
  BYTES_PER_TURN, CLOSE_TIMEOUT_MS, DIAL_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, LINGER_MS, MAX_BUFFERED_BYTES, MAX_HANDSHAKES, MAX_HEADER_BYTES,
  MAX_MESSAGE_BYTES, MAX_PENDING_CONNECTIONS, MAX_SEND_BYTES, RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_ITEMS, SEND_BUFFER_BYTES, SUBPROTOCOL
} from './constants.ts'
export { dial, type DialOptions } from './dial.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export { fromWebSocket, type PlatformWebSocket } from './platform.ts'
