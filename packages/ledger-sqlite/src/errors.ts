/** What went wrong, stable across releases. Match on this, never on `message`. */
export type LedgerErrorCode =
  /** The id has an entry already. */
  | 'ERR_EXISTS'
  /** The ledger is closed. */
  | 'ERR_CLOSED'
  /** Another process has the file open. */
  | 'ERR_LOCKED'
  /** There is no space left for the file. */
  | 'ERR_NO_SPACE'
  /** The file is not a ledger, or one of a later version. */
  | 'ERR_FORMAT'
  /** Whatever else the disk or SQLite refused; the `cause` says. */
  | 'ERR_IO'

/** Never the fault of a peer, and never the end of a connection. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code: LedgerErrorCode
  readonly scope = 'transfer'
  readonly remote = false

  constructor (code: LedgerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** An error of SQLite with a code of ours. Its low byte says what kind it is, from sqlite.org/rescode.html. */
export function sqliteCode (errcode: unknown): LedgerErrorCode {
  switch (typeof errcode === 'number' ? errcode & 0xff : 0) {
    case 5: case 6: return 'ERR_LOCKED'
    case 13: return 'ERR_NO_SPACE'
    case 11: case 26: return 'ERR_FORMAT'
    default: return 'ERR_IO'
  }
}
