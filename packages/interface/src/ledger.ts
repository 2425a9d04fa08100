import type { AbortOptions } from './channel.ts'

/**
 * What becomes of an object: announced and being filled, whole and waiting for its commit, or final.
 * An object that is gone has no entry.
 */
export type LedgerState = 'reserved' | 'complete' | 'committed'

/** What a node has promised about one object, or holds of it. */
export interface LedgerEntry {
  /** The object's id as 32 lower-case hex digits. */
  readonly id: string
  /** Bytes announced, and once it is committed, bytes held. */
  readonly size: number
  readonly state: LedgerState
  /** Survives the interruption of its upload, and a restart. */
  readonly durable: boolean
  /** The node that keeps the promise: of several that share a ledger, it alone may give up what is not durable. */
  readonly holder: string
  /** Who asked for the space, as far as that is known; caps are counted by it. */
  readonly owner: string
  /** When the space was reserved, in milliseconds since 1970. */
  readonly createdAt: number
  /** When the entry may be given up, unless it is prolonged. Infinity once it is committed. */
  readonly expiresAt: number
  /** SHA-256 of the content as 64 lower-case hex digits, where somebody computed it. */
  readonly sha256: string | undefined
  /** How often the right to write was given: the token of the newest lease. A store refuses writers with a lower one. */
  readonly token: number
  /** When the lease ends; 0 when nobody holds one. */
  readonly leasedUntil: number
}

/** Bounds on what is not committed. Whatever they say, 0 bytes need no space. */
export interface LedgerLimits {
  /** Bytes that reserved, complete and committed objects may take together. */
  readonly maxBytes: number
  /** Entries that are not committed. */
  readonly maxOpen: number
  /** Entries that are not committed, of one owner. */
  readonly maxOwnerOpen: number
  /** Bytes of entries that are not committed, of one owner. */
  readonly maxOwnerBytes: number
  /** Bytes that all incomplete reservations together may have announced: what is free, and what of them is written already. */
  readonly maxReservedBytes: number
}

export interface LedgerRequest {
  readonly id: string
  readonly size: number
  readonly durable: boolean
  readonly holder: string
  readonly owner: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** `left` is how much the same owner could have reserved instead. */
export type LedgerAnswer = { readonly entry: LedgerEntry } | { readonly entry?: undefined, readonly left: number }

/** The right to write an object: others get one when it was given back, or ran out. */
export interface LedgerLease {
  readonly id: string
  /** Higher than that of every lease of the object before. */
  readonly token: number
}

export interface LedgerUsage {
  /** Bytes of complete and committed objects. */
  readonly usedBytes: number
  /** Bytes announced by incomplete reservations. */
  readonly reservedBytes: number
  /** Entries that are not committed. */
  readonly open: number
}

/** Conditions of a removal. All that are given must hold. */
export interface LedgerDrop {
  /** Only under this lease. Without it: only when no lease is live at `now`. */
  readonly lease?: LedgerLease | undefined
  readonly now: number
  /** Only when its life is over at `now`. */
  readonly expired?: boolean | undefined
  /** Only when it is not committed. */
  readonly open?: boolean | undefined
}

/**
 * What a node has promised and what it holds: reservations, uploads that wait for their commit, space, and who may write.
 *
 * Every method is one atomic step, and those that change something say whether the condition still held: none needs a
 * transaction around two calls, so a ledger may be shared by several nodes. Time is a number that the caller passes. What
 * was changed survives the death of the process when the promise resolves, and loss of power where `lasting` is said.
 *
 *      used + reserved <= maxBytes, whatever comes at the same time
 *      at most one live lease an object, and tokens only rise
 */
export interface Ledger {
  /** Promises space. Rejects with `ERR_EXISTS` when the id has an entry. */
  reserve (request: LedgerRequest, limits: LedgerLimits, options?: LedgerOptions): Promise<LedgerAnswer>
  get (id: string, options?: AbortOptions): Promise<LedgerEntry | undefined>
  /** Gives the right to write a reservation, or to commit what is complete, until `until`: the entry as it is then, which is the lease. `undefined` when there is nothing to write or another lease is live at `now`. */
  lease (id: string, now: number, until: number, options?: AbortOptions): Promise<LedgerEntry | undefined>
  /** Prolongs a lease and the life of its entry. False when the lease is not the newest any more, or the entry is gone. */
  renew (lease: LedgerLease, until: number, expiresAt: number, options?: AbortOptions): Promise<boolean>
  /** Gives a lease back. False when it was lost before. */
  release (lease: LedgerLease, expiresAt: number, options?: AbortOptions): Promise<boolean>
  /** Prolongs the life of an entry that is not committed. False when there is none. */
  prolong (id: string, expiresAt: number, options?: AbortOptions): Promise<boolean>
  /** Everything announced is in the store: ends the lease. False when the lease was lost before. */
  complete (lease: LedgerLease, expiresAt: number, sha256: string | undefined, options?: LedgerOptions): Promise<boolean>
  /** The object is final in the store: ends the lease. False when the lease was lost before. */
  commit (lease: LedgerLease, sha256: string | undefined, options?: LedgerOptions): Promise<boolean>
  /** Notes the SHA-256 of a committed object that has none yet. False when there is no such object. */
  digest (id: string, sha256: string, options?: LedgerOptions): Promise<boolean>
  /** Forgets an entry and gives its space back, in this order: first the store has lost the object. `undefined` when a condition did not hold, or there was none. */
  drop (id: string, conditions: LedgerDrop, options?: LedgerOptions): Promise<LedgerEntry | undefined>
  /** Writes an entry as it is, over what is there: what a start has found out. Its token must not be lower than the one before. */
  restore (entry: LedgerEntry, options?: LedgerOptions): Promise<void>
  /** Ends the leases of a node that starts again: whatever held them is gone. */
  reclaim (holder: string, options?: AbortOptions): Promise<void>
  /** Entries whose life is over at `now` and that nobody holds a lease of, at most `most`, the oldest first. */
  expired (now: number, most: number, options?: AbortOptions): Promise<LedgerEntry[]>
  /** At most `most` entries by rising id, beginning behind `after`. */
  page (after: string, most: number, options?: AbortOptions): Promise<LedgerEntry[]>
  usage (options?: AbortOptions): Promise<LedgerUsage>
  close (): Promise<void>
}

export interface LedgerOptions extends AbortOptions {
  /** Resolve only when the change survives loss of power too. */
  lasting?: boolean | undefined
}

/** A digest that is fed piece by piece. The bytes are not kept. */
export interface RunningHash {
  update (bytes: Uint8Array): void
  digest (): Uint8Array | Promise<Uint8Array>
}
