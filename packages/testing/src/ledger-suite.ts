/**
 * The contract of a Ledger as tests that any implementation can run.
 *
 * ```ts
 * import t from 'tap'
 * import { ledgerSuite } from '@ropewalk/testing/ledger-suite'
 *
 * await ledgerSuite(t, async () => openMyLedger())
 * ```
 *
 * @module
 */
import type { LedgerSuiteOptions, OpenLedger, Test } from './ledger-fixture.ts'
import { ledgerLeaseSuite } from './ledger-lease.ts'
import { ledgerLifeSuite } from './ledger-life.ts'
import { ledgerModelSuite } from './ledger-model.ts'
import { ledgerSpaceSuite } from './ledger-space.ts'

export type { LedgerSuiteOptions, OpenedLedger, OpenLedger, Test } from './ledger-fixture.ts'

/**
 * Runs every test against ledgers that `openLedger` makes; each test opens one of its own, empty, and disposes of it.
 * `t` is the `t` of tap, or anything with the same few methods.
 */
export async function ledgerSuite (t: Test, openLedger: OpenLedger, options: LedgerSuiteOptions = {}): Promise<void> {
  await ledgerSpaceSuite(t, openLedger)
  await ledgerLeaseSuite(t, openLedger)
  await ledgerLifeSuite(t, openLedger)
  await ledgerModelSuite(t, openLedger, options)
}
