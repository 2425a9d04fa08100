/**
 * WebSocket as Connection in Node: client and server, with backpressure in both directions.
 *
 * @module
 */
export { type ConnectionOptions } from '../connection.ts'
export { SUBPROTOCOL } from '../constants.ts'
export { TransportError, type TransportErrorCode } from '../errors.ts'
export { dial, type DialOptions, type DialTlsOptions } from './dial.ts'
export { type KeepAliveOptions } from './keep-alive-options.ts'
export { listen, type ListenOptions, type ListenTlsOptions } from './listen.ts'
