/** What went wrong, stable across releases. Match on this, never on `message`. */
export type TransportErrorCode =
  /** The peer broke the connection off. */
  | 'ERR_CONNECTION_RESET'
  /** The connection is gone, and the peer had not ended its direction. */
  | 'ERR_CONNECTION_LOST'
  /** No connection came about: refused, unreachable, no such name. */
  | 'ERR_CONNECT'
  | 'ERR_TIMEOUT'
  /** The TLS handshake or a TLS record was bad. */
  | 'ERR_TLS'
  /** The peer is not the one that was asked for, or nobody said who it should be. */
  | 'ERR_UNTRUSTED'
  /** Ended here, by us, without another reason. */
  | 'ERR_ABORTED'
  | 'ERR_ADDRESS_IN_USE'
  /** The address cannot be read, or cannot be listened on. */
  | 'ERR_ADDRESS'
  /** The key or the certificate on disk cannot be used. */
  | 'ERR_IDENTITY'
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

/** While what: the same `errno` means different things to a dialler and to a listener. */
export type Phase = 'connect' | 'listen' | 'open'

/** The error of a socket as ours, with the original as its `cause`. */
export function transportError (error: unknown, phase: Phase = 'open'): TransportError {
  if (error instanceof TransportError) return error

  const { code = '', message = String(error) } = error as { code?: string, message?: string }

  return new TransportError(classify(code, phase), message, { cause: error, remote: REMOTE.has(code) })
}

const REMOTE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNREFUSED'])

function classify (code: string, phase: Phase): TransportErrorCode {
  if (code === 'ETIMEDOUT') return 'ERR_TIMEOUT'
  if (/^ERR_(SSL|TLS|OSSL)_|^EPROTO$/.test(code)) return 'ERR_TLS'

  if (phase === 'connect') return 'ERR_CONNECT'
  if (phase === 'listen') return code === 'EADDRINUSE' ? 'ERR_ADDRESS_IN_USE' : 'ERR_ADDRESS'

  if (code === 'ECONNRESET' || code === 'EPIPE') return 'ERR_CONNECTION_RESET'

  // What the system says of a write that was under way when the socket was destroyed.
  return code === 'ECANCELED' || code === 'ERR_STREAM_DESTROYED' ? 'ERR_CONNECTION_LOST' : 'ERR_IO'
}
