/** What went wrong, stable across releases. Match on this, never on `message`. */
export type NegotiateErrorCode =
  /** The length of a line is longer than it may be, or not written in the shortest way. */
  | 'ERR_BAD_LENGTH'
  | 'ERR_LINE_TOO_LONG'
  /** A line without a line feed at its end, or not in UTF-8. */
  | 'ERR_BAD_LINE'
  /** The first line is not that of multistream-select 1.0. */
  | 'ERR_WRONG_HEADER'
  /** An answer that is neither the protocol that was proposed nor `na`. */
  | 'ERR_UNEXPECTED_ANSWER'
  /** The peer speaks none of the protocols. */
  | 'ERR_UNSUPPORTED'
  | 'ERR_TOO_MANY_PROPOSALS'
  | 'ERR_TIMEOUT'
  /** The peer ended before a protocol was agreed on. */
  | 'ERR_TRUNCATED'

/** No protocol was agreed on. `remote` is true where the peer broke a rule. */
export class NegotiateError extends Error {
  override readonly name = 'NegotiateError'
  readonly code: NegotiateErrorCode
  readonly scope = 'channel'
  readonly remote: boolean

  constructor (code: NegotiateErrorCode, message: string, options: ErrorOptions & { remote?: boolean | undefined } = {}) {
    super(message, options)
    this.code = code
    this.remote = options.remote ?? true
  }
}
