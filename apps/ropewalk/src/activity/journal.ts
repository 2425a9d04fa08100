/**
 * Transfers on disk: when each began and how it ended, so that they are known after the node has ended too. Bounded: `journal.ndjson`, and the
 * one before it.
 *
 * @module
 */
import { join } from 'node:path'
import { fileError, RopewalkError } from '../errors.ts'
import { readLog, RotatingLog } from '../logs/rotating-log.ts'
import { makeStateDirectory } from '../state-directory.ts'
import type { TransferActivity } from './activity.ts'
import type { ActivityBoard } from './board.ts'
import { forgetUnlisted } from './changes.ts'

/** Files put aside that are kept. Ours: `max_size` is then at most half of what is there. */
const KEEP = 1

/** Transfers that are read back at most, the newest. Ours. */
export const MAX_HISTORY = 10_000

export class Journal {
  readonly #log: RotatingLog
  readonly #stop = new AbortController()
  #following: Promise<void> | undefined

  private constructor (log: RotatingLog) {
    this.#log = log
  }

  static async open (state: string, maxBytes: number): Promise<Journal> {
    await makeStateDirectory(state)
    const path = journalPath(state)
    const log = await RotatingLog.open({ path, maxBytes, keep: KEEP }).catch((error: unknown) => { throw new RopewalkError('ERR_JOURNAL', fileError(error).message, { text: path, cause: error }) })
    return new Journal(log)
  }

  /** Writes down what begins and ends, until it is closed. */
  follow (board: ActivityBoard, onTrouble: (error: unknown) => void): void {
    this.#log.onTrouble(onTrouble)
    this.#following = this.#write(board)
  }

  /** What is under way is written down as it is. */
  async close (): Promise<void> {
    this.#stop.abort()
    await this.#following
    await this.#log.close()
  }

  async #write (board: ActivityBoard): Promise<void> {
    const begun = new Set<string>()
    for await (const change of board.changes({ signal: this.#stop.signal })) {
      // Then some are missed; those that are still there are not.
      const transfers = change.change === 'lost' ? board.list().transfers : change.change === 'transfer' ? [change.transfer] : []
      if (change.change === 'lost') forgetUnlisted(begun, transfers)
      for (const transfer of transfers) {
        const over = transfer.endedAt !== undefined
        if (!over && begun.has(transfer.id)) continue
        if (over) begun.delete(transfer.id)
        else begun.add(transfer.id)
        this.#log.append(transfer)
      }
    }
  }
}

export function journalPath (state: string): string {
  return join(state, 'journal.ndjson')
}

/** What the journal knows, each transfer once, in the order in which they began. */
export async function readJournal (state: string): Promise<TransferActivity[]> {
  const found = new Map<string, TransferActivity>()
  for await (const record of readLog(journalPath(state), KEEP)) {
    const { id } = record
    if (typeof id !== 'string' || typeof record['name'] !== 'string' || typeof record['startedAt'] !== 'number') continue
    found.set(id, record as unknown as TransferActivity)
    const [oldest] = found.keys()
    if (found.size > MAX_HISTORY && oldest !== undefined) found.delete(oldest)
  }
  return [...found.values()]
}
