/**
 * The bytes view of a channel: a `Channel` whose credit follows its consumer.
 *
 * @module
 */
import { readU32BE, writeU32BE } from '@ropewalk/framing'
import type { AbortOptions, Bytes, Channel, ReceiveOptions, Source } from '@ropewalk/interface'
import { Inlet, Outlet, type InletTarget, type Outgoing, type OutletTarget } from '@ropewalk/mux'
import type { Uint8ArrayList } from 'uint8arraylist'
import { BytesState, type Window } from './bytes-state.ts'
import { FRAGMENT_BYTES, HEADER_BYTES, Kind, WRITE_BUFFER_BYTES } from './constants.ts'
import { MdsftpError } from './errors.ts'
import { writeFragment } from './fragment-writer.ts'
import type { Endpoint, Link } from './link.ts'
import type { ChannelObserver } from './observer.ts'
import { writeHeader } from './packet-codec.ts'

/** A fragment smaller than this waits for more credit, if only credit makes it so small. Ours. */
const WORTHWHILE_BYTES = 16_384

const ACK_BYTES = 4

const NOTHING: Uint8Array[] = []

export class BytesChannel implements Channel, Endpoint, InletTarget, OutletTarget {
  readonly id: number
  controlQueued = false
  readyQueued = false
  readonly #link: Link<BytesChannel>
  readonly #state: BytesState
  // Made when first needed: an idle channel is small.
  #inlet: Inlet | undefined
  #outlet: Outlet | undefined
  #observer: ChannelObserver | undefined
  #acknowledge: number | undefined
  #dataArrived = false
  #closed = false
  #error: Error | undefined

