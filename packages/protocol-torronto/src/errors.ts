/** What went wrong, stable across releases. Match on this, never on `message`. */
export type SwarmErrorCode =
  /** Not JSON, or not text. */
  | 'ERR_BAD_JSON'
  /** Objects or arrays within each other beyond the limit. */
  | 'ERR_TOO_DEEP'
  /** The same key twice, whatever its case. */
  | 'ERR_DUPLICATE_KEY'
  /** More bytes, chunks, files or digits than a limit. */
  | 'ERR_TOO_LARGE'
  /** The stream ended inside a message. */
  | 'ERR_TRUNCATED'
  /** A key is missing, or has a value of the wrong kind. */
  | 'ERR_BAD_FIELD'
  /** An action that there is not. */
  | 'ERR_BAD_ACTION'
  /** A file name that is not `files/` and plain segments. */
  | 'ERR_BAD_NAME'
  /** A chunk outside its file, or a count that is none. */
  | 'ERR_BAD_CHUNK'
  /** Something other than padding between header and block. */
  | 'ERR_BAD_HEADER'
  /** A hardened connection that does not begin as one. */
  | 'ERR_BAD_PREFACE'
  /** A peers list with a line that is none, a port that is none, or a peer twice. */
  | 'ERR_BAD_PEERS'
  /** The peer is not in the list, or did not prove that it knows the key. */
  | 'ERR_UNKNOWN_PEER'
  /** The bytes are not what their hash says. */
  | 'ERR_HASH'
  /** The peer answered with an error code. */
  | 'ERR_REFUSED'
  /** Nothing came in time. */
  | 'ERR_TIMEOUT'
  /** The connection ended before the answer. */
  | 'ERR_INTERRUPTED'
  /** The swarm was left before. */
  | 'ERR_CLOSED'
  /** A file of that name is there. */
  | 'ERR_EXISTS'

/** `scope` says how much dies with it. */
export type SwarmErrorScope = 'transfer' | 'channel' | 'connection'

export interface SwarmErrorOptions {
  /** Whose fault it is. Default true: bytes are the peer's. */
  remote?: boolean | undefined
  scope?: SwarmErrorScope | undefined
  cause?: unknown
}

export class SwarmError extends Error {
  override readonly name = 'SwarmError'
  readonly code: SwarmErrorCode
  readonly scope: SwarmErrorScope
  readonly remote: boolean

  constructor (code: SwarmErrorCode, message: string, options: SwarmErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = options.scope ?? 'connection'
    this.remote = options.remote ?? true
  }
}
