import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ledger } from '@ropewalk/interface'
import { openSqliteLedger, type SqliteLedgerOptions } from '../src/index.ts'

/** Ledgers of one file, which goes when the test is over. */
export interface LedgerFile {
  readonly path: string
  open (options?: SqliteLedgerOptions): Promise<Ledger>
  dispose (): Promise<void>
}

export async function makeFile (): Promise<LedgerFile> {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-sqlite-'))
  const path = join(folder, 'ledger')
  const opened: Ledger[] = []
  return {
    path,
    async open (options) {
      const ledger = await openSqliteLedger(path, options)
      opened.push(ledger)
      return ledger
    },
    async dispose () {
      for (const ledger of opened) await ledger.close().catch(() => {})
      await rm(folder, { recursive: true, force: true })
    }
  }
}
