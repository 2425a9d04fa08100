/**
 * The thread that SQLite runs in: it is synchronous, and a sync of the disk takes milliseconds. What comes together is one
 * transaction.
 *
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { LedgerError, sqliteCode } from './errors.ts'
import type { Ask, Leave, Told, WorkerSettings } from './messages.ts'
import { prepareFile } from './schema.ts'
import { Steps } from './steps.ts'

const port = parentPort as MessagePort
const { path, maxFileBytes } = workerData as WorkerSettings
let database: DatabaseSync
let steps: Steps
/** How the file is synced now; setting it anew for each transaction would cost as much as a small one. */
let lasting = true

try {
  database = new DatabaseSync(path, { timeout: 0 })
  prepareFile(database, maxFileBytes)
  steps = new Steps(database)
  // Everybody else is kept out from the first write on.
  syncAs(false)
  database.exec('BEGIN IMMEDIATE; UPDATE total SET one = 1; COMMIT')
  tell([{ number: 0, value: undefined }])
} catch (error) {
  tell([failure(0, error)])
  port.close()
}

port.on('message', (batch: Ask[] | Leave) => {
  if (Array.isArray(batch)) tell(take(batch))
  else close(batch)
})

function tell (told: Told[]): void {
  port.postMessage(told)
}

/** Takes the steps in one transaction: all of them are done, or none. */
function take (asked: Ask[]): Told[] {
  try {
    const reads = asked.every(({ step }) => READS.has(step))
    if (!reads) syncAs(asked.some(ask => ask.lasting))
    database.exec(reads ? 'BEGIN' : 'BEGIN IMMEDIATE')
    const told = asked.map(takeOne)
    database.exec('COMMIT')
    return told
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    return asked.map(({ number }) => failure(number, error))
  }
}

function takeOne ({ number, step, values }: Ask): Told {
  try {
    return { number, value: (steps[step] as (...values: readonly unknown[]) => unknown)(...values) }
  } catch (error) {
    // What a step refuses has changed nothing; what SQLite refuses ends them all.
    if (error instanceof LedgerError) return failure(number, error)
    throw error
  }
}

/** Without a sync, a transaction survives the death of the process; the next one with a sync makes it last as well. */
function syncAs (last: boolean): void {
  if (last === lasting) return
  database.exec(`PRAGMA synchronous = ${last ? 'FULL' : 'NORMAL'}`)
  lasting = last
}

function close ({ number }: Leave): void {
  try {
    syncAs(true)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    tell([{ number, value: undefined }])
  } catch (error) {
    tell([failure(number, error)])
  }
  port.close()
}

function failure (number: number, error: unknown): Told {
  const { errcode, message } = error as { errcode?: unknown, message: string }
  return { number, code: error instanceof LedgerError ? error.code : sqliteCode(errcode), message }
}

const READS: ReadonlySet<string> = new Set(['get', 'expired', 'page', 'usage'])
