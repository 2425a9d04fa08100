/** What went wrong, stable across releases. Match on this, never on `message`. */
export type PairErrorCode =
  /** The other side has no code out, or its two minutes are over, or somebody has used its one guess. */
  | 'ERR_NO_CODE'
  /** The codes differ, or somebody stands between the two sides. The code is used up. */
  | 'ERR_WRONG_CODE'
  /** This is not how a code looks. */
  | 'ERR_BAD_CODE'
  /** A message that is not one of ours, or not here. */
  | 'ERR_BAD_MESSAGE'
  /** A share that is no element of the group, or its identity. */
  | 'ERR_BAD_SHARE'
  /** The other side speaks another version. */
  | 'ERR_VERSION'
  /** The stream ended too early, or broke; `cause` says why. */
  | 'ERR_INTERRUPTED'
  /** It took too long. */
  | 'ERR_TIMEOUT'

export interface PairErrorOptions {
  /** Whose fault it is. Default true: the peer's. */
  remote?: boolean | undefined
  cause?: unknown
}

export class PairError extends Error {
  override readonly name = 'PairError'
  readonly code: PairErrorCode
  readonly scope = 'channel'
  readonly remote: boolean

  constructor (code: PairErrorCode, message: string, options: PairErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.remote = options.remote ?? true
  }
}
