/** What went wrong, stable across releases. Match on this, never on `message`. */
export type CasyncErrorCode =
  /** A frame of less than 16 bytes, of more than 16 MiB, or of a size that its type cannot have. */
  | 'ERR_FRAME_SIZE'
  /** A type of message that nobody defined. */
  | 'ERR_UNKNOWN_TYPE'
  /** A flag that nobody defined, or flags that contradict each other. */
  | 'ERR_FLAGS'
  /** The wishes of one side are not the services of the other. */
  | 'ERR_MISMATCH'
  /** A message that cannot come now. */
  | 'ERR_UNEXPECTED_MESSAGE'
  /** The stream ended inside something. */
  | 'ERR_TRUNCATED'
  /** The peer ended the session before it was complete. */
  | 'ERR_INTERRUPTED'
  /** The peer gave up; `errno` and `reason` are what it said. */
  | 'ERR_ABORTED'
  /** A chunk, or word of one, that nobody asked for. */
  | 'ERR_UNREQUESTED'
  /** The same chunk a second time in one session: the original never answers. */
  | 'ERR_ASKED_BEFORE'
  /** More requests than are kept in mind. */
  | 'ERR_TOO_MANY_REQUESTS'
  /** Nothing came in time. */
  | 'ERR_TIMEOUT'
  /** An index that is not one: its header, its order, its sizes or its end. */
  | 'ERR_INDEX'
  /** An index of more bytes than are taken. */
  | 'ERR_INDEX_TOO_LARGE'
  /** An archive that is not one: a record, its size, its order, or the table at the end of a folder. `offset` says where. */
  | 'ERR_ARCHIVE'
  /** An archive with more names, folders or attributes than are kept in mind. */
  | 'ERR_ARCHIVE_TOO_LARGE'
  /** A tree that cannot be archived: out of order, changed meanwhile, or with a number that the features have no room for. */
  | 'ERR_TREE'
  /** Bytes that do not fit the id of their chunk. */
  | 'ERR_CHUNK_DAMAGED'
  /** A chunk of another length than it should have, or of more than it may have. */
  | 'ERR_CHUNK_SIZE'
  /** No store has the chunk; `id` names it. */
  | 'ERR_CHUNK_MISSING'
  /** A server that answers otherwise than it should; `status` is what it said. */
  | 'ERR_HTTP'
  /** Our own side failed; the `cause` is its error. */
  | 'ERR_STORE'

/** How much dies with it: one chunk or file, or the session on its channel. */
export type CasyncErrorScope = 'transfer' | 'channel'

export interface CasyncErrorOptions {
  /** Whose fault it is: true, the default, when the peer or its bytes are to blame. */
  remote?: boolean | undefined
  cause?: unknown
  /** The chunk that it is about. */
  id?: string | undefined
  /** Of `ERR_ABORTED`: the number and the text that the peer gave, control characters removed. */
  errno?: number | undefined
  reason?: string | undefined
  /** Of `ERR_HTTP`. */
  status?: number | undefined
  /** Where in its stream the offending thing begins. */
  offset?: number | undefined
}

export class CasyncError extends Error {
  override readonly name = 'CasyncError'
  readonly code: CasyncErrorCode
  readonly scope: CasyncErrorScope
  readonly remote: boolean
  readonly id: string | undefined
  readonly errno: number | undefined
  readonly reason: string | undefined
  readonly status: number | undefined
  readonly offset: number | undefined

  constructor (code: CasyncErrorCode, scope: CasyncErrorScope, message: string, options: CasyncErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = scope
    this.remote = options.remote ?? true
    this.id = options.id
    this.errno = options.errno
    this.reason = options.reason
    this.status = options.status
    this.offset = options.offset
  }
}
