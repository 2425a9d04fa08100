/**
 * A storage node: a store, a ledger of what was promised, and beside them what is locked and being written. One for all
 * its connections. With a ledger that outlives the process, a restart loses nothing that anybody was told is kept.
 *
 * @module
 */
import type { FragmentStore, Ledger, LedgerEntry, LedgerLease, LedgerUsage, RunningHash } from '@ropewalk/interface'
import type { Id, LockKind } from '@ropewalk/muxer-mdsftp'
import { systemClock, type Clock } from './clock.ts'
import { LEASE_MS, MAX_READERS, RESERVATION_LIFE_MS, SWEEP_BATCH, SWEEP_MS } from './constants.ts'
import { StorageError } from './errors.ts'
import { neighbours } from './id.ts'
import { removed, Upload, type Incoming, type Outcome, type UploadOwner } from './incoming.ts'
import { LockState } from './lock-state.ts'
import { MemoryLedger } from './memory-ledger.ts'
import type { NodeOptions, NodeUsage } from './node-options.ts'
import { recover } from './recovery.ts'
import { Space } from './space.ts'
import { Turns } from './turns.ts'

export class StorageNode {
  readonly store: FragmentStore
  readonly ledger: Ledger
  readonly clock: Clock
  readonly hasher: (() => RunningHash) | undefined
  readonly locks: LockState
  /** Chunks that are not what they were when they were committed: not served any more. */
  readonly damaged: Set<Id> = new Set()
  /** A paused node reserves nothing; what runs goes on (specification section 6.2). */
  paused = false
  readonly #options: NodeOptions
  readonly #uploads = new Map<Id, Upload>()
  readonly #turns = new Turns()
  readonly #space: Space
  readonly #fleeting = new Set<Id>()
  readonly #newChunkId = neighbours()
  readonly #ready: Promise<{ lost: Id[] }>
  #usage: LedgerUsage = { usedBytes: 0, reservedBytes: 0, open: 0 }
  #asking: Promise<void> | undefined
  #stale = false
  #sweptAt: number

  constructor (options: NodeOptions) {
    const { store, clock = systemClock, maxReaders = MAX_READERS, hasher, ledger = new MemoryLedger() } = options
    this.store = store
    this.ledger = ledger
    this.clock = clock
    this.hasher = hasher
    this.locks = new LockState(maxReaders)
    this.#options = options
    this.#space = new Space(store, ledger, options)
    this.#sweptAt = this.now()
    this.#ready = this.#recover()
    this.#ready.catch(() => {})
  }

  /** Resolves when store and ledger agree, which every request waits for; tells which committed chunks the store has lost. */
  get ready (): Promise<{ lost: Id[] }> {
    return this.#ready
  }

