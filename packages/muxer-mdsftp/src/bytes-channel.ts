/**
 * The bytes view of a channel: a `Channel` whose credit follows its consumer.
 *
 * @module
 */
import { readU32BE } from '@ropewalk/framing'
import type { AbortOptions, Bytes, Channel, Source } from '@ropewalk/interface'
import { Feeder, Inbox, Outbox, type Outgoing } from '@ropewalk/mux'
import type { Uint8ArrayList } from 'uint8arraylist'
import { BytesState, type Window } from './bytes-state.ts'
import { encodePacket } from './packet-codec.ts'
import { FRAGMENT_BYTES, Kind, SEND_BUFFER_BYTES, SEND_BUFFER_PIECES } from './constants.ts'
import { MdsftpError } from './errors.ts'
import { writeFragment } from './fragment-writer.ts'
import type { Endpoint, Link } from './link.ts'
import type { ChannelObserver } from './observer.ts'

/** A fragment smaller than this waits for more credit, if only credit makes it so small. Ours. */
const WORTHWHILE_BYTES = 16_384

const DONE: IteratorResult<Uint8ArrayList> = Object.freeze({ done: true, value: undefined })

interface Reader { resolve: (result: IteratorResult<Uint8ArrayList>) => void, reject: (error: Error) => void }
interface Sender { feeder: Feeder, resolve: () => void, reject: (error: Error) => void }

export class BytesChannel implements Channel, Endpoint {
  readonly id: number
  controlQueued = false
  readyQueued = false
  readonly #link: Link<BytesChannel>
  readonly #state: BytesState
  // Everything below is made when first needed: an idle channel is small.
  #inbox: Inbox | undefined
  #outbox: Outbox | undefined
  #source: AsyncIterable<Uint8ArrayList> | undefined
  #reader: Reader | undefined
  #sender: Sender | undefined
  #observer: ChannelObserver | undefined
  #acknowledge: number | undefined
  #dataArrived = false
  #ending = false
  #closed = false
  #error: Error | undefined

