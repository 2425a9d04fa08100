/**
 * An upload that a node is receiving: the store's writer, and what becomes of the reservation when it ends.
 *
 * @module
 */
import type { FragmentWriter } from '@ropewalk/interface'
import type { Id } from '@ropewalk/muxer-mdsftp'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { Clock } from './clock.ts'
import { StorageError } from './errors.ts'
import type { NodeState, Reservation } from './node-state.ts'

/** What became of an upload: complete, incomplete and kept to be resumed, or gone. */
export type Outcome = 'complete' | 'kept' | 'dropped'

/** Who uploads. */
export interface UploadOwner {
  /** Somebody removes the chunk: stop, and end the upload. */
  interrupt (reason: Error): void
  /** Whether the uploader is still there. */
  alive (): boolean
  /** Complete is committed: the seed profile has no Commit. */
  readonly final: boolean
}

/** An upload under way. Its owner alone writes, and ends it once. */
export interface Incoming {
  readonly id: Id
  readonly size: number
  /** Bytes that the store has. */
  readonly recorded: number
  /** Resolves when the upload is over and everything about it is settled. */
  readonly done: Promise<void>
  write (content: Uint8ArrayList): Promise<void>
  /** It is over. `broken` when the peer broke the rules: what came is dropped, durable or not. */
  end (broken: boolean): Promise<Outcome>
}

export class Upload implements Incoming {
  readonly id: Id
  readonly size: number
  readonly done: Promise<void>
  readonly owner: UploadOwner
  ending = false
  readonly #reservation: Reservation
  readonly #writer: FragmentWriter
  readonly #state: NodeState
  readonly #clock: Clock
  readonly #settle: (outcome: Outcome) => Promise<Outcome>
  #resolve = (): void => {}

  constructor (reservation: Reservation, writer: FragmentWriter, owner: UploadOwner, state: NodeState, clock: Clock, settle: (outcome: Outcome) => Promise<Outcome>) {
    this.id = reservation.id
    this.size = reservation.size
    this.owner = owner
    this.#reservation = reservation
    this.#writer = writer
    this.#state = state
    this.#clock = clock
    this.#settle = settle
    this.done = new Promise(resolve => { this.#resolve = resolve })
  }

  get recorded (): number {
    return this.#writer.size
  }

  alive (): boolean {
    return this.owner.alive()
  }

  async write (content: Uint8ArrayList): Promise<void> {
    try {
      await this.#writer.write(content)
    } catch (error) {
      throw new StorageError('ERR_STORE', 'transfer', `the store does not write ${this.id}`, { cause: error, remote: false })
    } finally {
      if (this.#mine) this.#state.record(this.id, Math.min(this.#writer.size, this.size), this.#clock.now())
    }
    if (!this.#mine) throw removed(this.id)
  }

  async end (broken: boolean): Promise<Outcome> {
    this.ending = true
    let outcome: Outcome = 'dropped'
    try {
      await this.#writer.close()
      if (!broken && this.#mine) outcome = this.#writer.size === this.size ? 'complete' : this.#reservation.durable ? 'kept' : 'dropped'
    } catch {
      // What the store cannot even close is not worth keeping.
    }
    try {
      if (outcome === 'complete') this.#state.complete(this.id, this.#clock.now())
      return await this.#settle(outcome)
    } finally {
      this.#resolve()
    }
  }

  /** The reservation is still the one that this upload began with. */
  get #mine (): boolean {
    return this.#state.get(this.id) === this.#reservation
  }
}

/** What an uploader learns when somebody else removes its chunk. */
export function removed (id: Id): StorageError {
  return new StorageError('ERR_REMOVED', 'transfer', `${id} was removed while it was being uploaded`)
}