  constructor (id: number, link: Link<BytesChannel>, window: Window) {
    this.id = id
    this.#link = link
    this.#state = new BytesState(window)
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return this.#in()
  }

  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    return this.#out().sink(source, options)
  }

  /**
   * Instead of `source`: hands the bytes over as they arrive, without a copy and without waiting. What `take` gets is lent until
   * it returns, and credited then, so `take` must be done with it. Resolves at the end of the data, or after `most` bytes; what `take` throws resets the channel.
   */
  receive (take: (bytes: Uint8Array) => void, options?: ReceiveOptions): Promise<void> {
    return this.#in().receive(take, options)
  }

  abort (reason: Error): void {
    if (this.#error !== undefined || (this.#closed && this.#readerIsDone)) return
    const open = !this.#closed
    this.#fail(reason, true)
    if (open) this.#link.closeChannel(this, true)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    this.abort(new MdsftpError('ERR_CLOSED', 'channel', 'the channel was disposed of', { remote: false }))
    return Promise.resolve()
  }

  // Instead of `source` and `sink`, without promises: for adapters.

  /** Hands the channel over to `observer`, which is told at once of what has happened already. Call it once. */
  observe (observer: ChannelObserver): void {
    if (this.#observer !== undefined || this.#outlet !== undefined) throw new TypeError('a channel has one user')
    this.#observer = observer
    this.#out().adopt()
    if (this.unread > 0) observer.readable()
    if (this.#dataArrived) observer.ended()
    if (this.#error !== undefined) observer.failed(this.#error)
  }

  /** Bytes that wait to be read. */
  get unread (): number {
    return this.#inlet?.bytes ?? 0
  }

  /** Takes all that waits; taking is what credits the peer. */
  read (): Uint8ArrayList | undefined {
    return this.#inlet?.take()
  }

  /** Bytes that wait to be written. Who writes bounds them, and hears `writable`. */
  get waiting (): number {
    return this.#outlet?.waiting ?? 0
  }

  /** Content bytes that the peer's window has room for now. */
  get sendRoom (): number {
    return this.#state.room(this.#link.alone)
  }

  /** Puts `bytes` behind what waits, in fragments of its own. False when that is enough for now. */
  write (bytes: Bytes): boolean {
    if (this.#closed) return false
    this.#out().take(bytes)
    return this.waiting < WRITE_BUFFER_BYTES
  }

  /** Ends our direction behind what waits. */
  end (): void {
    this.#out().ended()
  }

  // What the two halves call.

  ready (): void {
    this.#link.ready(this)
  }

  taken (bytes: number): void {
    this.#link.buffer(-bytes)
    this.#credit(bytes)
  }

  /** The wire cannot say "no more, please": who leaves before the end resets the channel, or the sender would wait for ever. */
  left (error?: Error): void {
    this.abort(error ?? new MdsftpError('ERR_UNREAD', 'channel', 'the reader stopped before the end of the data', { remote: false }))
  }

  // What the link calls.

  get worthTaking (): boolean {
    return false
  }

  get useful (): boolean {
    return this.#state.sentLast && this.#dataArrived
  }

  fragment (last: boolean, number: number, contentBytes: number): void {
    this.#guard(() => {
      this.#state.fragment(number, contentBytes, last)
      if (contentBytes === 0) {
        this.#credit(0)
        this.#arrived()
      }
    })
  }

  content (bytes: Uint8Array, complete: boolean, lent: boolean): void {
    if (this.#error !== undefined || this.#closed) return
    this.#link.buffer(bytes.length)
    if (this.#in().push(bytes, lent)) this.#link.kept(bytes.length)
    if (complete && this.#state.receivedLast) this.#arrived(true)
    else if (this.#observer !== undefined && this.unread > 0) this.#observer.readable()
  }

  packet (kind: number, payload: Uint8Array): void {
    this.#guard(() => {
      if (kind !== Kind.RecvAck) throw new MdsftpError('ERR_UNEXPECTED_PACKET', 'channel', `packet 0x${kind.toString(16)} in the bytes view of channel ${this.id}`)
      if (this.#state.acknowledged(readU32BE(payload, 0))) this.#link.ready(this)
    })
  }

  closedByPeer (): void {
    this.#closed = true
    if (this.useful) return
    this.#fail(new MdsftpError('ERR_CHANNEL_RESET', 'channel', `the peer closed channel ${this.id} before its end`), false)
  }

  failed (error: Error): void {
    this.#closed = true
    this.#fail(error, false)
  }

  writeControls (out: Outgoing): void {
    const number = this.#acknowledge
    this.#acknowledge = undefined
    if (number === undefined || this.#closed) return
    const at = out.reserve(HEADER_BYTES + ACK_BYTES)
    writeHeader(out.slab, at, Kind.RecvAck, this.id, ACK_BYTES)
    writeU32BE(out.slab, at + HEADER_BYTES, number)
  }

  writeFrame (out: Outgoing): boolean {
    const outlet = this.#outlet
    if (outlet === undefined || this.#closed || this.#error !== undefined || this.#state.sentLast) return false
    const { waiting } = outlet
    if (waiting === 0) return outlet.exhausted && this.#state.mayEnd && this.#writeFragment(out, outlet, 0, true)

    const room = this.#state.room(this.#link.alone)
    if (room === 0 || (room < waiting && room < WORTHWHILE_BYTES)) return false
    // An adapter's writes stay apart, as messages do where they come from; a source's are gathered.
    const bytes = Math.min(this.#observer === undefined ? waiting : outlet.next, room, FRAGMENT_BYTES)
    return this.#writeFragment(out, outlet, bytes, outlet.exhausted && bytes === waiting)
  }

  // Private parts.

  #in (): Inlet {
    if (this.#inlet !== undefined) return this.#inlet
    const inlet = this.#inlet = new Inlet(this)
    if (this.#dataArrived) inlet.end()
    if (this.#error !== undefined) inlet.fail(this.#error, true)
    return inlet
  }

  #out (): Outlet {
    if (this.#outlet !== undefined) return this.#outlet
    const outlet = this.#outlet = new Outlet(this)
    const error = this.#error ?? (this.#closed ? new MdsftpError('ERR_CLOSED', 'channel', 'the channel is closed', { remote: false }) : undefined)
    if (error !== undefined) outlet.fail(error)
    return outlet
  }

  #writeFragment (out: Outgoing, outlet: Outlet, bytes: number, last: boolean): boolean {
    const number = this.#state.send(bytes, last)
    writeFragment(out, this.id, last, number, bytes === 0 ? NOTHING : outlet.cut(bytes), bytes)
    if (last) {
      outlet.finish()
      if (this.#dataArrived) this.#finish(out)
      this.#observer?.finished()
      return false
    }
    if (outlet.roomy) this.#observer?.writable()
    return outlet.refill()
  }

  get #readerIsDone (): boolean {
    return this.#dataArrived && (this.#inlet === undefined || this.#inlet.done)
  }

  #credit (bytes: number): void {
    const number = this.#state.consumed(bytes)
    if (number === undefined || this.#closed) return
    this.#acknowledge = number
    this.#link.acknowledge(this)
  }

  #arrived (readable = false): void {
    this.#dataArrived = true
    this.#inlet?.end()
    if (readable && this.unread > 0) this.#observer?.readable()
    this.#observer?.ended()
    if (this.#state.sentLast) this.#finish()
  }

  /** Both directions have ended. */
  #finish (out?: Outgoing): void {
    if (this.#closed) return
    if (out === undefined) this.#link.closeChannel(this, false)
    else this.#link.closeInBatch(this, out)
    this.#closed = true
  }

  #fail (error: Error, drop: boolean): void {
    if (this.#error !== undefined) return
    this.#closed = true
    this.#error = error
    this.#inlet?.fail(error, drop)
    if (!this.#state.sentLast) this.#outlet?.fail(error)
    this.#observer?.failed(error)
  }

  /** Runs what a packet of the peer sets off; a breach ends the channel or the connection. */
  #guard (step: () => void): void {
    if (this.#closed) return
    try {
      step()
    } catch (error) {
      if (!(error instanceof MdsftpError) || error.scope === 'connection') this.#link.fail(error as Error)
      else this.abort(error)
    }
  }
}
