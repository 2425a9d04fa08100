/**
 * The thread that the file is open in, and that hashes. Every step with the file is one transaction.
 *
 * @module
 */
import { createHash, type Hash } from 'node:crypto'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'

export interface WorkerSettings { readonly path: string, readonly maxFileBytes: number }

export type StepName = 'open' | 'load' | 'putOffer' | 'putStatus' | 'removeOffer' | 'putPeer' | 'removePeer' | 'close' | 'hash' | 'digest'

export interface Asked { readonly number: number, readonly step: StepName, readonly values: ReadonlyArray<string | number | Uint8Array> }

export type HashValues = readonly [id: number, bytes?: Uint8Array]

export interface Told { readonly number: number, readonly value?: unknown, readonly error?: string }

/** An offer in the file: its list of files, which never changes, and the rest, which does. */
export interface Row { readonly incoming: number, readonly id: string, readonly digest: string, readonly status: string, readonly files: string }

/** The version of the tables, in the file's `user_version`. Ours. */
const SCHEMA_VERSION = 2

/** What changes often has a table of its own: SQLite writes whole rows, and a list of files may be megabytes. */
const PROGRESS = 'CREATE TABLE progress (incoming INTEGER NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, PRIMARY KEY (incoming, id)) STRICT'

const TABLES = `
CREATE TABLE offer (incoming INTEGER NOT NULL, id TEXT NOT NULL, digest TEXT NOT NULL, files TEXT NOT NULL, PRIMARY KEY (incoming, id)) STRICT;
${PROGRESS};
CREATE TABLE peer (id TEXT PRIMARY KEY, alias TEXT NOT NULL, mod TEXT NOT NULL) STRICT, WITHOUT ROWID`

/** From version 1 on. */
const UPGRADE = `${PROGRESS}; INSERT INTO progress SELECT incoming, id, status FROM offer; ALTER TABLE offer DROP COLUMN status`

/** What each step does, one statement after the other, with the values that it takes. */
const STATEMENTS = {
  putOffer: [
    'INSERT INTO offer VALUES (?1, ?2, ?3, CAST(?5 AS TEXT)) ON CONFLICT DO UPDATE SET digest = excluded.digest, files = excluded.files',
    'INSERT INTO progress VALUES (?1, ?2, ?4) ON CONFLICT DO UPDATE SET status = excluded.status'
  ],
  putStatus: ['UPDATE progress SET status = ?3 WHERE incoming = ?1 AND id = ?2'],
  removeOffer: ['DELETE FROM offer WHERE incoming = ?1 AND id = ?2', 'DELETE FROM progress WHERE incoming = ?1 AND id = ?2'],
  putPeer: ['INSERT INTO peer VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET alias = excluded.alias, mod = excluded.mod'],
  removePeer: ['DELETE FROM peer WHERE id = ?1']
}

/** KiB of the file that are kept in memory. Ours: it is read once. */
const CACHE_KIB = 256

const port = parentPort as MessagePort
const { path, maxFileBytes } = workerData as WorkerSettings
let database: DatabaseSync | undefined
/** Digests that are being made. */
const hashes = new Map<number, Hash>()
/** How the file is synced now. */
let lasting = true

port.on('message', ({ number, step, values }: Asked) => {
  try {
    port.postMessage({ number, value: step === 'hash' || step === 'digest' ? hash(values as HashValues) : perform(step, values) } satisfies Told)
  } catch (error) {
    port.postMessage({ number, error: (error as Error).message } satisfies Told)
  }
  // This thread makes so little litter that it would lie about for long.
  for (const value of values) if (value instanceof Uint8Array && value.buffer instanceof ArrayBuffer) value.buffer.transfer(0)
  if (step === 'close') port.close()
})

/** Hashes more, or without bytes tells the digest. */
function hash ([id, bytes]: HashValues): Uint8Array | undefined {
  const running = hashes.get(id) ?? createHash('sha256')
  if (bytes !== undefined) {
    hashes.set(id, running.update(bytes))
    return undefined
  }
  hashes.delete(id)
  return new Uint8Array(running.digest())
}

function perform (step: Exclude<StepName, 'hash' | 'digest'>, values: readonly SQLInputValue[]): unknown {
  if (step === 'open') {
    database = open()
    return undefined
  }
  if (database === undefined) throw new Error('it is not open')
  switch (step) {
    case 'load': return {
      offers: database.prepare('SELECT incoming, id, digest, status, files FROM offer JOIN progress USING (incoming, id) ORDER BY offer.rowid').all(),
      peers: database.prepare('SELECT id, alias, mod FROM peer').all()
    }
    case 'close':
      syncAs(database, true)
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
      return undefined
    default:
      // How far a transfer came survives the death of the process at once, and loss of power with the next offer: what was received
      // has a journal of its own.
      syncAs(database, step !== 'putStatus')
      transact(database, STATEMENTS[step], values)
      return undefined
  }
}

function transact (opened: DatabaseSync, statements: readonly string[], values: readonly SQLInputValue[]): void {
  opened.exec('BEGIN IMMEDIATE')
  try {
    for (const statement of statements) {
      const named = values.map((value, index) => [`?${index + 1}`, value] as const).filter(([name]) => statement.includes(name))
      opened.prepare(statement).run(Object.fromEntries(named))
    }
    opened.exec('COMMIT')
  } catch (error) {
    try {
      opened.exec('ROLLBACK')
    } catch {
      // SQLite has done so itself, where the file is full.
    }
    throw error
  }
}

function open (): DatabaseSync {
  const opened = new DatabaseSync(path, { timeout: 0 })
  opened.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  opened.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  const { page_size: pageBytes } = opened.prepare('PRAGMA page_size').get() as { page_size: number }
  opened.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxFileBytes / pageBytes))}`)
  const { user_version: version } = opened.prepare('PRAGMA user_version').get() as { user_version: number }
  const { tables } = opened.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  if (version !== SCHEMA_VERSION) {
    if (version !== 1 && (version !== 0 || tables > 0)) throw new Error(`version ${version} of the tables instead of ${SCHEMA_VERSION}`)
    opened.exec(`BEGIN IMMEDIATE; ${version === 1 ? UPGRADE : TABLES}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`)
  }
  // Everybody else is kept out from the first write on.
  opened.exec('BEGIN IMMEDIATE; DELETE FROM peer WHERE 0; COMMIT')
  return opened
}

function syncAs (opened: DatabaseSync, last: boolean): void {
  if (last === lasting) return
  opened.exec(`PRAGMA synchronous = ${last ? 'FULL' : 'NORMAL'}`)
  lasting = last
}
