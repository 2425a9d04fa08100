/**
 * Fragment ledger: what a sender has under way where the receiver acknowledges fragments by number, cumulatively (MDSFTP).
 * Pure: no I/O, no clock, no promises.
 *
 * Both are bounded, because a count alone punishes small fragments and bytes alone let a peer be flooded with tiny ones:
 *
 *      outstanding fragments <= maxFragments
 *      outstanding bytes <= maxBytes, unless one fragment, sent with nothing else outstanding, is larger by itself
 *
 * @module
 */
import { Ring } from './ring.ts'
import { assertBound, assertUnits } from './units.ts'

export interface FragmentLimits {
  /** Most fragments unacknowledged. */
  maxFragments: number
  /** Most bytes unacknowledged. */
  maxBytes: number
}

/** What one acknowledgement settled. */
export interface Settled {
  readonly fragments: number
  readonly bytes: number
}

const NOTHING: Settled = Object.freeze({ fragments: 0, bytes: 0 })

export class FragmentLedger {
  readonly #maxFragments: number
  readonly #maxBytes: number
  /** For each outstanding fragment: bytes sent up to its end. Totals instead of sizes make an acknowledgement one subtraction. */
  readonly #ends: Ring<number> = new Ring()
  #acknowledged = 0
  #sentBytes = 0
  #settledBytes = 0

  constructor (limits: FragmentLimits) {
    assertBound('maxFragments', limits.maxFragments)
    assertBound('maxBytes', limits.maxBytes)
    this.#maxFragments = limits.maxFragments
    this.#maxBytes = limits.maxBytes
  }

  /** Fragments sent and not acknowledged. */
  get outstandingFragments (): number {
    return this.#ends.length
  }

  /** Bytes sent and not acknowledged. */
  get outstandingBytes (): number {
    return this.#sentBytes - this.#settledBytes
  }

  /** The number that the next fragment gets. They count from 0. */
  get nextNumber (): number {
    return this.#acknowledged + this.#ends.length
  }

  /** The number last acknowledged, -1 before the first. */
  get lastAcked (): number {
    return this.#acknowledged - 1
  }

  /** Bytes that may go into the next fragment now, for a sender that can cut anywhere. 0: wait for an acknowledgement. */
  room (): number {
    if (this.#ends.length >= this.#maxFragments) return 0
    return Math.max(0, this.#maxBytes - this.outstandingBytes)
  }

  /** Whether a fragment of `bytes` may go now, for a sender that cannot cut. With nothing outstanding any size may. */
  fits (bytes: number): boolean {
    assertUnits('bytes', bytes)
    if (this.#ends.length === 0) return true
    return this.#ends.length < this.#maxFragments && bytes <= this.#maxBytes - this.outstandingBytes
  }

  /** A fragment of `bytes` is sent. Returns its number. To send what does not fit is the caller's mistake: RangeError. */
  sent (bytes: number): number {
    if (!this.fits(bytes)) throw new RangeError(`fragment does not fit: ${bytes} > ${this.room()} bytes, ${this.#ends.length} of ${this.#maxFragments} fragments outstanding`)
    const number = this.nextNumber
    this.#sentBytes += bytes
    this.#ends.push(this.#sentBytes)
    return number
  }

  /**
   * The peer acknowledged every fragment up to `number`. Returns what that settled; nothing for a repeat of the last one.
   * `undefined`: the peer is at fault, and nothing changes. `number > lastAcked` then says that it was never sent,
   * `number < lastAcked` that the peer went backwards.
   */
  acked (number: number): Settled | undefined {
    assertUnits('number', number)
    if (number === this.lastAcked) return NOTHING
    const fragments = number - this.lastAcked
    const end = fragments > 0 ? this.#ends.at(fragments - 1) : undefined
    if (end === undefined) return undefined

    const bytes = end - this.#settledBytes
    this.#ends.discard(fragments)
    this.#acknowledged += fragments
    this.#settledBytes = end
    return { fragments, bytes }
  }
}
