/**
 * What a node has promised and what it holds: reservations, uploaded chunks that wait for their commit, and space. Pure:
 * time is an argument.
 *
 *      reserved = sum of the sizes of incomplete reservations
 *      unwritten = reserved, less what of them is on disk already
 *      left = min(free - unwritten, maxBytes - used - reserved), and never below 0
 *
 * @module
 */
import type { Id } from '@ropewalk/muxer-mdsftp'

export interface Reservation {
  readonly id: Id
  /** Bytes announced. */
  readonly size: number
  /** Survives the interruption of its upload. */
  readonly durable: boolean
  /** Bytes in the store, as far as this process wrote them. */
  readonly recorded: number
  /** Everything announced has come: it waits for its commit. */
  readonly complete: boolean
  readonly refreshedAt: number
}

export interface NodeLimits {
  /** Bytes that committed, uploaded and reserved chunks may take together. */
  readonly maxBytes: number
  /** Reservations and uncommitted chunks. */
  readonly maxReservations: number
  /** Life of a reservation, and of an uncommitted chunk, that nobody refreshes. */
  readonly lifeMs: number
}

interface Entry extends Reservation {
  recorded: number
  complete: boolean
  refreshedAt: number
}

export class NodeState {
  readonly #limits: NodeLimits
  readonly #entries = new Map<Id, Entry>()
  #used = 0
  #reserved = 0
  #unwritten = 0
  #written = 0

  constructor (limits: NodeLimits) {
    this.#limits = limits
  }

  /** Bytes of committed and of complete chunks. */
  get used (): number { return this.#used }
  /** Bytes promised to reservations. */
  get reserved (): number { return this.#reserved }
  /** Bytes written since the start. Who asks a store for its free space takes the difference meanwhile into account. */
  get written (): number { return this.#written }
  get size (): number { return this.#entries.size }

  /** Committed chunks of so many bytes were found. */
  found (bytes: number): void {
    this.#used += bytes
  }

  /** Bytes that may still be reserved, given what the store has free. */
  left (free: number): number {
    const { maxBytes, maxReservations } = this.#limits
    if (this.#entries.size >= maxReservations) return 0
    return Math.max(0, Math.min(free - this.#unwritten, maxBytes - this.#used - this.#reserved))
  }

  get (id: Id): Reservation | undefined {
    return this.#entries.get(id)
  }

  /** `undefined` when there is not that much left. A reservation of 0 bytes needs no space. */
  reserve (id: Id, size: number, durable: boolean, free: number, now: number): Reservation | undefined {
    if (this.#entries.has(id)) throw new RangeError(`${id} is reserved already`)
    if (this.#entries.size >= this.#limits.maxReservations || (size > 0 && size > this.left(free))) return undefined
    const entry = { id, size, durable, recorded: 0, complete: false, refreshedAt: now }
    this.#entries.set(id, entry)
    this.#reserved += size
    this.#unwritten += size
    return entry
  }

  /** The store holds `recorded` bytes of the chunk: more than before, or fewer after a new start. */
  record (id: Id, recorded: number, now: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.complete) return
    if (recorded > entry.size) throw new RangeError(`${recorded} > ${entry.size} bytes reserved`)
    this.#written += Math.max(0, recorded - entry.recorded)
    this.#unwritten -= recorded - entry.recorded
    entry.recorded = recorded
    entry.refreshedAt = now
  }

  /** The upload is complete. */
  complete (id: Id, now: number): void {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.complete) return
    this.record(id, entry.size, now)
    entry.complete = true
    this.#reserved -= entry.size
    this.#used += entry.size
  }

  refresh (id: Id, now: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.refreshedAt = now
  }

  /** The chunk is committed: it is the store's alone now. */
  committed (id: Id, now: number): void {
    this.complete(id, now)
    this.#entries.delete(id)
  }

  /** Forgets a reservation or uncommitted chunk and gives its space back. */
  drop (id: Id): Reservation | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    this.#entries.delete(id)
    if (entry.complete) this.#used -= entry.size
    else {
      this.#reserved -= entry.size
      this.#unwritten -= entry.size - entry.recorded
    }
    return entry
  }

  /** A committed chunk is gone. */
  removed (bytes: number): void {
    this.#used = Math.max(0, this.#used - bytes)
  }

  /** Those whose life is over. */
  expired (now: number): Reservation[] {
    return [...this.#entries.values()].filter(({ refreshedAt }) => now - refreshedAt >= this.#limits.lifeMs)
  }
}
