/** What went wrong, stable across releases. Match on this, never on `message`. */
export type MdsftpErrorCode =
  /** The kind byte of a header is not in the profile's table. */
  | 'ERR_UNKNOWN_KIND'
  /** The payload length in a header is not the one that the table demands. */
  | 'ERR_PAYLOAD_LENGTH'
  /** A FileChunk announces more than the limit. */
  | 'ERR_PAYLOAD_TOO_LARGE'
  /** A FileChunk without content that is not the last of its transfer. */
  | 'ERR_EMPTY_FRAGMENT'
  /** The connection ended inside a packet. */
  | 'ERR_TRUNCATED'
  /** A packet that this channel cannot take now. */
  | 'ERR_UNEXPECTED_PACKET'
  /** A fragment number out of sequence. */
  | 'ERR_FRAGMENT_ORDER'
  /** More fragments or bytes than the window allows. */
  | 'ERR_WINDOW'
  /** An acknowledgement of a fragment that was never sent, or one that goes back. */
  | 'ERR_ACK'
  /** Opens, refusals or packets beyond any use. */
  | 'ERR_FLOOD'
  /** No channel id to be had, or too many channels of our own. */
  | 'ERR_MAX_CHANNELS'
  /** The peer closed the channel before its data was complete. */
  | 'ERR_CHANNEL_RESET'
  /** The peer refused the channel. */
  | 'ERR_CHANNEL_REFUSED'
  /** The connection is gone. */
  | 'ERR_CONNECTION_LOST'
  /** The muxer or channel was closed here. */
  | 'ERR_CLOSED'
  /** The reader of a channel stopped before the peer's data ended. */
  | 'ERR_UNREAD'

export interface MdsftpErrorOptions {
  /** Whose fault it is: true when the peer broke the protocol or went away. */
  remote?: boolean
  cause?: unknown
}

/** `scope` says how much dies with it: the channel, or the whole connection. */
export class MdsftpError extends Error {
  override readonly name = 'MdsftpError'
  readonly code: MdsftpErrorCode
  readonly scope: 'channel' | 'connection'
  readonly remote: boolean

  constructor (code: MdsftpErrorCode, scope: 'channel' | 'connection', message: string, options: MdsftpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = scope
    this.remote = options.remote ?? true
  }
}
