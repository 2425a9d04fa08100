import type { NameRule } from './name.ts'

/** What went wrong, stable across releases. Match on this, never on `message`. */
export type ReceiveErrorCode =
  | 'ERR_NAME'
  | 'ERR_EXISTS'
  | 'ERR_COLLISION'
  | 'ERR_SYMLINK'
  | 'ERR_NOT_A_DIRECTORY'
  | 'ERR_NOT_A_FILE'
  | 'ERR_SIZE'
  | 'ERR_NO_SPACE'
  | 'ERR_QUOTA'
  | 'ERR_DANGEROUS'
  | 'ERR_BUSY'
  | 'ERR_UNSAFE_STAGING'
  | 'ERR_UNSUPPORTED'
  | 'ERR_CLOSED'
  | 'ERR_IO'

export interface ReceiveErrorOptions {
  cause?: unknown
  /** Of `ERR_NAME`: the rule that the name breaks. */
  rule?: NameRule
  /** Of `ERR_NAME`: where in the name, in UTF-16 units of its normal form. */
  position?: number
}

/** The file was not received. Names in messages are escaped for terminals. */
export class ReceiveError extends Error {
  override readonly name = 'ReceiveError'
  readonly code: ReceiveErrorCode
  readonly scope = 'transfer'
  /** Whether it is the sender's doing: its name or its size. */
  readonly remote: boolean
  readonly rule: NameRule | undefined
  readonly position: number | undefined

  constructor (code: ReceiveErrorCode, message: string, { cause, rule, position }: ReceiveErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.remote = code === 'ERR_NAME' || code === 'ERR_DANGEROUS' || code === 'ERR_SIZE'
    this.rule = rule
    this.position = position
  }
}

/** Turns what the operating system said into a coded error. What is coded already passes unchanged. */
export function receiveError (error: unknown, doing: string): ReceiveError {
  if (error instanceof ReceiveError) return error
  const system = systemCode(error)
  const code = system != null && FULL.has(system) ? 'ERR_NO_SPACE' : 'ERR_IO'
  return new ReceiveError(code, `${doing}: ${system ?? String(error)}`, { cause: error })
}

/** The `errno` name that Node attaches, for instance `ENOENT`. */
export function systemCode (error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
