export { type Address, formatAddress, parseAddress, type TcpAddress, type TlsAddress, type UnixAddress } from './address.ts'
export { type AuthorityOptions, createAuthority, type IssueOptions, issueIdentity } from './authority.ts'
export { fromSocket, type SocketOptions } from './connection.ts'
export {
  AUTHORITY_DAYS, BYTES_PER_TURN, CLOSE_TIMEOUT_MS, DIAL_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, LEAF_DAYS, MAX_HANDSHAKES, MAX_NAMES, MAX_PENDING_CONNECTIONS, MAX_UNIX_PATH_BYTES,
  RECEIVE_BUFFER_BYTES, RECEIVE_BUFFER_ITEMS, SEND_BUFFER_BYTES
} from './constants.ts'
export { dial, type DialOptions, type DialTlsOptions } from './dial.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export { createIdentity, type Identity, type IdentityOptions, loadIdentity, parseIdentity } from './identity.ts'
export { listen, type ListenOptions, type ListenTlsOptions } from './listen.ts'
export { fingerprintOf, requireTrust, type Trust } from './trust.ts'
