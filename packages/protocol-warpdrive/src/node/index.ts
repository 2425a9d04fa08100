/**
 * What a node of warpdrive keeps on the machine.
 *
 * @module
 */
export { fileFacts, type FactsOptions } from './file-facts.ts'
export { openSqliteState } from './sqlite-store.ts'
export type { SqliteState, SqliteStateOptions } from './sqlite-store.ts'
