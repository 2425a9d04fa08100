import { ledgerSuite } from '@ropewalk/testing/ledger-suite'
import t from 'tap'
import { makeFile } from './file.ts'

await ledgerSuite(t, async () => {
  const file = await makeFile()
  let ledger = await file.open()
  return {
    ledger,
    async reopen () {
      await ledger.close()
      ledger = await file.open()
      return ledger
    },
    dispose: file.dispose
  }
}, { runs: 4 })
