/**
 * What a storage node remembers, in one SQLite file.
 *
 * @module
 */
export { LedgerError } from './errors.ts'
export type { LedgerErrorCode } from './errors.ts'
export { openSqliteLedger } from './ledger.ts'
export type { SqliteLedgerOptions } from './ledger.ts'