  constructor (id: number, link: Link<BytesChannel>, window: Window) {
    this.id = id
    this.#link = link
    this.#state = new BytesState(window)
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return this.#source ??= {
      [Symbol.asyncIterator]: () => ({
        next: () => this.#read(),
        return: () => {
          this.#stopReading()
          return Promise.resolve(DONE)
        }
      })
    }
  }

  sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    if (this.#sender !== undefined || this.#ending || this.#observer !== undefined) return Promise.reject(new TypeError('a channel has one sink'))
    if (signal?.aborted === true) this.abort(asError(signal.reason))
    const sent = new Promise<void>((resolve, reject) => {
      const feeder = new Feeder(source, {
        take: bytes => this.#take(bytes),
        exhausted: () => {
          this.#ending = true
          this.#link.ready(this)
        },
        broken: error => this.abort(error)
      })
      this.#sender = { feeder, resolve, reject }
      if (this.#error !== undefined || this.#closed) this.#stopSending(this.#error ?? new MdsftpError('ERR_CLOSED', 'channel', 'the channel is closed', { remote: false }))
      else feeder.pull()
    })
    if (signal === undefined) return sent
    const abort = (): void => this.abort(asError(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    return sent.finally(() => signal.removeEventListener('abort', abort))
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
    if (this.#observer !== undefined || this.#sender !== undefined || this.#reader !== undefined) throw new TypeError('a channel has one user')
    this.#observer = observer
    if (this.unread > 0) observer.readable()
    if (this.#dataArrived) observer.ended()
    if (this.#error !== undefined) observer.failed(this.#error)
  }

  /** Bytes that wait to be read. */
  get unread (): number {
    return this.#inbox?.bytes ?? 0
  }

  /** Takes all that waits; taking is what credits the peer. */
  read (): Uint8ArrayList | undefined {
    const inbox = this.#inbox
    return inbox === undefined || inbox.bytes === 0 ? undefined : this.#takeInbox(inbox)
  }

  /** Bytes that wait to be written. Who writes bounds them, and hears `writable`. */
  get waiting (): number {
    return this.#outbox?.bytes ?? 0
  }

  /** Puts `bytes` behind what waits. False when that is more than `sink` would let wait. */
  write (bytes: Bytes): boolean {
    return !this.#closed && !this.#ending && this.#take(bytes)
  }

  /** Ends our direction behind what waits. */
  end (): void {
    this.#ending = true
    this.#link.ready(this)
  }

  // What the link calls.

  get worthTaking (): boolean {
    return false
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
    this.#inbox ??= new Inbox()
    this.#inbox.push(bytes, lent)
    this.#link.buffer(bytes.length)
    if (complete && this.#state.receivedLast) this.#arrived()
    else this.#wake()
  }

  packet (kind: number, payload: Uint8Array): void {
    this.#guard(() => {
      if (kind !== Kind.RecvAck) throw new MdsftpError('ERR_UNEXPECTED_PACKET', 'channel', `packet 0x${kind.toString(16)} in the bytes view of channel ${this.id}`)
      if (this.#state.acknowledged(readU32BE(payload, 0))) this.#link.ready(this)
    })
  }

  closedByPeer (): void {
    this.#closed = true
    if (this.#state.sentLast && this.#dataArrived) return
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
    out.packet(encodePacket(this.#link.profile, this.id, { type: 'RecvAck', number }))
  }

  writeFrame (out: Outgoing): boolean {
    if (this.#closed || this.#error !== undefined || this.#state.sentLast) return false
    const waiting = this.#outbox?.bytes ?? 0
    if (waiting === 0) return this.#ending && this.#state.mayEnd && this.#writeFragment(out, 0, true)

    const room = this.#state.room
    if (room === 0 || (room < waiting && room < WORTHWHILE_BYTES)) return false
    const bytes = Math.min(waiting, room, FRAGMENT_BYTES)
    return this.#writeFragment(out, bytes, this.#ending && bytes === waiting)
  }

  // Private parts: sending.

  #take (bytes: Bytes): boolean {
    this.#outbox ??= new Outbox()
    if (bytes instanceof Uint8Array) this.#outbox.push(bytes)
    else for (const piece of bytes) this.#outbox.push(piece)
    if (this.#outbox.bytes > 0) this.#link.ready(this)
    return this.#outbox.bytes < SEND_BUFFER_BYTES && this.#outbox.pieces < SEND_BUFFER_PIECES
  }

  #writeFragment (out: Outgoing, bytes: number, last: boolean): boolean {
    const number = this.#state.send(bytes, last)
    writeFragment(out, this.id, last, number, this.#outbox?.take(bytes) ?? [], bytes)
    if (last) {
      this.#sender?.resolve()
      if (this.#dataArrived) this.#finish(out)
      this.#observer?.finished()
      return false
    }
    if ((this.#outbox?.bytes ?? 0) < SEND_BUFFER_BYTES / 2 && (this.#outbox?.pieces ?? 0) < SEND_BUFFER_PIECES) {
      this.#sender?.feeder.pull()
      this.#observer?.writable()
    }
    // A source that answers at once has refilled the outbox, or ended it, by now.
    return (this.#outbox?.bytes ?? 0) > 0 || this.#ending
  }

  #stopSending (error: Error): void {
    this.#outbox?.clear()
    this.#sender?.feeder.stop()
    this.#sender?.reject(error)
  }

  // Private parts: receiving.

  #read (): Promise<IteratorResult<Uint8ArrayList>> {
    const inbox = this.#inbox
    if (inbox !== undefined && inbox.bytes > 0) return Promise.resolve({ done: false, value: this.#takeInbox(inbox) })
    if (this.#readerIsDone) return Promise.resolve(DONE)
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#reader !== undefined) return Promise.reject(new TypeError('one read at a time'))
    return new Promise((resolve, reject) => { this.#reader = { resolve, reject } })
  }

  #takeInbox (inbox: Inbox): Uint8ArrayList {
    const bytes = inbox.bytes
    const list = inbox.take()
    this.#link.buffer(-bytes)
    this.#credit(bytes)
    return list
  }

  get #readerIsDone (): boolean {
    return this.#dataArrived && (this.#inbox?.bytes ?? 0) === 0
  }

  #credit (bytes: number): void {
    const number = this.#state.consumed(bytes)
    if (number === undefined || this.#closed) return
    this.#acknowledge = number
    this.#link.control(this)
  }

  #arrived (): void {
    this.#dataArrived = true
    this.#wake()
    this.#observer?.ended()
    if (this.#state.sentLast) this.#finish()
  }

  #wake (): void {
    const inbox = this.#inbox
    if (this.#observer !== undefined && inbox !== undefined && inbox.bytes > 0) this.#observer.readable()
    const reader = this.#reader
    if (reader === undefined) return
    if (inbox !== undefined && inbox.bytes > 0) {
      this.#reader = undefined
      reader.resolve({ done: false, value: this.#takeInbox(inbox) })
    } else if (this.#readerIsDone) {
      this.#reader = undefined
      reader.resolve(DONE)
    }
  }

  /** The wire cannot say "no more, please": who leaves before the end resets the channel, or the sender would wait for ever. */
  #stopReading (): void {
    if (this.#dataArrived) this.#dropInbox()
    else this.abort(new MdsftpError('ERR_UNREAD', 'channel', 'the reader stopped before the end of the data', { remote: false }))
  }

  #dropInbox (): void {
    const bytes = this.#inbox?.bytes ?? 0
    if (bytes === 0) return
    this.#inbox?.clear()
    this.#link.buffer(-bytes)
  }

  // Private parts: ending.

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
    const readerWasDone = this.#readerIsDone
    this.#error = error
    if (drop) {
      this.#dropInbox()
      // What was not read will not be: the reader must not take the rest for the whole.
      if (!readerWasDone) this.#dataArrived = false
    }
    const reader = this.#reader
    this.#reader = undefined
    reader?.reject(error)
    if (!this.#state.sentLast) this.#stopSending(error)
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

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
