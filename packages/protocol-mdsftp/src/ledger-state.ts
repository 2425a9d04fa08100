/**
 * A ledger as pure arithmetic over a map. Time is an argument.
 *
 *      used = sizes of complete and committed entries,  reserved = sizes of the others,  used + reserved <= maxBytes
 *
 * @module
 */
import type { LedgerAnswer, LedgerDrop, LedgerEntry, LedgerLease, LedgerLimits, LedgerRequest, LedgerUsage } from '@ropewalk/interface'
import { StorageError } from './errors.ts'

interface Owned { open: number, bytes: number }

export class LedgerBook {
  readonly #entries = new Map<string, LedgerEntry>()
  /** Those that are not committed: few, where the others may be millions. */
  readonly #open = new Set<string>()
  readonly #owners = new Map<string, Owned>()
  #used = 0
  #reserved = 0

  get usage (): LedgerUsage {
    return { usedBytes: this.#used, reservedBytes: this.#reserved, open: this.#open.size }
  }

  get (id: string): LedgerEntry | undefined {
    return this.#entries.get(id)
  }

  reserve (request: LedgerRequest, limits: LedgerLimits): LedgerAnswer {
    const { id, size, owner } = request
    if (this.#entries.has(id)) throw new StorageError('ERR_EXISTS', 'transfer', `${id} is in the ledger already`, { remote: false })
    const { open, bytes } = this.#owners.get(owner) ?? { open: 0, bytes: 0 }
    const { maxBytes, maxOpen, maxOwnerOpen, maxOwnerBytes, maxReservedBytes } = limits
    const left = Math.max(0, Math.min(maxBytes - this.#used - this.#reserved, maxReservedBytes - this.#reserved, maxOwnerBytes - bytes))
    if (this.#open.size >= maxOpen || open >= maxOwnerOpen) return { left: 0 }
    if (size > 0 && size > left) return { left }
    const entry: LedgerEntry = { ...request, state: 'reserved', sha256: undefined, token: 0, leasedUntil: 0 }
    this.#set(entry)
    return { entry }
  }

  lease (id: string, now: number, until: number): LedgerEntry | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.state === 'committed' || entry.leasedUntil > now) return undefined
    const leased = { ...entry, token: entry.token + 1, leasedUntil: until }
    this.#set(leased)
    return leased
  }

  renew (lease: LedgerLease, until: number, expiresAt: number): boolean {
    return this.#under(lease, entry => ({ ...entry, leasedUntil: until, expiresAt: Math.max(entry.expiresAt, expiresAt) }))
  }

  release (lease: LedgerLease, expiresAt: number): boolean {
    return this.#under(lease, entry => ({ ...entry, leasedUntil: 0, expiresAt: Math.max(entry.expiresAt, expiresAt) }))
  }

  prolong (id: string, expiresAt: number): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.state === 'committed') return false
    this.#set({ ...entry, expiresAt: Math.max(entry.expiresAt, expiresAt) })
    return true
  }

  complete (lease: LedgerLease, expiresAt: number, sha256: string | undefined): boolean {
    return this.#under(lease, entry => ({ ...entry, state: 'complete', leasedUntil: 0, expiresAt: Math.max(entry.expiresAt, expiresAt), sha256: sha256 ?? entry.sha256 }))
  }

  commit (lease: LedgerLease, sha256: string | undefined): boolean {
    return this.#under(lease, entry => ({ ...entry, state: 'committed', leasedUntil: 0, expiresAt: Infinity, sha256: sha256 ?? entry.sha256 }))
  }

  digest (id: string, sha256: string): boolean {
    const entry = this.#entries.get(id)
    if (entry?.state !== 'committed' || entry.sha256 !== undefined) return false
    this.#set({ ...entry, sha256 })
    return true
  }

  drop (id: string, { lease, now, expired = false, open = false }: LedgerDrop): LedgerEntry | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    const held = lease === undefined ? entry.leasedUntil <= now : isHeld(entry, lease)
    if (!held || (expired && entry.expiresAt > now) || (open && entry.state === 'committed')) return undefined
    this.#count(entry, -1)
    this.#entries.delete(id)
    this.#open.delete(id)
    return entry
  }

  restore (entry: LedgerEntry): void {
    const before = this.#entries.get(entry.id)
    if (before !== undefined && entry.token < before.token) throw new RangeError(`token ${entry.token} < ${before.token} of ${entry.id}`)
    this.#set({ ...entry })
  }

  reclaim (holder: string): void {
    for (const id of this.#open) {
      const entry = this.#entries.get(id)
      if (entry?.holder === holder && entry.leasedUntil > 0) this.#set({ ...entry, leasedUntil: 0 })
    }
  }

  expired (now: number, most: number): LedgerEntry[] {
    return Array.from(this.#open, id => this.#entries.get(id) as LedgerEntry)
      .filter(({ expiresAt, leasedUntil }) => expiresAt <= now && leasedUntil <= now)
      .sort((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : 1))
      .slice(0, most)
  }

  page (after: string, most: number): LedgerEntry[] {
    return [...this.#entries.keys()].filter(id => id > after).sort().slice(0, most).map(id => this.#entries.get(id) as LedgerEntry)
  }

  #under (lease: LedgerLease, change: (entry: LedgerEntry) => LedgerEntry): boolean {
    const entry = this.#entries.get(lease.id)
    if (entry === undefined || !isHeld(entry, lease)) return false
    this.#set(change(entry))
    return true
  }

  #set (entry: LedgerEntry): void {
    const before = this.#entries.get(entry.id)
    if (before !== undefined) this.#count(before, -1)
    this.#count(entry, 1)
    this.#entries.set(entry.id, entry)
    if (entry.state === 'committed') this.#open.delete(entry.id)
    else this.#open.add(entry.id)
  }

  #count ({ state, size, owner }: LedgerEntry, sign: 1 | -1): void {
    if (state === 'reserved') this.#reserved += sign * size
    else this.#used += sign * size
    if (state === 'committed') return
    const { open, bytes } = this.#owners.get(owner) ?? { open: 0, bytes: 0 }
    if (open + sign === 0) this.#owners.delete(owner)
    else this.#owners.set(owner, { open: open + sign, bytes: bytes + sign * size })
  }
}

/** A lease that ran out is still good as long as nobody has taken the next. */
function isHeld ({ token, leasedUntil, state }: LedgerEntry, lease: LedgerLease): boolean {
  return token === lease.token && leasedUntil > 0 && state !== 'committed'
}
