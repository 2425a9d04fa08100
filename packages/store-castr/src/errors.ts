/** What went wrong, stable across releases. Match on this, never on `message`. */
export type CastrErrorCode =
  /** Bytes that do not fit their id, or that are not one stream of a known compressor. */
  | 'ERR_CHUNK_DAMAGED'
  /** A chunk of another length than asked for, or of more than there may be. */
  | 'ERR_CHUNK_SIZE'
  /** Not 64 lower-case hex digits. */
  | 'ERR_BAD_ID'
  /** This version of Node has no zstd. */
  | 'ERR_UNSUPPORTED'
  /** More chunks to keep than a collection has memory for. */
  | 'ERR_TOO_MANY_CHUNKS'
  | 'ERR_NO_SPACE'
  | 'ERR_CLOSED'
  | 'ERR_IO'

export interface CastrErrorOptions {
  cause?: unknown
  /** The chunk that it is about. */
  id?: string | undefined
  /** True when whoever made the bytes is at fault. */
  remote?: boolean | undefined
}

/** The store could not do what was asked. One chunk's trouble is that chunk's alone. */
export class CastrError extends Error {
  override readonly name = 'CastrError'
  readonly code: CastrErrorCode
  readonly scope = 'transfer'
  readonly remote: boolean
  readonly id: string | undefined

  constructor (code: CastrErrorCode, message: string, options: CastrErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.id = options.id
    this.remote = options.remote ?? false
  }
}

/** Turns what the operating system said into a coded error. What is coded already passes unchanged. */
export function castrError (error: unknown, doing: string, id?: string): CastrError {
  if (error instanceof CastrError) return error
  const system = systemCode(error)
  return new CastrError(system != null && FULL.has(system) ? 'ERR_NO_SPACE' : 'ERR_IO', `${doing}: ${system ?? String(error)}`, { cause: error, id })
}

/** The `errno` name that Node attaches, for instance `ENOENT`. */
export function systemCode (error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** What is wrong with bytes that somebody compressed. */
export function damaged (what: string, cause?: unknown): CastrError {
  return new CastrError('ERR_CHUNK_DAMAGED', what, { cause, remote: true })
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
