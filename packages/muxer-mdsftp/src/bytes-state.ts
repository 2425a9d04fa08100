/**
 * The bytes view of one channel as a state machine: fragments in and out, credit, half-close. Pure.
 *
 * A fragment is data, an acknowledgement is credit, the last fragment is end-of-data, a close before both sides have
 * sent their last fragment is a reset. Sender and receiver count the same two things, fragments and bytes
 * unacknowledged; acknowledgements are cumulative and follow what the consumer took.
 *
 * @module
 */
import { AckBatcher, FragmentLedger } from '@ropewalk/flow'
import { SHARED_WINDOW_BYTES } from './constants.ts'
import { MdsftpError } from './errors.ts'

export interface Window {
  /** Fragments that may be unacknowledged. */
  readonly maxFragments: number
  /** Content bytes that may be unacknowledged. */
  readonly maxBytes: number
}

export class BytesState {
  readonly #window: Window
  // Made when first needed: an idle channel is small.
  #ledger: FragmentLedger | undefined
  #acks: AckBatcher | undefined
  #nextIn = 0
  #sentLast = false
  #receivedLast = false

  constructor (window: Window) {
    this.#window = window
  }

  get sentLast (): boolean { return this.#sentLast }
  get receivedLast (): boolean { return this.#receivedLast }
  /** Both directions have ended: a close is due, and not a reset. */
  get complete (): boolean { return this.#sentLast && this.#receivedLast }

  /** Content bytes that the next fragment may carry now; where the channel is not `alone`, less of the window is used. */
  room (alone: boolean): number {
    if (this.#sentLast) return 0
    const { maxBytes } = this.#window
    // Half of the window, or the peer could wait for a quarter of it that never comes.
    const unused = alone ? 0 : Math.max(0, maxBytes - Math.max(SHARED_WINDOW_BYTES, Math.ceil(maxBytes / 2)))
    return Math.max(0, (this.#ledger?.room() ?? maxBytes) - unused)
  }

  /** True when a fragment without content (a bare end-of-data) may go. */
  get mayEnd (): boolean {
    return !this.#sentLast && (this.#ledger === undefined || this.#ledger.outstandingFragments < this.#window.maxFragments)
  }

  /** A fragment goes out. Returns its number. */
  send (bytes: number, last: boolean): number {
    this.#ledger ??= new FragmentLedger(this.#window)
    if (last) this.#sentLast = true
    return this.#ledger.sent(bytes) >>> 0
  }

  /** The peer acknowledged up to `number`. True when there is more room than before. */
  acknowledged (number: number): boolean {
    // Numbers on the wire are 32 bits and wrap on a channel that lives long; the ledger counts on.
    const before = this.#ledger?.lastAcked ?? -1
    const absolute = before + ((number - before) | 0)
    const freed = absolute < 0 ? undefined : this.#ledger?.acked(absolute)
    if (freed === undefined) throw new MdsftpError('ERR_ACK', 'channel', `acknowledgement of fragment ${number}, which is not under way`)
    return freed.fragments > 0
  }

  /** A fragment begins. */
  fragment (number: number, bytes: number, last: boolean): void {
    if (this.#receivedLast) throw new MdsftpError('ERR_UNEXPECTED_PACKET', 'channel', `fragment ${number} after the last one`)
    if (number !== this.#nextIn) throw new MdsftpError('ERR_FRAGMENT_ORDER', 'channel', `fragment ${number} instead of ${this.#nextIn}`)
    this.#acks ??= new AckBatcher(this.#window)
    if (bytes > this.#window.maxBytes || !this.#acks.received(bytes)) {
      throw new MdsftpError('ERR_WINDOW', 'channel', `fragment ${number} of ${bytes} bytes exceeds the window of ${this.#window.maxBytes} bytes and ${this.#window.maxFragments} fragments`)
    }
    this.#nextIn = (number + 1) >>> 0
    this.#receivedLast = last
  }

  /** The consumer took `bytes`. Returns the fragment to acknowledge now, if it is time. */
  consumed (bytes: number): number | undefined {
    const due = this.#acks?.consumed(bytes)
    return due ?? (this.#receivedLast ? this.#acks?.flush() : undefined)
  }
}
