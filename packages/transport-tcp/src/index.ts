export { type Address, formatAddress, parseAddress, type TcpAddress, type TlsAddress, type UnixAddress } from './address.ts'
export { fromSocket, type SocketOptions } from './connection.ts'
export {
  BYTES_PER_TURN, CLOSE_TIMEOUT_MS, DIAL_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKES, MAX_PENDING_CONNECTIONS, MAX_UNIX_PATH_BYTES,
  RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_ITEMS, SEND_BUFFER_BYTES
} from './constants.ts'
export { dial, type DialOptions, type DialTlsOptions } from './dial.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export { createIdentity, type Identity, type IdentityOptions, loadIdentity } from './identity.ts'
export { listen, type ListenOptions, type ListenTlsOptions } from './listen.ts'
export { fingerprintOf } from './trust.ts'
