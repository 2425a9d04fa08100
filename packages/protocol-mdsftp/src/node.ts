/**
 * A storage node: a store, and beside it what is reserved, uploaded, locked and being written. One for all its
 * connections. Everything here is held in memory: after a restart reservations are gone, and what the store still has
 * of them can neither be read nor resumed. Open the store so that it removes such leftovers.
 *
 * @module
 */
import type { FragmentStore, FragmentWriter } from '@ropewalk/interface'
import type { Id, LockKind } from '@ropewalk/muxer-mdsftp'
import { systemClock, type Clock } from './clock.ts'
import { MAX_READERS, MAX_RESERVATIONS, RESERVATION_LIFE_MS, SWEEP_MS } from './constants.ts'
import { StorageError } from './errors.ts'
import { randomId } from './id.ts'
import { removed, Upload, type Incoming, type UploadOwner } from './incoming.ts'
import { LockState } from './lock-state.ts'
import { NodeState, type Reservation } from './node-state.ts'

export interface NodeOptions {
  store: FragmentStore
  /** Bytes that all chunks and reservations may take. By default what the store has. */
  maxBytes?: number | undefined
  /** The largest chunk that may be reserved. */
  maxChunkBytes?: number | undefined
  /** Reservations and uncommitted chunks. Default 65,536. */
  maxReservations?: number | undefined
  /** Readers of one chunk. Default 2048. */
  maxReaders?: number | undefined
  /** Life of a reservation, and of an uploaded chunk that nobody commits. Default one hour. */
  reservationLifeMs?: number | undefined
  /** How often expired ones are looked for; whoever reserves pays for it. Default 300 s. */
  sweepMs?: number | undefined
  /** Ids for new chunks: they must be unguessable and new. For tests. */
  newChunkId?: (() => Id) | undefined
  /** For tests. */
  clock?: Clock | undefined
}

export class StorageNode {
  readonly store: FragmentStore
  readonly clock: Clock
  readonly locks: LockState
  /** A paused node reserves nothing; what runs goes on (specification section 6.2). */
  paused = false
  readonly #state: NodeState
  readonly #options: NodeOptions
  readonly #uploads = new Map<Id, Upload>()
  readonly #counted: Promise<void>
  #sweptAt: number

  constructor (options: NodeOptions) {
    const { store, clock = systemClock, maxBytes = Infinity, maxReservations = MAX_RESERVATIONS, maxReaders = MAX_READERS, reservationLifeMs: lifeMs = RESERVATION_LIFE_MS } = options
    this.store = store
    this.clock = clock
    this.locks = new LockState(maxReaders)
    this.#options = options
    this.#state = new NodeState({ maxBytes, maxReservations, lifeMs })
    this.#sweptAt = clock.now()
    this.#counted = maxBytes === Infinity ? Promise.resolve() : this.#count()
    this.#counted.catch(() => {})
  }

