/**
 * What can be asked of the file: each step is a few statements inside a transaction that somebody else began.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LedgerAnswer, LedgerDrop, LedgerEntry, LedgerLease, LedgerLimits, LedgerRequest, LedgerUsage } from '@ropewalk/interface'
import { LedgerError } from './errors.ts'
import { STATE } from './schema.ts'

interface Row {
  id: string
  size: number
  state: number
  durable: number
  holder: string
  owner: string
  created_at: number
  expires_at: number
  sha256: string | null
  token: number
  leased_until: number
}

const STATES = ['reserved', 'complete', 'committed'] as const

/** The condition that a lease is still the newest. One that ran out is good until somebody takes the next. */
const HELD = 'id = ? AND token = ? AND leased_until > 0 AND state < 2'

export class Steps {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor (database: DatabaseSync) {
    this.#database = database
  }

  reserve (request: LedgerRequest, limits: LedgerLimits): LedgerAnswer {
    const { id, size, durable, holder, owner, createdAt, expiresAt } = request
    if (this.get(id) !== undefined) throw new LedgerError('ERR_EXISTS', `${id} is in the ledger already`)
    const total = this.usage()
    const { open, bytes } = this.#statement('SELECT open, bytes FROM owner WHERE owner = ?').get(owner) as { open: number, bytes: number } | undefined ?? { open: 0, bytes: 0 }
    const { maxBytes, maxOpen, maxOwnerOpen, maxOwnerBytes, maxReservedBytes } = limits
    const left = Math.max(0, Math.min(maxBytes - total.usedBytes - total.reservedBytes, maxReservedBytes - total.reservedBytes, maxOwnerBytes - bytes))
    if (total.open >= maxOpen || open >= maxOwnerOpen) return { left: 0 }
    if (size > 0 && size > left) return { left }
    this.#statement('INSERT INTO entry VALUES (?, ?, 0, ?, ?, ?, ?, ?, NULL, 0, 0)').run(id, size, durable ? 1 : 0, holder, owner, createdAt, expiresAt)
    return { entry: { ...request, state: 'reserved', sha256: undefined, token: 0, leasedUntil: 0 } }
  }

  get (id: string): LedgerEntry | undefined {
    const row = this.#statement('SELECT * FROM entry WHERE id = ?').get(id) as Row | undefined
    return row === undefined ? undefined : entryOf(row)
  }

  lease (id: string, now: number, until: number): LedgerEntry | undefined {
    const row = this.#statement('UPDATE entry SET token = token + 1, leased_until = ? WHERE id = ? AND state < 2 AND leased_until <= ? RETURNING *').get(until, id, now) as Row | undefined
    return row === undefined ? undefined : entryOf(row)
  }

  renew ({ id, token }: LedgerLease, until: number, expiresAt: number): boolean {
    return this.#changes(`UPDATE entry SET leased_until = ?, expires_at = max(expires_at, ?) WHERE ${HELD}`, until, expiresAt, id, token)
  }

  release ({ id, token }: LedgerLease, expiresAt: number): boolean {
    return this.#changes(`UPDATE entry SET leased_until = 0, expires_at = max(expires_at, ?) WHERE ${HELD}`, expiresAt, id, token)
  }

  prolong (id: string, expiresAt: number): boolean {
    return this.#changes('UPDATE entry SET expires_at = max(expires_at, ?) WHERE id = ? AND state < 2', expiresAt, id)
  }

  complete ({ id, token }: LedgerLease, expiresAt: number, sha256: string | undefined): boolean {
    return this.#changes(`UPDATE entry SET state = 1, leased_until = 0, expires_at = max(expires_at, ?), sha256 = coalesce(?, sha256) WHERE ${HELD}`, expiresAt, sha256 ?? null, id, token)
  }

  commit ({ id, token }: LedgerLease, sha256: string | undefined): boolean {
    return this.#changes(`UPDATE entry SET state = 2, leased_until = 0, expires_at = 9e999, sha256 = coalesce(?, sha256) WHERE ${HELD}`, sha256 ?? null, id, token)
  }

  digest (id: string, sha256: string): boolean {
    return this.#changes('UPDATE entry SET sha256 = ? WHERE id = ? AND state = 2 AND sha256 IS NULL', sha256, id)
  }

  drop (id: string, { lease, now, expired = false, open = false }: LedgerDrop): LedgerEntry | undefined {
    const entry = this.get(id)
    if (entry === undefined) return undefined
    const held = lease === undefined ? entry.leasedUntil <= now : entry.token === lease.token && entry.leasedUntil > 0 && entry.state !== 'committed'
    if (!held || (expired && entry.expiresAt > now) || (open && entry.state === 'committed')) return undefined
    this.#statement('DELETE FROM entry WHERE id = ?').run(id)
    return entry
  }

  restore (entry: LedgerEntry): void {
    const { id, size, state, durable, holder, owner, createdAt, expiresAt, sha256 = null, token, leasedUntil } = entry
    this.#statement(`INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      size = excluded.size, state = excluded.state, durable = excluded.durable, holder = excluded.holder, owner = excluded.owner,
      created_at = excluded.created_at, expires_at = excluded.expires_at, sha256 = excluded.sha256, token = max(token, excluded.token), leased_until = excluded.leased_until`)
      .run(id, size, STATE[state], durable ? 1 : 0, holder, owner, createdAt, expiresAt, sha256, token, leasedUntil)
  }

  reclaim (holder: string): void {
    this.#statement('UPDATE entry SET leased_until = 0 WHERE state < 2 AND holder = ? AND leased_until > 0').run(holder)
  }

  expired (now: number, most: number): LedgerEntry[] {
    return this.#statement('SELECT * FROM entry WHERE state < 2 AND expires_at <= ? AND leased_until <= ? ORDER BY expires_at, id LIMIT ?').all(now, now, most).map(row => entryOf(row as unknown as Row))
  }

  page (after: string, most: number): LedgerEntry[] {
    return this.#statement('SELECT * FROM entry WHERE id > ? ORDER BY id LIMIT ?').all(after, most).map(row => entryOf(row as unknown as Row))
  }

  usage (): LedgerUsage {
    const { used, reserved, open } = this.#statement('SELECT used, reserved, open FROM total').get() as { used: number, reserved: number, open: number }
    return { usedBytes: used, reservedBytes: reserved, open }
  }

  #changes (sql: string, ...values: Array<string | number | null>): boolean {
    return Number(this.#statement(sql).run(...values).changes) > 0
  }

  #statement (sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql))
    return statement
  }
}

function entryOf (row: Row): LedgerEntry {
  return {
    id: row.id,
    size: row.size,
    durable: row.durable === 1,
    holder: row.holder,
    owner: row.owner,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    state: STATES[row.state] as LedgerEntry['state'],
    sha256: row.sha256 ?? undefined,
    token: row.token,
    leasedUntil: row.leased_until
  }
}
