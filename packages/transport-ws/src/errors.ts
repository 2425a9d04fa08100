/** What went wrong, stable across releases. Match on this, never on `message`. */
export type TransportErrorCode =
  /** The peer broke the connection off. */
  | 'ERR_CONNECTION_RESET'
  /** The connection is gone, and the peer had not ended its direction. */
  | 'ERR_CONNECTION_LOST'
  /** No connection came about: refused, unreachable, no such name, not a WebSocket. Browsers do not say which. */
  | 'ERR_CONNECT'
  /** The server answered the request to upgrade with an HTTP status, or this server refused a client. */
  | 'ERR_REFUSED'
  | 'ERR_TIMEOUT'
  /** The TLS handshake or a TLS record was bad. */
  | 'ERR_TLS'
  /** Ended here, by us, without another reason. */
  | 'ERR_ABORTED'
  | 'ERR_ADDRESS_IN_USE'
  /** The address cannot be read, or cannot be listened on. */
  | 'ERR_ADDRESS'
  /** The peer broke the WebSocket protocol, or sent bytes after its end of data. */
  | 'ERR_PROTOCOL'
  /** The peer sent a text message: this transport carries bytes. */
  | 'ERR_TEXT_MESSAGE'
  | 'ERR_MESSAGE_TOO_LARGE'
  /** More bytes wait unread than may, and this platform's WebSocket cannot be paused. */
  | 'ERR_BUFFER_FULL'
  /** The system refused something else; `cause` says what. */
  | 'ERR_IO'

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

/** The error of what was still waiting when the connection was closed from here. */
export function closedHere (): TransportError {
  return new TransportError('ERR_ABORTED', 'the connection was closed here')
}

/** The peer sent a message that is larger than is accepted. */
export function tooLarge (bytes: number, maxBytes: number): TransportError {
  return new TransportError('ERR_MESSAGE_TOO_LARGE', `message of ${bytes} > ${maxBytes} bytes`, { remote: true })
}
