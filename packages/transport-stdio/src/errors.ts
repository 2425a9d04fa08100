/** What went wrong, stable across releases. Match on this, never on `message`. */
export type TransportErrorCode =
  /** The child could not be started: no such program, no permission. */
  | 'ERR_SPAWN'
  /** The child exited with a code other than 0, or was ended by a signal that is not ours. */
  | 'ERR_EXITED'
  /** The peer closed the pipe that we write to. */
  | 'ERR_CONNECTION_RESET'
  /** The pipe is gone, and the peer had not ended it. */
  | 'ERR_CONNECTION_LOST'
  /** Ended here, by us, without another reason. */
  | 'ERR_ABORTED'
  /** The host cannot be one. */
  | 'ERR_ADDRESS'
  /** The system refused something else; `cause` says what. */
  | 'ERR_IO'

export interface TransportErrorOptions extends ErrorOptions {
  remote?: boolean | undefined
  /** Of `ERR_EXITED`. */
  exit?: Exit | undefined
}

/** How a child ended. */
export interface Exit {
  /** `null` when it was a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last 64 KiB of what it wrote to stderr. Chosen by others: escape it before it is shown. */
  readonly stderr: string
}

/** A child could not be started, or a pipe broke. `remote` is true where the peer did it. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: TransportErrorCode
  readonly scope = 'connection'
  readonly remote: boolean
  readonly exit: Exit | undefined

  constructor (code: TransportErrorCode, message: string, options: TransportErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.remote = options.remote ?? false
    this.exit = options.exit
  }
}

/** The error of what was still waiting when the connection was closed from here. */
export function closedHere (): TransportError {
  return new TransportError('ERR_ABORTED', 'the connection was closed here')
}

/** The error of a pipe as ours, with the original as its `cause`. */
export function pipeError (error: unknown): TransportError {
  if (error instanceof TransportError) return error

  const { code = '', message = String(error) } = error as { code?: string, message?: string }
  const remote = code === 'EPIPE' || code === 'ECONNRESET'
  return new TransportError(remote ? 'ERR_CONNECTION_RESET' : 'ERR_IO', message, { cause: error, remote })
}
