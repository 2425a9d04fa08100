import { ledgerSuite } from '@ropewalk/testing/ledger-suite'
import t from 'tap'
import { MemoryLedger } from '../src/index.ts'

await ledgerSuite(t, async () => {
  const ledger = new MemoryLedger()
  return { ledger, dispose: async () => { await ledger.close() } }
})
