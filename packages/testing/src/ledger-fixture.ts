import type { Ledger, LedgerEntry, LedgerLimits, LedgerRequest } from '@ropewalk/interface'
import { idOf, type StoreSuiteOptions, type Test } from './store-fixture.ts'

export { idOf, type Test }

export interface OpenedLedger {
  ledger: Ledger
  /** Closes the ledger and opens it again over the same entries; undefined where nothing outlives a close. */
  reopen?: (() => Promise<Ledger>) | undefined
  /** Closes whatever is open and removes the entries. */
  dispose (): Promise<void>
}

export type OpenLedger = () => Promise<OpenedLedger>

export type LedgerSuiteOptions = StoreSuiteOptions

/** One test with a ledger of its own, disposed of whatever happens. */
export async function withLedger (t: Test, openLedger: OpenLedger, name: string, body: (t: Test, ledger: Ledger, opened: OpenedLedger) => Promise<unknown>): Promise<void> {
  await t.test(name, async t => {
    const opened = await openLedger()
    try {
      await body(t, opened.ledger, opened)
    } finally {
      await opened.dispose()
    }
  })
}

export const HOUR = 3_600_000
/** Where time begins in the tests of ledgers. */
export const NOW = 1_800_000_000_000

export const UNLIMITED: LedgerLimits = { maxBytes: Infinity, maxOpen: Infinity, maxOwnerOpen: Infinity, maxOwnerBytes: Infinity, maxReservedBytes: Infinity }

export function requestOf (number: number, size: number, more: Partial<LedgerRequest> = {}): LedgerRequest {
  return { id: idOf(number), size, durable: true, holder: 'here', owner: 'somebody', createdAt: NOW, expiresAt: NOW + HOUR, ...more }
}

/** An entry as `reserve` makes it. */
export function entryOf (request: LedgerRequest, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return { ...request, state: 'reserved', sha256: undefined, token: 0, leasedUntil: 0, ...more }
}
