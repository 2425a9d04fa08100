/**
 * One stream as a state machine: flags that are due, windows, half-close. Pure.
 *
 * @module
 */
import { ReceiveWindow, SendCredit } from '@ropewalk/flow'
import { Flag, INITIAL_WINDOW_BYTES, MAX_CREDIT_BYTES } from './constants.ts'
import { YamuxError } from './errors.ts'

export class StreamState {
  readonly #id: number
  readonly #windowBytes: number
  // Made when first needed: an idle stream is small.
  #credit: SendCredit | undefined
  #window: ReceiveWindow | undefined
  #due: number
  #grant = 0
  #introduced = false
  #sentEnd = false
  #receivedEnd = false

  /** `windowBytes` is what we let the peer send ahead, at least the initial window. Our own streams have to announce themselves. */
  constructor (id: number, ours: boolean, windowBytes: number) {
    this.#id = id
    this.#windowBytes = windowBytes
    this.#due = ours ? Flag.SYN : 0
    if (ours) this.#widen()
  }

  get sentEnd (): boolean { return this.#sentEnd }
  get receivedEnd (): boolean { return this.#receivedEnd }
  /** Both directions have ended: the stream is over, and not broken. */
  get complete (): boolean { return this.#sentEnd && this.#receivedEnd }
  /** The peer has heard of this stream. False only for a stream of ours whose first frame was not written yet. */
  get introduced (): boolean { return this.#introduced || (this.#due & Flag.SYN) === 0 }
  /** There is something to say that data does not say by itself: flags, or credit. */
  get speaks (): boolean { return this.#due !== 0 || this.#grant > 0 }
  /** Credit waits to be granted. */
  get grants (): boolean { return this.#grant > 0 }

  /** Content bytes that may be sent now. */
  get room (): number {
    if (this.#sentEnd) return 0
    return this.#credit === undefined ? INITIAL_WINDOW_BYTES : this.#credit.available
  }

  /** A stream of the peer was accepted: say so with the next frame. */
  accept (): void {
    this.#due |= Flag.ACK
    this.#widen()
  }

  /** The flags of a frame that is written now. */
  takeFlags (): number {
    const flags = this.#due
    this.#due = 0
    this.#introduced = true
    return flags
  }

  /** The credit of a window update that is written now. */
  takeGrant (): number {
    const grant = this.#grant
    this.#grant = 0
    return grant
  }

  /** `bytes` of content go out. */
  send (bytes: number): void {
    this.#credit ??= new SendCredit(INITIAL_WINDOW_BYTES, { maxUnits: MAX_CREDIT_BYTES })
    this.#credit.spend(bytes)
  }

  /** The end goes out. */
  end (): void {
    this.#sentEnd = true
  }

  /** The peer grants `bytes` more. */
  granted (bytes: number): void {
    if (bytes === 0) return
    this.#credit ??= new SendCredit(INITIAL_WINDOW_BYTES, { maxUnits: MAX_CREDIT_BYTES })
    if (!this.#credit.grant(bytes)) {
      throw new YamuxError('ERR_WINDOW_OVERFLOW', 'connection', `stream ${this.#id}: credit of ${this.#credit.available} and ${bytes} > ${MAX_CREDIT_BYTES} bytes`)
    }
  }

  /** A data frame of `bytes` begins. */
  received (bytes: number): void {
    if (this.#receivedEnd) throw new YamuxError('ERR_DATA_AFTER_END', 'connection', `stream ${this.#id}: ${bytes} bytes behind its end`)
    this.#window ??= new ReceiveWindow(INITIAL_WINDOW_BYTES)
    if (!this.#window.receive(bytes)) throw new YamuxError('ERR_WINDOW', 'connection', `stream ${this.#id}: ${bytes} > ${this.#window.available} bytes of window`)
  }

  /** The peer says that it has ended, with or behind the last frame. */
  receivedFin (): void {
    this.#receivedEnd = true
  }

  /** The consumer took `bytes`. True when it is time to grant. */
  consumed (bytes: number): boolean {
    const grant = this.#window?.consume(bytes) ?? 0
    if (this.#receivedEnd) return false
    this.#grant += grant
    return this.#grant > 0
  }

  #widen (): void {
    if (this.#windowBytes === INITIAL_WINDOW_BYTES) return
    this.#window ??= new ReceiveWindow(INITIAL_WINDOW_BYTES)
    this.#grant += this.#window.resize(this.#windowBytes)
  }
}
