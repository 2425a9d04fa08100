/** What went wrong, stable across releases. Match on this, never on `message`. */
export type StorageErrorCode =
  /** The peer has no such chunk, or it is not committed. */
  | 'ERR_NOT_FOUND'
  /** The peer has the chunk but cannot give it, take it or commit it now: locked, busy, incomplete, or its disk failed. */
  | 'ERR_NOT_AVAILABLE'
  /** The peer does not reserve that much; `spaceLeft` is what it says it has left. */
  | 'ERR_NO_SPACE'
  /** Nothing came in time. */
  | 'ERR_TIMEOUT'
  /** The channel or the connection ended before the operation was over; the `cause` says why, where it is known. */
  | 'ERR_INTERRUPTED'
  /** Less content than announced. */
  | 'ERR_INCOMPLETE'
  /** More content than announced. */
  | 'ERR_OVERFLOW'
  /** A fragment number out of sequence. */
  | 'ERR_FRAGMENT_ORDER'
  /** A range that is empty, backwards or outside the chunk. */
  | 'ERR_BAD_RANGE'
  /** An acknowledgement of a fragment that was never sent, or one that goes back. */
  | 'ERR_ACK'
  /** A packet that cannot come on this channel now. The connection does not survive it. */
  | 'ERR_UNEXPECTED_PACKET'
  /** The connection ended inside the preamble. */
  | 'ERR_TRUNCATED'
  /** The access token is malformed or was not accepted. */
  | 'ERR_TOKEN'
  /** More bytes before the connection was accepted than are kept. */
  | 'ERR_FLOOD'
  /** The chunk was removed while it was being uploaded. */
  | 'ERR_REMOVED'
  /** Our own store or ledger failed; the `cause` is its error. */
  | 'ERR_STORE'
  /** The ledger has an entry of that id. */
  | 'ERR_EXISTS'
  /** More connections of one node than it may have, or more that have not said who they are. */
  | 'ERR_MAX_CONNECTIONS'
  /** It was closed before. */
  | 'ERR_CLOSED'

export interface StorageErrorOptions {
  /** Whose fault it is: true when the peer refused, broke the protocol or went away. */
  remote?: boolean | undefined
  cause?: unknown
  /** Bytes that the peer says it has left; with `ERR_NO_SPACE`. A hint, not a promise. */
  spaceLeft?: bigint | undefined
}

/** `scope` says how much dies with it: one transfer, the channel it ran on, or the whole connection. */
export type StorageErrorScope = 'transfer' | 'channel' | 'connection'

export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode
  readonly scope: StorageErrorScope
  readonly remote: boolean
  readonly spaceLeft: bigint | undefined

  constructor (code: StorageErrorCode, scope: StorageErrorScope, message: string, options: StorageErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = scope
    this.remote = options.remote ?? true
    this.spaceLeft = options.spaceLeft
  }
}
