/**
 * What a start makes of an entry, given what the store has under its id. Pure.
 *
 *      the store knows what is final and how many bytes there are; the ledger knows what was announced, and what may be lost
 *
 * @module
 */
import type { FragmentInfo, LedgerEntry } from '@ropewalk/interface'

export interface RecoveryOptions {
  /** Our own name in the ledger. */
  readonly holder: string
  readonly now: number
  /** Life of what goes on from here. */
  readonly lifeMs: number
}

/** Leave the entry as it is, write it anew, or forget it and whatever the store has of it. */
export type Verdict = { readonly what: 'keep' | 'drop' } | { readonly what: 'restore', readonly entry: LedgerEntry }

export function reconcile (entry: LedgerEntry, found: Pick<FragmentInfo, 'size' | 'committed'> | undefined, { holder, now, lifeMs }: RecoveryOptions): Verdict {
  if (entry.state !== 'committed' && entry.holder !== holder) return KEEP
  const size = found?.size ?? 0
  if (found?.committed === true) {
    // The process died between the store's commit and the ledger's.
    return entry.state === 'committed' && entry.size === size
      ? KEEP
      : restore({ ...entry, state: 'committed', size, expiresAt: Infinity, leasedUntil: 0, sha256: entry.size === size ? entry.sha256 : undefined })
  }
  switch (entry.state) {
    // Removed from the store, and not yet from the ledger; or a store that lost what it had promised.
    case 'committed': return size === entry.size && found !== undefined ? restore({ ...entry, state: 'complete', expiresAt: now + lifeMs }) : DROP
    case 'complete': {
      if (size === entry.size) return KEEP
      // A loss of power took the end of what was complete, and not yet committed.
      return entry.durable && size < entry.size ? restore({ ...entry, state: 'reserved', sha256: undefined, leasedUntil: 0 }) : DROP
    }
    case 'reserved': {
      if (!entry.durable || size > entry.size) return DROP
      // Every byte was written, if not the word that it was the last.
      return size === entry.size && size > 0 ? restore({ ...entry, state: 'complete', leasedUntil: 0 }) : KEEP
    }
  }
}

function restore (entry: LedgerEntry): Verdict {
  return { what: 'restore', entry }
}

const KEEP: Verdict = { what: 'keep' }
const DROP: Verdict = { what: 'drop' }
