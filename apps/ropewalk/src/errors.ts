import { Exit } from './exit-codes.ts'

/** What went wrong in the command line itself, stable across releases. Match on this, never on `message`. */
export type RopewalkErrorCode =
  | 'ERR_ADDRESS'
  | 'ERR_BAD_ID'
  | 'ERR_USAGE'
  /** A setting that cannot be used, or a file of them; the message says where. */
  | 'ERR_CONFIG'
  /** The file changed its size while it was read. */
  | 'ERR_FILE_CHANGED'
  /** Not a regular file, where one is needed. */
  | 'ERR_NOT_A_FILE'
  /** A file cannot be opened, read or written; `cause` says why. */
  | 'ERR_FILE'
  /** Standard input is longer than may be spooled. */
  | 'ERR_SPOOL_LIMIT'
  /** What arrived does not have the SHA-256 that was expected. */
  | 'ERR_DIGEST'
  /** What arrived ended before its size. */
  | 'ERR_INCOMPLETE'
  | 'ERR_NOT_FOUND'
  | 'ERR_EXISTS'
  | 'ERR_RANGE'
  /** No connection came about; `cause` says why. */
  | 'ERR_UNREACHABLE'
  /** The node is not known, and nobody said that it may be trusted. */
  | 'ERR_UNTRUSTED'
  /** A certificate, a key or a token cannot be used. */
  | 'ERR_CREDENTIALS'
  /** A manifest cannot be read, or contradicts itself. */
  | 'ERR_MANIFEST'
  /** What is remembered of a transfer cannot be used. */
  | 'ERR_JOURNAL'
  /** The nodes together have no room for the file. */
  | 'ERR_NO_ROOM'
  /** What a node has is not what was stored. */
  | 'ERR_DAMAGED'
  /** The state directory cannot be used. */
  | 'ERR_STATE'
  | 'ERR_LISTEN'
  /** A part of the machine that is not there: sockets of packets, elsewhere than on Linux. */
  | 'ERR_UNAVAILABLE'
  /** A file of a token or a key that cannot be used. Nothing of it is told. */
  | 'ERR_KEY'
  /** A client that this node does not serve. */
  | 'ERR_REFUSED'
  /** An offer with symbolic links, which nobody has said that he takes. */
  | 'ERR_SYMLINK'
  /** Whoever made the offer has taken it back. */
  | 'ERR_WITHDRAWN'
  | 'ERR_STOPPED'
  /** Who should have a code out for pairing has none. */
  | 'ERR_NO_CODE'
  /** Nobody did in time what was waited for. */
  | 'ERR_TIMEOUT'
  /** Ctrl-C, or SIGTERM. */
  | 'ERR_USER_INTERRUPT'

export interface RopewalkErrorOptions {
  cause?: unknown
  /** The text that is wrong, and where in it, counted from 0. */
  text?: string | undefined
  at?: number | undefined
  /** What to do about it, a line each. */
  advice?: readonly string[] | undefined
}

export class RopewalkError extends Error {
  override readonly name = 'RopewalkError'
  readonly code: RopewalkErrorCode
  readonly scope = 'transfer'
  readonly remote = false
  readonly text: string | undefined
  readonly at: number | undefined
  readonly advice: readonly string[]

  constructor (code: RopewalkErrorCode, message: string, options: RopewalkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.text = options.text
    this.at = options.at
    this.advice = options.advice ?? []
  }
}

/** The code of any coded error; `ERR_UNKNOWN` where there is none. */
export function codeOf (error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'ERR_UNKNOWN'
}

export function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** With which code the process ends because of `error`. */
export function exitFor (error: unknown): Exit {
  // Codes of other packages may have the same names.
  const code = codeOf(error)
  return error instanceof RopewalkError || code === 'ERR_NOT_FOUND' ? EXITS[code] ?? Exit.failed : Exit.failed
}

/** What the operating system said, in words: `ENOENT` alone helps nobody. */
export function fileError (error: unknown): RopewalkError {
  if (error instanceof RopewalkError) return error
  const code = codeOf(error)
  return new RopewalkError('ERR_FILE', WORDS[code] ?? `${code}: ${messageOf(error)}`, { cause: error })
}

const EXITS: Readonly<Record<string, Exit>> = {
  ERR_ADDRESS: Exit.usage,
  ERR_BAD_ID: Exit.usage,
  ERR_USAGE: Exit.usage,
  ERR_CONFIG: Exit.usage,
  ERR_KEY: Exit.usage,
  ERR_UNREACHABLE: Exit.unreachable,
  ERR_TIMEOUT: Exit.unreachable,
  ERR_UNAVAILABLE: Exit.unreachable,
  ERR_UNTRUSTED: Exit.unreachable,
  ERR_NO_CODE: Exit.unreachable,
  ERR_WRONG_CODE: Exit.unreachable,
  ERR_BAD_CODE: Exit.usage,
  ERR_NOT_FOUND: Exit.notFound,
  ERR_USER_INTERRUPT: Exit.interrupted
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'exists already',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files'
}
