/**
 * One stream as a `Channel`, whose credit follows its consumer.
 *
 * @module
 */
import type { AbortOptions, Bytes, Channel, ReceiveOptions, Source } from '@ropewalk/interface'
import { Inlet, Outlet, type InletTarget, type Member, type Outgoing, type OutletTarget } from '@ropewalk/mux'
import type { Uint8ArrayList } from 'uint8arraylist'
import { writeHeader } from './codec.ts'
import { Flag, FRAME_BYTES, FrameType, HEADER_BYTES } from './constants.ts'
import { YamuxError } from './errors.ts'
import type { Link } from './link.ts'
import { StreamState } from './stream-state.ts'

export class YamuxChannel implements Channel, Member, InletTarget, OutletTarget {
  readonly id: number
  controlQueued = false
  readyQueued = false
  readonly #link: Link
  readonly #state: StreamState
  // Made when first needed: an idle channel is small.
  #inlet: Inlet | undefined
  #outlet: Outlet | undefined
  #arrived = false
  #closed = false
  #error: Error | undefined

  constructor (id: number, link: Link, ours: boolean, windowBytes: number) {
    this.id = id
    this.#link = link
    this.#state = new StreamState(id, ours, windowBytes)
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return this.#in()
  }

  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    return this.#out().sink(source, options)
  }

  /**
   * Instead of `source`: hands the bytes over as they arrive, without a copy and without waiting. What `take` gets is lent until
   * it returns, and credited then. Resolves at the end of the data, or after `most` bytes; what `take` throws resets the channel.
   */
  receive (take: (bytes: Uint8Array) => void, options?: ReceiveOptions): Promise<void> {
    return this.#in().receive(take, options)
  }

  abort (reason: Error): void {
    if (this.#error !== undefined || (this.#closed && this.#readerIsDone)) return
    const open = !this.#closed
    this.#fail(reason, true)
    if (open) this.#link.breakOff(this, this.#state.introduced)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    this.abort(new YamuxError('ERR_CLOSED', 'channel', 'the channel was disposed of', { remote: false }))
    return Promise.resolve()
  }

  // What the two halves call.

  ready (): void {
    this.#link.ready(this)
  }

  taken (bytes: number): void {
    this.#link.buffer(-bytes)
    if (!this.#closed && this.#state.consumed(bytes)) this.#link.control(this)
  }

  /** The wire cannot say "no more, please": who leaves before the end resets the channel, or the sender would wait for ever. */
  left (error?: Error): void {
    this.abort(error ?? new YamuxError('ERR_UNREAD', 'channel', 'the reader stopped before the end of the data', { remote: false }))
  }

  // What the link calls.

  /** Somebody took the channel of the peer. */
  accept (): void {
    if (this.#closed) return
    this.#state.accept()
    this.#link.control(this)
  }

  /** A data frame begins; its content follows. */
  data (bytes: number, last: boolean): void {
    if (bytes > 0) this.#state.received(bytes)
    if (last) this.ended(bytes > 0)
  }

  /** A piece of its content. */
  content (bytes: Uint8Array, complete: boolean, lent: boolean): void {
    if (this.#error !== undefined || this.#closed) return
    this.#link.buffer(bytes.length)
    if (this.#in().push(bytes, lent)) this.#link.kept(bytes.length)
    if (complete && this.#state.receivedEnd) this.#arrive()
  }

  /** The peer has ended its direction; when `awaited`, behind the content that is still to come. */
  ended (awaited: boolean): void {
    this.#state.receivedFin()
    if (!awaited) this.#arrive()
  }

  granted (bytes: number): void {
    this.#state.granted(bytes)
    if (this.#outlet !== undefined) this.#link.ready(this)
  }

  /** The channel is over because of `error`; nothing is written for it any more. */
  failed (error: Error): void {
    this.#fail(error, false)
  }

  writeControls (out: Outgoing): void {
    if (this.#closed || !this.#state.speaks) return
    // Flags ride on data, if data goes at once.
    if (!this.#state.grants && this.readyQueued && this.#state.room > 0 && (this.#outlet?.waiting ?? 0) > 0) return
    this.#write(out, FrameType.WindowUpdate, 0, this.#state.takeGrant())
  }

  writeFrame (out: Outgoing): boolean {
    const outlet = this.#outlet
    if (outlet === undefined || this.#closed || this.#state.sentEnd) return false
    if (outlet.waiting === 0) {
      if (outlet.exhausted) this.#writeEnd(out, outlet)
      return false
    }
    const bytes = Math.min(outlet.waiting, this.#state.room, FRAME_BYTES)
    if (bytes === 0) return false
    this.#state.send(bytes)
    this.#write(out, FrameType.Data, 0, bytes)
    out.content(outlet.cut(bytes))
    return outlet.refill()
  }

  /** Never on a data frame: two implementations lose the data then (`WIRE.md`). */
  #writeEnd (out: Outgoing, outlet: Outlet): void {
    this.#state.end()
    this.#write(out, FrameType.WindowUpdate, Flag.FIN, this.#state.takeGrant())
    outlet.finish()
    if (this.#arrived) this.#finish()
  }

  #write (out: Outgoing, type: number, flags: number, length: number): void {
    const at = out.reserve(HEADER_BYTES)
    writeHeader(out.slab, at, type, flags | this.#state.takeFlags(), this.id, length)
  }

  #in (): Inlet {
    if (this.#inlet !== undefined) return this.#inlet
    const inlet = this.#inlet = new Inlet(this)
    if (this.#arrived) inlet.end()
    if (this.#error !== undefined) inlet.fail(this.#error, true)
    return inlet
  }

  #out (): Outlet {
    if (this.#outlet !== undefined) return this.#outlet
    const outlet = this.#outlet = new Outlet(this)
    if (this.#error !== undefined) outlet.fail(this.#error)
    return outlet
  }

  get #readerIsDone (): boolean {
    return this.#arrived && (this.#inlet === undefined || this.#inlet.done)
  }

  #arrive (): void {
    if (this.#arrived) return
    this.#arrived = true
    this.#inlet?.end()
    if (this.#state.sentEnd) this.#finish()
  }

  /** Both directions have ended. */
  #finish (): void {
    this.#closed = true
    this.#link.forget(this)
  }

  #fail (error: Error, drop: boolean): void {
    if (this.#error !== undefined) return
    this.#closed = true
    this.#error = error
    this.#inlet?.fail(error, drop)
    this.#outlet?.fail(error)
  }
}
