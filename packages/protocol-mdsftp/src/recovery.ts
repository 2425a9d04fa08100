/**
 * What a node does before it takes its first request: makes store and ledger agree, whatever instant the process before
 * died at.
 *
 * @module
 */
import type { FragmentInfo, FragmentStore, Ledger } from '@ropewalk/interface'
import { reconcile, type RecoveryOptions } from './recovery-state.ts'

/** What a start has found out. */
export interface Recovery {
  /** Bytes that the store has of reservations that go on. */
  readonly written: Map<string, number>
  /** Committed chunks that the store does not have any more. */
  readonly lost: string[]
}

export async function recover (ledger: Ledger, store: FragmentStore, options: RecoveryOptions): Promise<Recovery> {
  await ledger.reclaim(options.holder)
  await adopt(ledger, store, options)

  const written = new Map<string, number>()
  const lost: string[] = []
  for (let page = await ledger.page('', BATCH); page.length > 0; page = await ledger.page(page.at(-1)?.id ?? '', BATCH)) {
    await Promise.all(page.map(async entry => {
      const { id, state } = entry
      const found = await store.stat(id)
      const verdict = reconcile(entry, found, options)
      if (verdict.what === 'restore') await ledger.restore(verdict.entry)
      if (verdict.what === 'drop') {
        if (found !== undefined) await store.remove(id)
        await ledger.drop(id, { now: Infinity })
        if (state === 'committed') lost.push(id)
      } else if ((verdict.what === 'restore' ? verdict.entry : entry).state === 'reserved' && entry.holder === options.holder) {
        written.set(id, found?.size ?? 0)
      }
    }))
  }
  return { written, lost }
}

/** Objects that the ledger does not know: final ones are taken in, of others nobody could ever go on. */
async function adopt (ledger: Ledger, store: FragmentStore, options: RecoveryOptions): Promise<void> {
  const batch: FragmentInfo[] = []
  for await (const info of store.list()) {
    batch.push(info)
    if (batch.length === BATCH) await take(batch.splice(0))
  }
  await take(batch)

  async function take (infos: FragmentInfo[]): Promise<void> {
    await Promise.all(infos.map(async ({ id, size, committed }) => {
      if (await ledger.get(id) !== undefined) return
      if (!committed) await store.remove(id)
      else {
        await ledger.restore({
          id, size, state: 'committed', durable: true, holder: options.holder, owner: '', createdAt: options.now, expiresAt: Infinity, sha256: undefined, token: 0, leasedUntil: 0
        })
      }
    }))
  }
}

/** Entries and objects looked at together. Ours. */
const BATCH = 256
