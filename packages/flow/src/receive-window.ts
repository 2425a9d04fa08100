/**
 * Receive window: what the peer may still send us. Pure: no I/O, no clock, no promises.
 *
 * The unit is yours: bytes in yamux, frames elsewhere. At every moment
 *
 *      available (peer may send) + held (sent, unread) + ungranted (read, not yet told) = size
 *
 * @module
 */
import { DEFAULT_GRANT_FRACTION } from './constants.ts'
import { assertBound, assertUnits } from './units.ts'

export interface ReceiveWindowOptions {
  /** Share of the window that must have been read before it is granted back: more than 0, at most 1. Default 0.25. */
  grantFraction?: number | undefined
}

export class ReceiveWindow {
  readonly #fraction: number
  #size: number
  #held = 0
  #ungranted = 0

  /** The peer begins with a credit of `size` units. */
  constructor (size: number, options: ReceiveWindowOptions = {}) {
    assertBound('size', size)
    this.#size = size
    this.#fraction = options.grantFraction ?? DEFAULT_GRANT_FRACTION
    if (!(this.#fraction > 0 && this.#fraction <= 1)) throw new RangeError(`grantFraction must be over 0 and at most 1: ${this.#fraction}`)
  }

  get size (): number {
    return this.#size
  }

  /** Units the peer believes it may still send. */
  get available (): number {
    return this.#size - this.#held - this.#ungranted
  }

  /** Units that the peer sent and nobody has read yet. */
  get held (): number {
    return this.#held
  }

  /** The peer sent `units`. False if it was not allowed to: keep nothing, reset the channel. */
  receive (units: number): boolean {
    assertUnits('units', units)
    if (units > this.available) return false
    this.#held += units
    return true
  }

  /**
   * The application read `units`. Returns what to grant the peer now: 0 until a share of the window is worth a packet.
   * With nothing held there is always something available, so batching never stalls the peer.
   */
  consume (units: number): number {
    assertUnits('units', units)
    if (units > this.#held) throw new RangeError(`consumed more than is held: ${units} > ${this.#held} units`)
    this.#held -= units
    this.#ungranted += units
    return this.#ungranted < this.#size * this.#fraction ? 0 : this.#grant()
  }

  /** Grows the window. Returns what to grant now: the growth, and what was read but not yet granted. */
  resize (size: number): number {
    assertBound('size', size)
    if (size < this.#size) throw new RangeError(`a window cannot shrink: ${size} < ${this.#size} units`)
    this.#ungranted += size - this.#size
    this.#size = size
    return this.#grant()
  }

  #grant (): number {
    const grant = this.#ungranted
    this.#ungranted = 0
    return grant
  }
}
