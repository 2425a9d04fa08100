/** What went wrong, stable across releases. Match on this, never on `message`. */
export type TransportErrorCode =
  /** There are no sockets of packets here: not Linux, or without the optional package. */
  | 'ERR_UNAVAILABLE'
  /** The peer no longer reads, or is gone. */
  | 'ERR_CONNECTION_RESET'
  /** No connection came about: refused, no such socket, a socket of another kind. */
  | 'ERR_CONNECT'
  /** A packet larger than is sent or taken. */
  | 'ERR_TOO_LARGE'
  /** The peer has sent more than may wait unread. */
  | 'ERR_OVERFLOW'
  /** Ended here, by us, without another reason. */
  | 'ERR_ABORTED'
  | 'ERR_ADDRESS_IN_USE'
  /** The path cannot be used. */
  | 'ERR_ADDRESS'

export interface TransportErrorOptions extends ErrorOptions {
  remote?: boolean | undefined
}

/** A connection could not be made, or it broke. `remote` is true where the peer did it. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: TransportErrorCode
  readonly scope = 'connection'
  readonly remote: boolean

  constructor (code: TransportErrorCode, message: string, options: TransportErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.remote = options.remote ?? false
  }
}

/** An error of an open socket as ours. The words of the library are not always those of the system: what is not clear is a peer that went away. */
export function transportError (error: unknown): TransportError {
  if (error instanceof TransportError) return error
  const message = error instanceof Error ? error.message : String(error)
  return /message too long/i.test(message)
    ? new TransportError('ERR_TOO_LARGE', message, { cause: error })
    : new TransportError('ERR_CONNECTION_RESET', 'the peer is gone', { cause: error, remote: true })
}
