import { LedgerError } from './errors.ts'
import type { Told } from './messages.ts'

export interface LogSyncParts {
  /** Begins a sync of the log, and calls `done` when it is over. */
  begin (done: (error: Error | null) => void): void
  tell (told: readonly Told[]): void
}

/**
 * Answers that wait until their transaction survives loss of power: for a sync of the log that begins after it. One at a time, and one
 * for all who came meanwhile.
 */
export class LogSync {
  readonly #parts: LogSyncParts
  #held: Told[] = []
  #syncing = false
  #lost: LedgerError | undefined
  #idle: (() => void) | undefined

  constructor (parts: LogSyncParts) {
    this.#parts = parts
  }

  /** Why nothing lasts any more: the system reports lost pages once, and asked again it would say that all is well. */
  get lost (): LedgerError | undefined {
    return this.#lost
  }

  /** Tells these when they last, or that they do not. */
  hold (told: readonly Told[]): void {
    this.#held.push(...told)
    if (!this.#syncing) this.#sync()
  }

  /** Calls `idle` when nobody waits. */
  whenIdle (idle: () => void): void {
    if (this.#syncing) this.#idle = idle
    else idle()
  }

  #sync (): void {
    const served = this.#held
    this.#held = []
    this.#syncing = true
    this.#parts.begin(error => {
      this.#syncing = false
      if (error !== null) this.#lost ??= new LedgerError('ERR_IO', `a sync of the log failed, and nothing lasts until the ledger is opened anew: ${error.message}`, error)
      const lost = this.#lost
      this.#parts.tell(lost === undefined ? served : served.map(({ number }) => ({ number, code: lost.code, message: lost.message })))
      if (this.#held.length > 0) this.#sync()
      else this.#idle?.()
    })
  }
}
