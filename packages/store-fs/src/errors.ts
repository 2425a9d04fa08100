/** What went wrong, stable across releases. Match on this, never on `message`. */
export type StoreErrorCode =
  | 'ERR_NOT_FOUND'
  | 'ERR_EXISTS'
  | 'ERR_BUSY'
  | 'ERR_OFFSET'
  | 'ERR_NO_SPACE'
  | 'ERR_LOCKED'
  | 'ERR_BAD_ID'
  | 'ERR_CLOSED'
  | 'ERR_IO'

/** The store could not do what was asked. Nothing here is the peer's doing, and one object's trouble is that object's alone. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  readonly scope = 'transfer'
  readonly remote = false

  constructor (code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Turns what the operating system said into a coded error. What is coded already passes unchanged. */
export function storeError (error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const system = systemCode(error)
  const code = system != null && FULL.has(system) ? 'ERR_NO_SPACE' : 'ERR_IO'
  return new StoreError(code, `${doing}: ${system ?? String(error)}`, { cause: error })
}

/** The `errno` name that Node attaches, for instance `ENOENT`. */
export function systemCode (error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
