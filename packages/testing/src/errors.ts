/** What went wrong, stable across releases. Match on this, never on `message`. */
export type TestingErrorCode =
  /** The other end, or a fault, broke the connection off. */
  | 'ERR_RESET'
  /** The reader at the other end has stopped reading. */
  | 'ERR_STOPPED'
  /** The peer ended before it had sent what was awaited. */
  | 'ERR_UNEXPECTED_END'
  /** The peer sent something else than what was awaited. */
  | 'ERR_UNEXPECTED_BYTES'
  /** A signal ran out before what was awaited had come. */
  | 'ERR_TIMEOUT'
  /** More bytes than a collector was told to keep. */
  | 'ERR_TOO_LONG'
  /** A suite's expectation was not met. */
  | 'ERR_NOT_MET'

/** Options of a TestingError, those of Error included. */
export interface TestingErrorOptions extends ErrorOptions {
  /** True when the other end is at fault. */
  remote?: boolean
}

/** Something did not go as a test said it should. */
export class TestingError extends Error {
  override readonly name = 'TestingError'
  readonly code: TestingErrorCode
  readonly scope = 'connection'
  readonly remote: boolean

  constructor (code: TestingErrorCode, message: string, options: TestingErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.remote = options.remote ?? false
  }
}
