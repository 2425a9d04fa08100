/**
 * The thread that SQLite runs in: it is synchronous. What comes together is one transaction.
 *
 * A sync of the disk takes milliseconds, and most steps need none: so the log is synced beside the transactions, once for all who came
 * meanwhile, and only who asked for something lasting waits for it.
 *
 * @module
 */
import { closeSync, fdatasync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { LedgerError, sqliteCode } from './errors.ts'
import type { Answers, Ask, Leave, Told, WorkerSettings } from './messages.ts'
import { LogSync } from './log-sync.ts'
import { prepareFile } from './schema.ts'
import { Steps } from './steps.ts'

const port = parentPort as MessagePort
const { path, maxFileBytes } = workerData as WorkerSettings
let database: DatabaseSync
let steps: Steps
/** SQLite's log, opened once more: whatever it wrote there is synced through any descriptor. It has no locks on it that closing could take away. */
let log: number
const logSync = new LogSync({ begin: done => { fdatasync(log, done) }, tell: told => { tell(told, false) } })

try {
  database = new DatabaseSync(path, { timeout: 0 })
  prepareFile(database, maxFileBytes)
  steps = new Steps(database)
  // Everybody else is kept out from the first write on. It makes the log, and with a sync SQLite makes the log's name durable too.
  database.exec('BEGIN IMMEDIATE; UPDATE total SET one = 1; COMMIT; PRAGMA synchronous = NORMAL')
  log = openSync(`${path}-wal`, 'r+')
  tell([{ number: 0, value: undefined }], true)
} catch (error) {
  tell([failure(0, error)], true)
  port.close()
}

port.on('message', (batch: Ask[] | Leave) => {
  // Whoever waits for a sync is told first.
  if (!Array.isArray(batch)) logSync.whenIdle(() => { close(batch) })
  else {
    const told = take(batch)
    const lasting = new Set(batch.flatMap(({ number, lasting }) => lasting ? [number] : []))
    const wait = told.filter(answer => lasting.has(answer.number) && !('code' in answer))
    tell(wait.length === 0 ? told : told.filter(answer => !wait.includes(answer)), true)
    if (wait.length > 0) logSync.hold(wait)
  }
})

function tell (told: readonly Told[], ready: boolean): void {
  port.postMessage({ told, ready } satisfies Answers)
}

/** Takes the steps in one transaction: all of them are done, or none. */
function take (asked: Ask[]): Told[] {
  try {
    database.exec(asked.every(({ step }) => READS.has(step)) ? 'BEGIN' : 'BEGIN IMMEDIATE')
    const told = asked.map(takeOne)
    database.exec('COMMIT')
    return told
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    return asked.map(({ number }) => failure(number, error))
  }
}

function takeOne ({ number, step, values, lasting }: Ask): Told {
  try {
    if (lasting && logSync.lost !== undefined) throw logSync.lost
    return { number, value: (steps[step] as (...values: readonly unknown[]) => unknown)(...values) }
  } catch (error) {
    // What a step refuses has changed nothing; what SQLite refuses ends them all.
    if (error instanceof LedgerError) return failure(number, error)
    throw error
  }
}

function close ({ number }: Leave): void {
  try {
    closeSync(log)
    database.exec('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    tell([{ number, value: undefined }], true)
  } catch (error) {
    tell([failure(number, error)], true)
  }
  port.close()
}

function failure (number: number, error: unknown): Told {
  const { errcode, message } = error as { errcode?: unknown, message: string }
  return { number, code: error instanceof LedgerError ? error.code : sqliteCode(errcode), message }
}

const READS: ReadonlySet<string> = new Set(['get', 'expired', 'page', 'usage'])
