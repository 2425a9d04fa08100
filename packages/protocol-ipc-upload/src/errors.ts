/** What went wrong, stable across releases. Match on this, never on `message`. */
export type IpcUploadErrorCode =
  /** A frame larger than is taken. */
  | 'ERR_TOO_LARGE'
  /** A packet or frame whose length is not the announced one, or none at all. */
  | 'ERR_BAD_LENGTH'
  /** The stream ended inside a frame. */
  | 'ERR_TRUNCATED'
  /** A message that is no JSON object, lacks a key, or has one of the wrong kind. */
  | 'ERR_MALFORMED'
  /** A user type that the profile does not have. */
  | 'ERR_UNKNOWN_TYPE'
  /** Content that is no base64, or no bytes. */
  | 'ERR_BAD_DATA'
  /** The token is not accepted. Nothing of it is told. */
  | 'ERR_TOKEN'
  /** The token was right once. */
  | 'ERR_TOKEN_EXPIRED'
  /** The peer said no; `reason` has its words. */
  | 'ERR_REFUSED'
  /** The peer acknowledged, or answered, what was never sent, or once too often. */
  | 'ERR_STRAY_RESPONSE'
  /** The peer says that it stored other bytes than were sent. */
  | 'ERR_DIGEST'
  /** The peer offered what is out of its limits, or names blocks that do not exist. */
  | 'ERR_BAD_OFFER'
  /** No answer in time. */
  | 'ERR_TIMEOUT'
  /** The connection ended before the transfer was over. */
  | 'ERR_INTERRUPTED'
  /** There is no such file. */
  | 'ERR_NOT_FOUND'
  /** Our own store or source failed; the `cause` is its error. */
  | 'ERR_STORE'

/** `scope` says how much dies with it. */
export type IpcUploadErrorScope = 'transfer' | 'channel' | 'connection'

export interface IpcUploadErrorOptions {
  /** Whose fault it is: true when the peer refused, broke the protocol or went away. Default true. */
  remote?: boolean | undefined
  cause?: unknown
  /** The peer's own words. */
  reason?: string | undefined
  /** The id of the message that it is about, where that could be read. */
  messageId?: string | undefined
}

export class IpcUploadError extends Error {
  override readonly name = 'IpcUploadError'
  readonly code: IpcUploadErrorCode
  readonly scope: IpcUploadErrorScope
  readonly remote: boolean
  readonly reason: string | undefined
  readonly messageId: string | undefined

  constructor (code: IpcUploadErrorCode, scope: IpcUploadErrorScope, message: string, options: IpcUploadErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.scope = scope
    this.remote = options.remote ?? true
    this.reason = options.reason
    this.messageId = options.messageId
  }
}
