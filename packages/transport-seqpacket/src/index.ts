/**
 * Unix sockets of packets (SOCK_SEQPACKET) as Connection, on Linux.
 *
 * @module
 */
export { formatAddress, type SeqpacketAddress } from './address.ts'
export type { SocketOptions } from './connection.ts'
export {
  CLOSE_TIMEOUT_MS, MAX_PACKET_BYTES, MAX_PENDING_CONNECTIONS, MAX_UNIX_PATH_BYTES, RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_ITEMS, SEND_BUFFER_BYTES, SEND_BUFFER_ITEMS
} from './constants.ts'
export { dial, type DialOptions } from './dial.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export { listen, type ListenOptions } from './listen.ts'