  /** As the ledger said last. */
  get usage (): NodeUsage {
    const { usedBytes, reservedBytes, open } = this.#usage
    return { usedBytes, reservedBytes, reservations: open, fleeting: this.#fleeting.size, uploads: this.#uploads.size }
  }

  /** Milliseconds since 1970. */
  now (): number {
    const { now, clock } = this.#options
    return now?.() ?? clock?.now() ?? Date.now()
  }

  /**
   * A reservation, or how much may be reserved when it is refused. `owner` is who asks: caps are counted by it. With `leased` its upload begins at
   * once: `begin` takes the entry, with the lease that came along.
   */
  async reserve (size: bigint, durable: boolean, owner: string = '', leased: boolean = false): Promise<LedgerEntry | { spaceLeft: bigint }> {
    await this.#ready
    if (this.now() - this.#sweptAt >= (this.#options.sweepMs ?? SWEEP_MS)) await this.sweep()
    const { maxChunkBytes = Number.MAX_SAFE_INTEGER, newChunkId = this.#newChunkId, holder = HOLDER } = this.#options
    const limits = await this.#space.limits()
    const left = (bytes: number): { spaceLeft: bigint } => ({ spaceLeft: BigInt(Math.floor(Math.min(bytes, maxChunkBytes))) })
    if (this.paused || size > maxChunkBytes) return left(await this.#space.left(limits))
    const now = this.now()
    const request = { id: newChunkId(), size: Number(size), durable, holder, owner, createdAt: now, expiresAt: this.#space.life(now, now) }
    // Whoever is told of a durable reservation may come back for it after a loss of power.
    const reserving = this.ledger.reserve(request, limits, { lasting: durable })
    // In the same breath, which is one trip to most ledgers. Where that fails, the upload asks again.
    const leasing = leased ? this.ledger.lease(request.id, now, now + LEASE_MS).catch(() => undefined) : undefined
    const answer = await reserving
    if (answer.entry === undefined) return left(answer.left)
    this.#space.written.record(request.id, 0)
    if (!durable) this.#fleeting.add(request.id)
    this.#changed()
    return await leasing ?? answer.entry
  }

  /** The reservation, or chunk uploaded and not committed. */
  async reservation (id: Id): Promise<LedgerEntry | undefined> {
    await this.#ready
    const entry = await this.ledger.get(id)
    const over = entry === undefined || entry.state === 'committed' || (entry.expiresAt <= this.now() && !this.#uploads.has(id))
    return over ? undefined : entry
  }

  /** Gives a reservation up that nobody writes to. */
  async release (id: Id): Promise<void> {
    if (this.#uploads.has(id) || (await this.reservation(id))?.state !== 'reserved') return
    await this.#discard(id)
  }

  /** Whoever is writing to the chunk and has lost its channel already is waited for, so that what it leaves can be seen. */
  async settled (id: Id): Promise<void> {
    const upload = this.#uploads.get(id)
    if (upload !== undefined && (upload.ending || !upload.alive())) await upload.done
  }

  /** Size of what is there: committed, complete, or so far. */
  async sizeOf (id: Id): Promise<number | undefined> {
    const upload = this.#uploads.get(id)
    if (upload !== undefined) return upload.recorded
    await this.#ready
    const info = await this.store.stat(id)
    // The store has said that it is whole and lasts: what the ledger says of it does not matter.
    if (info?.committed === true) return info.size
    const reservation = await this.reservation(id)
    return reservation?.state === 'complete' ? reservation.size : reservation === undefined ? undefined : info?.size ?? 0
  }

  /** True when everything announced has come, committed or not. Only such chunks can be locked. */
  async finished (id: Id): Promise<boolean> {
    const reservation = await this.reservation(id)
    return reservation === undefined ? (await this.store.stat(id))?.committed === true : reservation.state === 'complete'
  }

  /**
   * Begins an upload at `offset`, which must be what the store has, or 0. The caller holds the chunk's write lock, and the
   * upload gives it back. `reserved` is what `reserve` has brought with a lease, if it has.
   */
  async begin (id: Id, offset: number, owner: UploadOwner, reserved?: LedgerEntry): Promise<Incoming> {
    try {
      return await this.#turns.run(id, async () => await this.#begin(id, offset, owner, reserved))
    } catch (error) {
      this.locks.release(id, 'write')
      throw error
    }
  }

  /** Makes an uploaded chunk permanent. Committing a committed chunk does nothing. */
  async commit (id: Id): Promise<'committed' | 'not_found' | 'not_available'> {
    await this.settled(id)
    const upload = this.#uploads.get(id)
    // 0 of 0 bytes are complete, also when the close that says so is still on its way (specification section 4.6).
    if (upload?.size === 0) {
      upload.owner.interrupt(new StorageError('ERR_INTERRUPTED', 'channel', `${id} is committed`, { remote: false }))
      await upload.done
    }
    return await this.#turns.run(id, async () => {
      await this.#ready
      const now = this.now()
      const entry = this.#uploads.has(id) ? undefined : await this.ledger.lease(id, now, now + LEASE_MS)
      if (entry === undefined) {
        if (await this.reservation(id) !== undefined) return 'not_available'
        return (await this.store.stat(id))?.committed === true ? 'committed' : 'not_found'
      }
      const lease: LedgerLease = { id, token: entry.token }
      const over = entry.expiresAt <= now
      if (!over && (entry.state === 'complete' || entry.size === 0)) return await this.#publish(entry, lease, undefined) ? 'committed' : 'not_available'
      await this.ledger.release(lease, 0)
      return over ? 'not_found' : 'not_available'
    })
  }

  /** Prolongs the life of a reservation or uncommitted chunk, up to `maxReservationAgeMs`. */
  async refresh (id: Id): Promise<void> {
    await this.#turns.run(id, async () => {
      const entry = await this.reservation(id)
      if (entry !== undefined) await this.ledger.prolong(id, this.#space.life(entry.createdAt, this.now()))
    })
  }

  /** Removes whatever there is under the id. Readers finish; an upload fails. */
  async remove (id: Id): Promise<void> {
    await this.#ready
    if (await this.#discard(id)) return
    await this.#turns.run(id, async () => {
      await this.store.remove(id)
      await this.ledger.drop(id, { now: this.now() })
      this.damaged.delete(id)
      this.#changed()
    })
  }

  /** Gives up a reservation, or chunk that is not committed. A committed chunk stays. */
  async cancel (id: Id): Promise<void> {
    await this.#ready
    await this.#discard(id)
  }

  /** Removes reservations and uncommitted chunks whose life is over. An upload under way keeps its reservation, to the greatest age. */
  async sweep (): Promise<void> {
    await this.#ready
    const now = this.#sweptAt = this.now()
    for (const { id, entry, lease } of [...this.#uploads.values()]) {
      const expiresAt = this.#space.life(entry.createdAt, now)
      if (expiresAt <= now) await this.#discard(id).catch(() => {})
      else await this.ledger.renew(lease, now + LEASE_MS, expiresAt)
    }
    let swept: LedgerEntry[]
    do {
      swept = (await this.ledger.expired(now, SWEEP_BATCH)).filter(({ id }) => !this.#uploads.has(id))
      // One that cannot be removed must not keep the others, but not be tried for ever either.
      const gone = await Promise.all(swept.map(async ({ id }) => await this.#discard(id, now).catch(() => false)))
      if (!gone.includes(true)) break
    } while (swept.length > 0)
  }

  /** Takes a lock, or says no: nobody waits. */
  lock (id: Id, kind: LockKind): boolean {
    return this.locks.acquire(id, kind)
  }

  async #begin (id: Id, offset: number, owner: UploadOwner, reserved: LedgerEntry | undefined): Promise<Incoming> {
    const now = this.now()
    const leased = reserved !== undefined && reserved.leasedUntil > now ? reserved : await this.ledger.lease(id, now, now + LEASE_MS)
    if (leased === undefined) {
      if (await this.reservation(id) === undefined) throw removed(id)
      throw new StorageError('ERR_NOT_AVAILABLE', 'transfer', `${id} is being written elsewhere`, { remote: false })
    }
    let entry = leased
    const lease: LedgerLease = { id, token: entry.token }
    // Complete waits for a commit, which not every profile has: there it may be uploaded again, from the start.
    const again = owner.final && offset === 0 && entry.state === 'complete'
    if ((entry.state !== 'reserved' && !again) || entry.expiresAt <= now) {
      await this.ledger.release(lease, 0)
      throw removed(id)
    }
    try {
      if (again) await this.ledger.restore(entry = { ...entry, state: 'reserved', sha256: undefined })
      const writer = await this.store.write(id, offset)
      this.#space.written.record(id, offset)
      // Only who sees every byte can tell the digest of them all.
      const hash = offset === 0 ? this.hasher?.() : undefined
      let renewAt = now + LEASE_MS / 3
      const upload = new Upload({ entry, lease, writer, owner, hash }, {
        wrote: async upload => {
          this.#space.written.record(id, Math.min(upload.recorded, entry.size))
          const at = this.now()
          if (at < renewAt) return true
          renewAt = at + LEASE_MS / 3
          return await this.ledger.renew(lease, at + LEASE_MS, this.#space.life(entry.createdAt, at))
        },
        settle: async (upload, outcome, sha256) => {
          try {
            return await this.#settle(upload, outcome, sha256)
          } finally {
            this.#uploads.delete(id)
            this.locks.release(id, 'write')
            this.#changed()
          }
        }
      })
      this.#uploads.set(id, upload)
      return upload
    } catch (error) {
      await this.ledger.release(lease, 0).catch(() => {})
      throw new StorageError('ERR_STORE', 'transfer', `the store does not open ${id} for writing`, { cause: error, remote: false })
    }
  }

  async #settle ({ entry, lease, owner }: Upload, outcome: Outcome, sha256: string | undefined): Promise<Outcome> {
    const { id, durable, createdAt } = entry
    const now = this.now()
    const expiresAt = this.#space.life(createdAt, now)
    try {
      if (outcome === 'kept') return await this.ledger.release(lease, expiresAt) ? 'kept' : 'dropped'
      if (outcome === 'complete' && owner.final) {
        if (await this.#publish(entry, lease, sha256)) return 'complete'
      } else if (outcome === 'complete') {
        const complete = await this.ledger.complete(lease, expiresAt, sha256)
        if (complete) this.#space.written.forget(id)
        return complete ? 'complete' : 'dropped'
      }
      // Another node may have taken over meanwhile: then nothing of it is ours to remove.
      if (!await this.ledger.renew(lease, now + LEASE_MS, 0)) return 'dropped'
    } catch {
      // The ledger failed. What is in the store is as good as before, if somebody may come back for it.
      await this.ledger.release(lease, expiresAt).catch(() => {})
      if (durable) return 'kept'
    }
    try {
      await this.store.remove(id)
      await this.ledger.drop(id, { lease, now })
      this.#space.written.forget(id)
      this.#fleeting.delete(id)
    } catch {
      // What cannot be removed now goes with the next sweep, and nobody may go on with it until then.
      await this.ledger.restore({ ...entry, token: lease.token, expiresAt: 0, leasedUntil: 0 }).catch(() => {})
    }
    return 'dropped'
  }

  async #publish ({ id, size }: LedgerEntry, lease: LedgerLease, sha256: string | undefined): Promise<boolean> {
    try {
      // Of 0 bytes that never came, there is no object yet.
      if (size === 0 && await this.store.stat(id) === undefined) await (await this.store.write(id, 0)).close()
      await this.store.commit(id)
      // The store has said that it lasts; only a digest is known to nobody but the ledger.
      await this.ledger.commit(lease, sha256, { lasting: this.hasher !== undefined })
    } catch {
      await this.ledger.release(lease, 0).catch(() => {})
      return false
    }
    this.#space.written.forget(id)
    this.#fleeting.delete(id)
    this.#changed()
    return true
  }

  /** Removes what is not committed; with `expiredAt`, only if it is still over by then. False when there was nothing. */
  async #discard (id: Id, expiredAt?: number): Promise<boolean> {
    for (let upload = this.#uploads.get(id); upload !== undefined; upload = this.#uploads.get(id)) {
      upload.revoke()
      await upload.done
      if (await this.ledger.get(id) === undefined) return true
    }
    return await this.#turns.run(id, async () => {
      const now = this.now()
      // Whoever holds the lease is the only one who touches the object, here and on any other node.
      const entry = await this.ledger.lease(id, now, now + LEASE_MS)
      if (entry === undefined) return false
      const lease: LedgerLease = { id, token: entry.token }
      try {
        if (expiredAt !== undefined && entry.expiresAt > expiredAt) throw new StorageError('ERR_NOT_AVAILABLE', 'transfer', `${id} was kept alive`, { remote: false })
        await this.store.remove(id)
        await this.ledger.drop(id, { lease, now })
      } catch (error) {
        await this.ledger.release(lease, 0).catch(() => {})
        throw error
      }
      this.#space.written.forget(id)
      this.#fleeting.delete(id)
      this.#changed()
      return true
    })
  }

  async #recover (): Promise<{ lost: Id[] }> {
    const { holder = HOLDER, reservationLifeMs: lifeMs = RESERVATION_LIFE_MS } = this.#options
    const { written, lost } = await recover(this.ledger, this.store, { holder, now: this.now(), lifeMs })
    for (const [id, bytes] of written) this.#space.written.record(id, bytes)
    this.#usage = await this.ledger.usage()
    return { lost }
  }

  /** Asks the ledger for its sums, once for all changes that are made meanwhile. */
  #changed (): void {
    this.#stale = true
    this.#asking ??= (async () => {
      while (this.#stale) {
        this.#stale = false
        this.#usage = await this.ledger.usage()
      }
    })().catch(() => {}).finally(() => { this.#asking = undefined })
  }
}

/** Our name, where nobody gave us one: with a ledger of our own, nobody else needs to know it. */
const HOLDER = 'node'
