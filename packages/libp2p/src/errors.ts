/** What went wrong, stable across releases. Match on this, never on `message`. */
export type Libp2pErrorCode =
  /** The stream was closed before the peer had ended its direction. */
  | 'ERR_TRUNCATED'
  /** The peer reset the stream, or it failed below; `cause` is what libp2p said. */
  | 'ERR_STREAM_LOST'
  /** The channel was closed here. */
  | 'ERR_CLOSED'
  /** More streams than the limit. */
  | 'ERR_MAX_STREAMS'

export interface Libp2pErrorOptions {
  /** Whose fault it is: true when the peer broke off or went away. */
  remote?: boolean
  cause?: unknown
}

/** `scope` says how much dies with it: here it is always one channel. */
export class Libp2pError extends Error {
  override readonly name = 'Libp2pError'
  readonly code: Libp2pErrorCode
  readonly scope = 'channel'
  readonly remote: boolean

  constructor (code: Libp2pErrorCode, message: string, options: Libp2pErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.remote = options.remote ?? true
  }
}
