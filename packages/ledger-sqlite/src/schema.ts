/**
 * The tables. Sums are kept by triggers, in the same transaction as the entry they are about: no instant at which they
 * could differ from what a count would say.
 *
 * @module
 */
import type { DatabaseSync } from 'node:sqlite'
import { CHECKPOINT_PAGES, SCHEMA_VERSION } from './constants.ts'
import { LedgerError } from './errors.ts'

/** Numbers of the states in the file. */
export const STATE = { reserved: 0, complete: 1, committed: 2 } as const

/** Makes the tables in a new file, and refuses a file of somebody else. */
export function prepareFile (database: DatabaseSync, maxFileBytes: number): void {
  database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  const { page_size: pageBytes } = database.prepare('PRAGMA page_size').get() as { page_size: number }
  if (maxFileBytes < Infinity) database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pageBytes))}`)
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version === SCHEMA_VERSION) return
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  if (version !== 0 || tables > 0) throw new LedgerError('ERR_FORMAT', `version ${version} of the tables instead of ${SCHEMA_VERSION}`)
  database.exec(`BEGIN IMMEDIATE; ${TABLES}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
}

const count = (row: string, sign: '+' | '-'): string => `
  UPDATE total SET
    used = used ${sign} iif(${row}.state > 0, ${row}.size, 0),
    reserved = reserved ${sign} iif(${row}.state = 0, ${row}.size, 0),
    open = open ${sign} (${row}.state < 2);`

const own = (row: string, sign: '+' | '-'): string => `
  INSERT INTO owner (owner, open, bytes) SELECT ${row}.owner, 0, 0 WHERE ${row}.state < 2 ON CONFLICT DO NOTHING;
  UPDATE owner SET open = open ${sign} 1, bytes = bytes ${sign} ${row}.size WHERE owner = ${row}.owner AND ${row}.state < 2;`

const TABLES = `
CREATE TABLE entry (
  id TEXT PRIMARY KEY, size INTEGER NOT NULL, state INTEGER NOT NULL, durable INTEGER NOT NULL, holder TEXT NOT NULL, owner TEXT NOT NULL,
  created_at REAL NOT NULL, expires_at REAL NOT NULL, sha256 TEXT, token INTEGER NOT NULL, leased_until REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_open ON entry (expires_at, id) WHERE state < 2;
CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), used INTEGER NOT NULL, reserved INTEGER NOT NULL, open INTEGER NOT NULL) STRICT;
INSERT INTO total VALUES (1, 0, 0, 0);
CREATE TABLE owner (owner TEXT PRIMARY KEY, open INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER entry_inserted AFTER INSERT ON entry BEGIN ${count('new', '+')} ${own('new', '+')} END;
CREATE TRIGGER entry_deleted AFTER DELETE ON entry BEGIN ${count('old', '-')} ${own('old', '-')} DELETE FROM owner WHERE owner = old.owner AND open = 0; END;
CREATE TRIGGER entry_updated AFTER UPDATE OF size, state, owner ON entry BEGIN
  ${count('old', '-')} ${count('new', '+')} ${own('old', '-')} ${own('new', '+')} DELETE FROM owner WHERE owner IN (old.owner, new.owner) AND open = 0;
END`
