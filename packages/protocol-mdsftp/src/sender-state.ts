/**
 * What a sender of content has sent and what of it is acknowledged. Pure.
 *
 *      acknowledged <= sent <= size,  sent - acknowledged <= the window in fragments and in bytes
 *
 * @module
 */
import { FragmentLedger, type Settled } from '@ropewalk/flow'
import { FAST_FRAGMENT_MS, MAX_FRAGMENTS, MAX_SEND_BYTES, MAX_SEND_FRAGMENTS } from './constants.ts'
import { StorageError } from './errors.ts'

export interface SenderOptions {
  /** Bytes to send, at least 1: an empty fragment kills the reference (specification section 4.6). */
  readonly size: number
  /** Content bytes of each fragment but the last. */
  readonly fragmentBytes: number
  /** The same while acknowledgements come fast, and at most a quarter of the window. Default `fragmentBytes`. */
  readonly fastFragmentBytes?: number | undefined
  /** The window that the receiver named, in fragments. 0 is lockstep. */
  readonly window: number
  /** Our own bounds on it. */
  readonly maxFragments?: number | undefined
  readonly maxBytes?: number | undefined
}

export class SenderState {
  readonly size: number
  readonly #fragmentBytes: number
  readonly #fastFragmentBytes: number
  readonly #ledger: FragmentLedger
  #sent = 0
  #acknowledged = 0
  #next: number
  /** Bytes acknowledged since `#pacedAt`. */
  #paced = 0
  #pacedAt: number | undefined
  #fast = false

  constructor ({ size, fragmentBytes, fastFragmentBytes = fragmentBytes, window, maxFragments = MAX_SEND_FRAGMENTS, maxBytes = MAX_SEND_BYTES }: SenderOptions) {
    if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`size ${size}`)
    if (Math.ceil(size / fragmentBytes) > MAX_FRAGMENTS) throw new RangeError(`${Math.ceil(size / fragmentBytes)} > ${MAX_FRAGMENTS} fragments`)
    this.size = size
    this.#fragmentBytes = fragmentBytes
    this.#fastFragmentBytes = Math.max(fragmentBytes, Math.min(fastFragmentBytes, Math.floor(maxBytes / 4)))
    this.#next = Math.min(fragmentBytes, size)
    this.#ledger = new FragmentLedger({ maxFragments: Math.max(1, Math.min(window, maxFragments)), maxBytes })
  }

  get acknowledgedBytes (): number { return this.#acknowledged }
  get sentAll (): boolean { return this.#sent === this.size }
  get acknowledgedAll (): boolean { return this.#acknowledged === this.size }
  get outstandingFragments (): number { return this.#ledger.outstandingFragments }

  /** Content bytes of the fragment that is next; 0 when all are sent. */
  get nextBytes (): number { return this.#next }
  get nextIsLast (): boolean { return this.#sent + this.nextBytes === this.size }
  get mayGo (): boolean { return !this.sentAll && this.#ledger.fits(this.nextBytes) }

  /** The next fragment goes out. Returns its number. */
  send (): number {
    const bytes = this.nextBytes
    const number = this.#ledger.sent(bytes)
    this.#sent += bytes
    this.#next = Math.min(this.#fast ? this.#fastFragmentBytes : this.#fragmentBytes, this.size - this.#sent)
    return number
  }

  /** The peer acknowledged `number`, and with it all before, at `now` (ms). Returns what that settled, nothing for a repeat. */
  acknowledge (number: number, now: number): Settled {
    const settled = this.#ledger.acked(number)
    if (settled === undefined) {
      const { lastAcked, nextNumber } = this.#ledger
      throw new StorageError('ERR_ACK', 'transfer', number < lastAcked
        ? `acknowledgement of fragment ${number} after that of ${lastAcked}`
        : `acknowledgement of fragment ${number}, and only ${nextNumber} were sent`)
    }
    this.#acknowledged += settled.bytes
    this.#pace(settled.bytes, now)
    return settled
  }

  /** Fragments follow the link: a large one must not keep others on the connection waiting. */
  #pace (bytes: number, now: number): void {
    this.#paced += bytes
    if (this.#pacedAt === undefined) this.#paced = 0
    else if (this.#paced < this.#fastFragmentBytes) return
    else this.#fast = (now - this.#pacedAt) * this.#fastFragmentBytes <= FAST_FRAGMENT_MS * this.#paced
    this.#pacedAt = now
    this.#paced = 0
  }
}
