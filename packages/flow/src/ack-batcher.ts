/**
 * Acknowledgement batcher: the receiving end of a `FragmentLedger`. Pure: no I/O, no clock, no promises.
 *
 * Fragments are numbered 0, 1, 2, ... in the order of `received`. A fragment is acknowledged once its last byte has been
 * consumed, and a quarter of either bound at a time. A `FragmentLedger` with the same bounds is never refused. It is never
 * stalled either, if it cuts its fragments to `room()`; a peer with smaller bounds of its own, or with fragments it cannot
 * cut, may wait for an acknowledgement that batching holds back: call `flush()` when there is nothing left to consume.
 *
 * @module
 */
import { DEFAULT_GRANT_FRACTION } from './constants.ts'
import type { FragmentLimits } from './fragment-ledger.ts'
import { Ring } from './ring.ts'
import { assertBound, assertUnits } from './units.ts'

export class AckBatcher {
  readonly #maxFragments: number
  readonly #maxBytes: number
  /** For each fragment that is not fully consumed: bytes received up to its end. */
  readonly #ends: Ring<number> = new Ring()
  #receivedBytes = 0
  #consumedBytes = 0
  /** Fragments fully consumed. */
  #finished = 0
  #finishedBytes = 0
  #acknowledged = 0
  #acknowledgedBytes = 0

  constructor (limits: FragmentLimits) {
    assertBound('maxFragments', limits.maxFragments)
    assertBound('maxBytes', limits.maxBytes)
    this.#maxFragments = limits.maxFragments
    this.#maxBytes = limits.maxBytes
  }

  /** Bytes received and not consumed. */
  get held (): number {
    return this.#receivedBytes - this.#consumedBytes
  }

  /** Fragments received and not acknowledged. */
  get outstandingFragments (): number {
    return this.#finished + this.#ends.length - this.#acknowledged
  }

  /** Bytes received and not acknowledged. */
  get outstandingBytes (): number {
    return this.#receivedBytes - this.#acknowledgedBytes
  }

  /**
   * The next fragment arrived, with `bytes`. False if the peer was not allowed to send it: keep nothing, close the channel.
   * With nothing outstanding any size is allowed; how large a single fragment may be is for the codec to say.
   * After an empty fragment call `consumed(0)`: there is no byte whose consumption would acknowledge it.
   */
  received (bytes: number): boolean {
    assertUnits('bytes', bytes)
    const outstanding = this.outstandingFragments
    if (outstanding >= this.#maxFragments) return false
    if (outstanding > 0 && bytes > this.#maxBytes - this.outstandingBytes) return false
    this.#receivedBytes += bytes
    this.#ends.push(this.#receivedBytes)
    return true
  }

  /** The application took `bytes`. Returns the number to acknowledge now, which covers every earlier one, or `undefined`. */
  consumed (bytes: number): number | undefined {
    assertUnits('bytes', bytes)
    if (bytes > this.held) throw new RangeError(`consumed more than is held: ${bytes} > ${this.held} bytes`)
    this.#consumedBytes += bytes
    this.#finish()

    const fragmentsDue = this.#finished - this.#acknowledged >= this.#maxFragments * DEFAULT_GRANT_FRACTION
    const bytesDue = this.#finishedBytes - this.#acknowledgedBytes >= this.#maxBytes * DEFAULT_GRANT_FRACTION
    return fragmentsDue || bytesDue ? this.flush() : undefined
  }

  /** The last fully consumed number if it is not acknowledged yet: at the end, or when there is nothing left to consume. */
  flush (): number | undefined {
    if (this.#finished === this.#acknowledged) return undefined
    this.#acknowledged = this.#finished
    this.#acknowledgedBytes = this.#finishedBytes
    return this.#finished - 1
  }

  #finish (): void {
    for (let end = this.#ends.at(0); end !== undefined && end <= this.#consumedBytes; end = this.#ends.at(0)) {
      this.#finishedBytes = end
      this.#finished++
      this.#ends.discard(1)
    }
  }
}
