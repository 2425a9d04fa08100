/**
 * WebSocket as Connection, with the platform's WebSocket: in browsers and elsewhere. In Node there is more in `@ropewalk/transport-ws/node`.
 *
 * @module
 */
export { type ConnectionOptions } from './connection.ts'
export { SUBPROTOCOL } from './constants.ts'
export { dial, type DialOptions } from './dial.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export { fromWebSocket, type PlatformWebSocket } from './platform.ts'
