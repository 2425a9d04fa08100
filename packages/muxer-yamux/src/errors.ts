/** What went wrong, stable across releases. Match on this, never on `message`. */
export type YamuxErrorCode =
  /** The version byte of a header is not 0. */
  | 'ERR_VERSION'
  /** The type byte of a header is not in the table. */
  | 'ERR_UNKNOWN_TYPE'
  /** Flag bits that are not in the table, or that make no sense on this frame. */
  | 'ERR_FLAGS'
  /** A stream id that may not be used here: 0, of the wrong side, open already, or used before. */
  | 'ERR_STREAM_ID'
  /** More data than the window allows. */
  | 'ERR_WINDOW'
  /** Credit beyond what 32 bits can hold. */
  | 'ERR_WINDOW_OVERFLOW'
  /** Data behind the end of a stream. */
  | 'ERR_DATA_AFTER_END'
  /** The connection ended inside a frame. */
  | 'ERR_TRUNCATED'
  /** Opens, resets, pings or empty frames beyond any use. */
  | 'ERR_FLOOD'
  /** The peer has ended the session. */
  | 'ERR_GO_AWAY'
  /** Too many channels of our own. */
  | 'ERR_MAX_CHANNELS'
  /** Every stream id has been used: a new connection is needed. */
  | 'ERR_IDS_EXHAUSTED'
  /** The peer broke the channel off. */
  | 'ERR_CHANNEL_RESET'
  /** The peer refused the channel. */
  | 'ERR_CHANNEL_REFUSED'
  /** The connection is gone. */
  | 'ERR_CONNECTION_LOST'
  /** The peer does not answer. */
  | 'ERR_TIMEOUT'
  /** The muxer or channel was closed here. */
  | 'ERR_CLOSED'
  /** The reader of a channel stopped before the peer's data ended. */
  | 'ERR_UNREAD'

export interface YamuxErrorOptions {
  /** Whose fault it is: true when the peer broke the protocol or went away. */
  remote?: boolean
  cause?: unknown
}

/** `scope` says how much dies with it: the channel, or the whole connection. */
export class YamuxError extends Error {
  override readonly name = 'YamuxError'
  readonly code: YamuxErrorCode
  readonly scope: 'channel' | 'connection'
  readonly remote: boolean

  constructor (code: YamuxErrorCode, scope: 'channel' | 'connection', message: string, options: YamuxErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = scope
    this.remote = options.remote ?? true
  }
}
