/** What went wrong, stable across releases. Match on this, never on `message`. */
export type FramingErrorCode =
  | 'ERR_BAD_HEX'
  | 'ERR_BAD_JSON'
  | 'ERR_BAD_LENGTH'
  | 'ERR_BAD_UUID'
  | 'ERR_QUEUE_FULL'
  | 'ERR_TOO_DEEP'
  | 'ERR_TOO_LARGE'
  | 'ERR_TRUNCATED'
  | 'ERR_UNSAFE_INTEGER'

/** How much has to end. */
export type ErrorScope = 'channel' | 'connection' | 'transfer'

export interface FramingErrorOptions {
  /** Default `channel`. */
  scope?: ErrorScope | undefined
  /** Default true: bytes are the peer's. */
  remote?: boolean | undefined
  cause?: unknown
  /** The bytes that were needed or allowed. */
  wanted?: number | undefined
  /** The bytes that there were. */
  got?: number | undefined
}

/** The bytes are not what their format says. */
export class FramingError extends Error {
  override readonly name = 'FramingError'
  readonly code: FramingErrorCode
  readonly scope: ErrorScope
  readonly remote: boolean
  /** Of `ERR_TRUNCATED`: the bytes that were needed. */
  readonly wanted: number | undefined
  /** Of `ERR_TRUNCATED`: the bytes that there were. 0 means that the stream ended where it may. */
  readonly got: number | undefined

  constructor (code: FramingErrorCode, message: string, options: FramingErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = options.scope ?? 'channel'
    this.remote = options.remote ?? true
    this.wanted = options.wanted
    this.got = options.got
  }
}
