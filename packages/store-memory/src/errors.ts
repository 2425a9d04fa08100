/** What went wrong, stable across releases and the same as in other stores. Match on this, never on `message`. */
export type StoreErrorCode = 'ERR_NOT_FOUND' | 'ERR_EXISTS' | 'ERR_BUSY' | 'ERR_OFFSET' | 'ERR_NO_SPACE' | 'ERR_BAD_ID' | 'ERR_CLOSED' | 'ERR_IO'

/** Never the fault of a peer, and never the end of a connection. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  readonly scope = 'transfer'
  readonly remote = false

  constructor (code: StoreErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
