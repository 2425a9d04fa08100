/** What went wrong, stable across releases. Match on this, never on `message`. */
export type WarpdriveErrorCode =
  /** The stream ended inside a value. */
  | 'ERR_TRUNCATED'
  /** A literal byte or constant of a pattern is another. */
  | 'ERR_CONSTANT'
  /** An array claims more elements, or a value has more bytes, than we take. */
  | 'ERR_TOO_LARGE'
  /** Not JSON, or not what the command wants. */
  | 'ERR_BAD_JSON'
  /** A field with a value that it cannot have: a size below 0, an unknown kind. */
  | 'ERR_BAD_VALUE'
  /** An offer id with other characters than letters, digits and `-`, or more than 64. */
  | 'ERR_BAD_ID'
  /** A name that leads out of the folder, or that two entries have. */
  | 'ERR_BAD_NAME'
  /** An offer contains a symbolic link, and nobody asked for those. */
  | 'ERR_SYMLINK'
  /** More entries, offers, peers or sessions than we take. */
  | 'ERR_TOO_MANY'
  /** No such command on this port. */
  | 'ERR_UNKNOWN_COMMAND'
  /** A local command from somebody else than the node itself. */
  | 'ERR_UNAUTHORIZED'
  /** We have blocked the peer. */
  | 'ERR_BLOCKED'
  /** No such offer, or it was made to or by somebody else. */
  | 'ERR_UNKNOWN_OFFER'
  /** The id belongs to an offer of another peer. */
  | 'ERR_FOREIGN_OFFER'
  /** Whoever made the offer has taken it back. */
  | 'ERR_WITHDRAWN'
  /** The offer has arrived, or was declined: it cannot be withdrawn any more. */
  | 'ERR_SETTLED'
  /** The offer is not the one that was consented to. */
  | 'ERR_CONSENT'
  /** The peer closed the session instead of an answer: the protocol has no other way to refuse. */
  | 'ERR_REFUSED'
  /** Nothing came in time. */
  | 'ERR_TIMEOUT'
  /** Fewer bytes than offered. */
  | 'ERR_INCOMPLETE'
  /** The content does not have the SHA-256 that was offered. */
  | 'ERR_DIGEST'
  /** The channel broke; the `cause` says why. */
  | 'ERR_INTERRUPTED'
  /** Our own files or inbox failed; the `cause` is their error. */
  | 'ERR_FILES'
  /** A listener reads too slowly, and was disconnected. */
  | 'ERR_SLOW'

/** `scope` says how much dies with it. */
export type WarpdriveErrorScope = 'transfer' | 'channel' | 'connection'

export interface WarpdriveErrorOptions {
  /** Whose fault it is. Default true: the peer's. */
  remote?: boolean | undefined
  /** Default `channel`. */
  scope?: WarpdriveErrorScope | undefined
  cause?: unknown
}

/** The code of any coded error; `ERR_UNKNOWN` where there is none. */
export function codeOf (error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'ERR_UNKNOWN'
}

export function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export class WarpdriveError extends Error {
  override readonly name = 'WarpdriveError'
  readonly code: WarpdriveErrorCode
  readonly scope: WarpdriveErrorScope
  readonly remote: boolean

  constructor (code: WarpdriveErrorCode, message: string, options: WarpdriveErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = options.scope ?? 'channel'
    this.remote = options.remote ?? true
  }
}