  /** Bytes of committed and uploaded chunks (counted only under a `maxBytes`), bytes reserved, uploads under way. */
  get usage (): { usedBytes: number, reservedBytes: number, reservations: number, uploads: number } {
    return { usedBytes: this.#state.used, reservedBytes: this.#state.reserved, reservations: this.#state.size, uploads: this.#uploads.size }
  }

  /** A reservation, or how much may be reserved when it is refused. */
  async reserve (size: bigint, durable: boolean): Promise<Reservation | { spaceLeft: bigint }> {
    await this.#counted
    if (this.clock.now() - this.#sweptAt >= (this.#options.sweepMs ?? SWEEP_MS)) await this.sweep()
    const { maxChunkBytes = Number.MAX_SAFE_INTEGER, newChunkId = randomId } = this.#options
    const writtenBefore = this.#state.written
    const available = await this.store.available()
    const free = available - (this.#state.written - writtenBefore)
    const reservation = this.paused || size > maxChunkBytes
      ? undefined
      : this.#state.reserve(newChunkId(), Number(size), durable, free, this.clock.now())
    return reservation ?? { spaceLeft: BigInt(Math.floor(Math.min(this.#state.left(free), maxChunkBytes))) }
  }

  /** The reservation, or chunk uploaded and not committed. */
  reservation (id: Id): Reservation | undefined {
    return this.#state.get(id)
  }

  /** Gives a reservation up that nobody writes to. */
  async release (id: Id): Promise<void> {
    if (this.#uploads.has(id) || this.#state.get(id)?.complete === true) return
    await this.#discard(id)
  }

  /** Whoever is writing to the chunk and has lost its channel already is waited for, so that what it leaves can be seen. */
  async settled (id: Id): Promise<void> {
    const upload = this.#uploads.get(id)
    if (upload !== undefined && (upload.ending || !upload.alive())) await upload.done
  }

  /** Size of what is there: committed, complete, or so far. */
  async sizeOf (id: Id): Promise<number | undefined> {
    const reservation = this.#state.get(id)
    if (reservation?.complete === true || this.#uploads.has(id)) return reservation?.recorded
    const info = await this.store.stat(id)
    if (reservation !== undefined) return info?.size ?? 0
    return info?.committed === true ? info.size : undefined
  }

  /** True when everything announced has come, committed or not. Only such chunks can be locked. */
  async finished (id: Id): Promise<boolean> {
    const reservation = this.#state.get(id)
    return reservation === undefined ? (await this.store.stat(id))?.committed === true : reservation.complete
  }

  /**
   * Begins an upload at `offset`, which must be what the store has, or 0. The caller holds the chunk's write lock, and the
   * upload gives it back.
   */
  async begin (reservation: Reservation, offset: number, owner: UploadOwner): Promise<Incoming> {
    const { id } = reservation
    let writer: FragmentWriter
    try {
      writer = await this.store.write(id, offset)
    } catch (error) {
      this.locks.release(id, 'write')
      throw new StorageError('ERR_STORE', 'transfer', `the store does not open ${id} for writing`, { cause: error, remote: false })
    }
    if (this.#state.get(id) !== reservation) {
      await writer.close()
      await this.store.remove(id)
      this.locks.release(id, 'write')
      throw removed(id)
    }
    this.#state.record(id, offset, this.clock.now())
    const upload = new Upload(reservation, writer, owner, this.#state, this.clock, async outcome => {
      const settled = outcome === 'complete' && owner.final && !await this.#publish(id) ? 'dropped' : outcome
      if (settled === 'dropped') {
        this.#state.drop(id)
        await this.store.remove(id).catch(() => {})
      }
      this.#uploads.delete(id)
      this.locks.release(id, 'write')
      return settled
    })
    this.#uploads.set(id, upload)
    return upload
  }

  /** Makes an uploaded chunk permanent. Committing a committed chunk does nothing. */
  async commit (id: Id): Promise<'committed' | 'not_found' | 'not_available'> {
    await this.settled(id)
    const reservation = this.#state.get(id)
    if (reservation === undefined) return (await this.store.stat(id))?.committed === true ? 'committed' : 'not_found'
    const upload = this.#uploads.get(id)
    // 0 of 0 bytes are complete, also when the close that says so is still on its way (specification section 4.6).
    if (upload !== undefined && reservation.size === 0) {
      upload.owner.interrupt(new StorageError('ERR_INTERRUPTED', 'channel', `${id} is committed`, { remote: false }))
      await upload.done
    }
    if (this.#uploads.has(id) || (!reservation.complete && reservation.size > 0)) return 'not_available'
    if (await this.#publish(id)) return 'committed'
    return this.#state.get(id) === reservation ? 'not_available' : 'not_found'
  }

  /** Prolongs the life of a reservation or uncommitted chunk. */
  refresh (id: Id): void {
    this.#state.refresh(id, this.clock.now())
  }

  /** Removes whatever there is under the id. Readers finish; an upload fails. */
  async remove (id: Id): Promise<void> {
    await this.#counted
    if (await this.#discard(id)) return
    const info = await this.store.stat(id)
    if (await this.store.remove(id) && info?.committed === true) this.#state.removed(info.size)
  }

  /** Gives up a reservation, or chunk that is not committed. A committed chunk stays. */
  async cancel (id: Id): Promise<void> {
    await this.#discard(id)
  }

  /** Removes reservations and uncommitted chunks whose life is over, except those that are being written. */
  async sweep (): Promise<void> {
    const now = this.#sweptAt = this.clock.now()
    for (const { id } of this.#state.expired(now)) {
      // One that cannot be removed must not keep the others.
      if (!this.#uploads.has(id)) await this.#discard(id).catch(() => {})
    }
  }

  /** Takes a lock, or says no: nobody waits. */
  lock (id: Id, kind: LockKind): boolean {
    return this.locks.acquire(id, kind)
  }

  async #publish (id: Id): Promise<boolean> {
    try {
      // Of 0 bytes that never came, there is no object yet.
      if (this.#state.get(id)?.complete !== true) await (await this.store.write(id, 0)).close()
      await this.store.commit(id)
    } catch {
      return false
    }
    this.#state.committed(id, this.clock.now())
    return true
  }

  async #discard (id: Id): Promise<boolean> {
    const reservation = this.#state.drop(id)
    const upload = this.#uploads.get(id)
    if (upload !== undefined) {
      upload.owner.interrupt(removed(id))
      await upload.done
    } else if (reservation !== undefined) await this.store.remove(id)
    return reservation !== undefined
  }

  async #count (): Promise<void> {
    for await (const { size, committed } of this.store.list()) if (committed) this.#state.found(size)
  }
}
