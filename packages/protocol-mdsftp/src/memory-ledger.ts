import type { AbortOptions, Ledger, LedgerAnswer, LedgerDrop, LedgerEntry, LedgerLease, LedgerLimits, LedgerOptions, LedgerRequest, LedgerUsage } from '@ropewalk/interface'
import { StorageError } from './errors.ts'
import { LedgerBook } from './ledger-state.ts'

/** A ledger that lasts as long as the process: for tests, browsers, and nodes that keep nothing. */
export class MemoryLedger implements Ledger {
  readonly #book = new LedgerBook()
  #closed = false

  reserve (request: LedgerRequest, limits: LedgerLimits, options?: LedgerOptions): Promise<LedgerAnswer> {
    return this.#step(options, book => book.reserve(request, limits))
  }

  get (id: string, options?: AbortOptions): Promise<LedgerEntry | undefined> {
    return this.#step(options, book => book.get(id))
  }

  lease (id: string, now: number, until: number, options?: AbortOptions): Promise<LedgerEntry | undefined> {
    return this.#step(options, book => book.lease(id, now, until))
  }

  renew (lease: LedgerLease, until: number, expiresAt: number, options?: AbortOptions): Promise<boolean> {
    return this.#step(options, book => book.renew(lease, until, expiresAt))
  }

  release (lease: LedgerLease, expiresAt: number, options?: AbortOptions): Promise<boolean> {
    return this.#step(options, book => book.release(lease, expiresAt))
  }

  prolong (id: string, expiresAt: number, options?: AbortOptions): Promise<boolean> {
    return this.#step(options, book => book.prolong(id, expiresAt))
  }

  complete (lease: LedgerLease, expiresAt: number, sha256: string | undefined, options?: LedgerOptions): Promise<boolean> {
    return this.#step(options, book => book.complete(lease, expiresAt, sha256))
  }

  commit (lease: LedgerLease, sha256: string | undefined, options?: LedgerOptions): Promise<boolean> {
    return this.#step(options, book => book.commit(lease, sha256))
  }

  digest (id: string, sha256: string, options?: LedgerOptions): Promise<boolean> {
    return this.#step(options, book => book.digest(id, sha256))
  }

  drop (id: string, conditions: LedgerDrop, options?: LedgerOptions): Promise<LedgerEntry | undefined> {
    return this.#step(options, book => book.drop(id, conditions))
  }

  restore (entry: LedgerEntry, options?: LedgerOptions): Promise<void> {
    return this.#step(options, book => book.restore(entry))
  }

  reclaim (holder: string, options?: AbortOptions): Promise<void> {
    return this.#step(options, book => book.reclaim(holder))
  }

  expired (now: number, most: number, options?: AbortOptions): Promise<LedgerEntry[]> {
    return this.#step(options, book => book.expired(now, most))
  }

  page (after: string, most: number, options?: AbortOptions): Promise<LedgerEntry[]> {
    return this.#step(options, book => book.page(after, most))
  }

  usage (options?: AbortOptions): Promise<LedgerUsage> {
    return this.#step(options, book => book.usage)
  }

  async close (): Promise<void> {
    this.#closed = true
  }

  async #step<T> (options: AbortOptions | undefined, step: (book: LedgerBook) => T): Promise<T> {
    options?.signal?.throwIfAborted()
    if (this.#closed) throw new StorageError('ERR_CLOSED', 'transfer', 'the ledger is closed', { remote: false })
    return step(this.#book)
  }
}
