/**
 * Drives one connection: reads frames and hands them to their channels, and pumps what channels have to say.
 *
 * Reading never waits for writing, and neither ever waits for a reply. Whatever breaks the protocol ends the connection,
 * and the peer is told.
 *
 * @module
 */
import type { AbortOptions, Connection } from '@ropewalk/interface'
import { AcceptQueue, Intake, Pump, type Member } from '@ropewalk/mux'
import { YamuxChannel } from './channel.ts'
import { systemClock, type Clock } from './clock.ts'
import { Deframer, encodeHeader, type FrameSink } from './codec.ts'
import { FAREWELL_MS, Flag, FrameType, GoAwayReason, INITIAL_WINDOW_BYTES, KEEP_ALIVE_TIMEOUT_MS, MAX_BUFFERED_BYTES, MAX_CREDIT_BYTES } from './constants.ts'
import { YamuxError } from './errors.ts'
import { Heartbeat } from './heartbeat.ts'
import { Openers } from './openers.ts'
import { Pings } from './pings.ts'
import { Replies } from './replies.ts'
import { ConnectionState, type ConnectionLimits, type Role } from './state.ts'

export interface LinkOptions extends ConnectionLimits {
  /** Which side opened the connection; it decides whose ids are odd. */
  role: Role
  /** Bytes that the peer may send ahead on one channel. At least the 256 KiB that the specification begins with, which is the default. */
  windowBytes?: number | undefined
  /** Unread bytes on all channels together, above which reading from the connection stops. Default 32 MiB. */
  maxBufferedBytes?: number | undefined
  /** Silence of the peer after which it is pinged. Default: never. */
  keepAliveMs?: number | undefined
  /** Silence after that ping, after which the connection fails. Default 10 s. */
  keepAliveTimeoutMs?: number | undefined
  clock?: Clock | undefined
}

export class Link {
  readonly #connection: Connection
  readonly #state: ConnectionState
  readonly #clock: Clock
  readonly #windowBytes: number
  readonly #intake: Intake
  readonly #deframer: Deframer = new Deframer()
  readonly #replies: Replies
  readonly #pings: Pings
  readonly #openers: Openers
  readonly #heartbeat: Heartbeat | undefined
  readonly #pump: Pump<Member>
  readonly #channels = new Map<number, YamuxChannel>()
  readonly #incoming: AcceptQueue<YamuxChannel>
  readonly #finished = Promise.withResolvers<void>()
  /** The channel of the data frame under way, if anybody takes it. */
  #current: YamuxChannel | undefined
  #lent = false
  #closing = false
  #saidGoodbye = false
  #written = false
  #peerEnded = false
  #error: Error | undefined
  #cancelFarewell: (() => void) | undefined

  constructor (connection: Connection, options: LinkOptions) {
    this.#connection = connection
    this.#state = new ConnectionState(options.role, options)
    this.#clock = options.clock ?? systemClock
    this.#windowBytes = options.windowBytes ?? INITIAL_WINDOW_BYTES
    if (!(this.#windowBytes >= INITIAL_WINDOW_BYTES && this.#windowBytes <= MAX_CREDIT_BYTES)) throw new RangeError(`windowBytes must be from ${INITIAL_WINDOW_BYTES} to ${MAX_CREDIT_BYTES}: ${this.#windowBytes}`)
    this.#intake = new Intake(connection, options.maxBufferedBytes ?? MAX_BUFFERED_BYTES)
    this.#replies = new Replies(() => this.#pump.control(this.#replies))
    this.#pings = new Pings(this.#clock, value => this.#replies.ping(value))
    this.#openers = new Openers()
    this.#pump = new Pump(() => this.#error !== undefined || this.#saidGoodbye)
    this.#incoming = new AcceptQueue(channel => {
      this.#state.taken(channel.id)
      channel.accept()
    })
    this.#heartbeat = this.#beat(options)
    this.#finished.promise.catch(() => {})
    this.#read()
    connection.sink(this.#pump.batches()).then(() => this.#wrote(), error => this.#broken('writing failed', error))
  }

  /** Channels open now. */
  get size (): number {
    return this.#state.size
  }

  async open ({ signal }: AbortOptions = {}): Promise<YamuxChannel> {
    signal?.throwIfAborted()
    this.#assertOpen()
    while (!this.#state.mayOpen) {
      await this.#openers.wait(signal)
      this.#assertOpen()
    }
    const channel = this.#add(this.#state.open(), true)
    this.#pump.control(channel)
    return channel
  }

  /** The next channel that the peer opened; `undefined` when there will be none. */
  accept (): Promise<YamuxChannel | undefined> {
    return this.#incoming.take()
  }

  /** Nobody accepts any more: opens of the peer are refused. */
  refuse (): void {
    this.#state.refuse()
    for (const channel of this.#incoming.close()) channel.abort(new YamuxError('ERR_CLOSED', 'channel', 'nobody accepts channels', { remote: false }))
  }

  /** Round trip in milliseconds. */
  ping (options?: AbortOptions): Promise<number> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return this.#pings.ping(options)
  }

  /** Refuses new channels, waits for the open ones, says goodbye, then ends the connection. */
  async close ({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (!this.#closing) {
      this.#closing = true
      this.refuse()
      this.#openers.fail(closing())
      this.#goodbye()
      this.#pump.flush()
    }
    const abort = (): void => this.fail(signal?.reason instanceof Error ? signal.reason : new YamuxError('ERR_CLOSED', 'connection', 'closing was aborted', { remote: false }))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await this.#finished.promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends everything with `error`, and tells the peer `reason`. Idempotent. */
  fail (error: Error, reason: GoAwayReason = GoAwayReason.InternalError): void {
    if (!this.#end(error)) return
    this.#settle()
    this.#pump.finish(encodeHeader(FrameType.GoAway, 0, 0, reason))
  }

  control (channel: YamuxChannel): void {
    this.#pump.control(channel)
  }

  ready (channel: YamuxChannel): void {
    this.#pump.ready(channel)
  }

  /** Unread bytes grew, or shrank when negative. */
  buffer (bytes: number): void {
    this.#intake.buffer(bytes)
  }

  /** A channel keeps so many of the bytes at hand, in one piece. */
  kept (bytes: number): void {
    this.#intake.kept(bytes)
  }

  /** A channel has ended both ways. */
  forget (channel: YamuxChannel): void {
    this.#channels.delete(channel.id)
    this.#state.close(channel.id)
    this.#vacate()
    this.#goodbye()
  }

  /** A channel is broken off from our side. The peer need not hear of one that it never knew. */
  breakOff (channel: YamuxChannel, known: boolean): void {
    if (!this.#state.has(channel.id)) return
    this.forget(channel)
    if (known && this.#error === undefined) this.#guard(() => this.#replies.reset(channel.id))
  }

  // What the peer says.

  #read (): void {
    const sink: FrameSink = {
      frame: (type, flags, stream, length) => this.#frame(type, flags, stream, length),
      content: (bytes, complete) => this.#current?.content(bytes, complete, this.#lent)
    }
    this.#intake.start({
      bytes: (bytes, lent) => {
        // Behind an error everything is read and dropped, until the peer has taken the goodbye.
        if (this.#error !== undefined) return true
        this.#lent = lent
        this.#heartbeat?.heard()
        this.#guard(() => this.#deframer.push(bytes, sink))
        return true
      },
      ended: error => this.#ended(error)
    })
  }

  #frame (type: number, flags: number, stream: number, length: number): void {
    this.#current = undefined
    if (this.#error !== undefined) return
    if (type === FrameType.Data || type === FrameType.WindowUpdate) return this.#streamFrame(type, flags, stream, length)
    if (stream !== 0) throw new YamuxError('ERR_STREAM_ID', 'connection', `a session frame of type ${type} on stream ${stream}`)
    if (type === FrameType.Ping) this.#ping(flags, length)
    else this.#goAway(length)
  }

  #streamFrame (type: number, flags: number, stream: number, length: number): void {
    if (stream === 0) throw new YamuxError('ERR_STREAM_ID', 'connection', `a stream frame of type ${type} on stream 0`)
    if ((flags & Flag.SYN) !== 0) this.#opened(stream)
    const channel = this.#channels.get(stream)
    // Late frames of a stream that is over.
    if (channel === undefined) return
    if (flags === 0 && length === 0) this.#state.idle(this.#clock.now())
    if ((flags & Flag.ACK) !== 0 && this.#state.acknowledged(stream)) this.#vacate()
    if ((flags & Flag.RST) !== 0) return this.#reset(channel)
    const last = (flags & Flag.FIN) !== 0
    if (type === FrameType.Data) {
      channel.data(length, last)
      this.#current = channel
    } else {
      channel.granted(length)
      if (last) channel.ended(false)
    }
  }

  #opened (stream: number): void {
    if (this.#state.receiveOpen(stream, this.#clock.now())) this.#incoming.put(this.#add(stream, false))
    else this.#replies.reset(stream)
  }

  #reset (channel: YamuxChannel): void {
    const { id } = channel
    const refused = this.#state.waits(id) && this.#state.isOurs(id)
    this.#channels.delete(id)
    this.#incoming.remove(channel)
    channel.failed(refused
      ? new YamuxError('ERR_CHANNEL_REFUSED', 'channel', `the peer refused channel ${id}`)
      : new YamuxError('ERR_CHANNEL_RESET', 'channel', `the peer broke channel ${id} off`))
    this.#state.reset(id, this.#clock.now())
    this.#vacate()
    this.#goodbye()
  }

  #ping (flags: number, value: number): void {
    if (flags !== Flag.SYN && flags !== Flag.ACK) throw new YamuxError('ERR_FLAGS', 'connection', `a ping with flags 0x${flags.toString(16)}`)
    if (flags === Flag.ACK && this.#pings.answered(value)) return
    this.#state.idle(this.#clock.now())
    if (flags === Flag.SYN) this.#replies.pong(value)
  }

  #goAway (reason: number): void {
    const error = new YamuxError('ERR_GO_AWAY', 'connection', `the peer has ended the session, reason ${reason}`)
    if (reason === GoAwayReason.Normal) this.#openers.fail(error)
    else this.#leave(error)
  }

  #ended (cause?: Error): void {
    this.#peerEnded = true
    if (cause !== undefined) return this.#broken('the connection failed', cause)
    if (this.#error !== undefined) return this.#settle()
    try {
      this.#deframer.end()
    } catch (error) {
      return this.#leave(error as Error)
    }
    if (this.#channels.size > 0) return this.#lose(`the peer ended the connection with ${this.#channels.size} channels open`)
    // A clean end: nothing is under way. Our own direction ends too.
    this.#end(ended(), true)
    this.#pump.flush()
  }

  // Private parts.

  #add (id: number, ours: boolean): YamuxChannel {
    const channel = new YamuxChannel(id, this, ours, this.#windowBytes)
    this.#channels.set(id, channel)
    return channel
  }

  #assertOpen (): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#closing) throw closing()
    this.#openers.assert()
  }

  /** There may be room for one more channel of ours. */
  #vacate (): void {
    if (this.#openers.size > 0 && this.#state.mayOpen) this.#openers.release()
  }

  /** Once closing and without channels, the goodbye is written and then the end. */
  #goodbye (): void {
    if (!this.#closing || this.#saidGoodbye || this.#channels.size > 0 || this.#error !== undefined) return
    this.#saidGoodbye = true
    this.#pump.system(encodeHeader(FrameType.GoAway, 0, 0, GoAwayReason.Normal))
  }

  #beat ({ keepAliveMs, keepAliveTimeoutMs }: LinkOptions): Heartbeat | undefined {
    if (keepAliveMs === undefined) return undefined
    const timeoutMs = keepAliveTimeoutMs ?? KEEP_ALIVE_TIMEOUT_MS
    return new Heartbeat({
      clock: this.#clock,
      intervalMs: keepAliveMs,
      timeoutMs,
      ask: () => { this.#pings.ping().catch(() => {}) },
      gone: () => this.#leave(new YamuxError('ERR_TIMEOUT', 'connection', `nothing came for ${keepAliveMs} ms, and nothing within ${timeoutMs} ms of a ping`))
    })
  }

  /** Runs what the peer set off; what it breaks ends the connection. */
  #guard (step: () => void): void {
    try {
      step()
    } catch (error) {
      this.fail(error as Error, error instanceof YamuxError ? GoAwayReason.ProtocolError : GoAwayReason.InternalError)
    }
  }

  /** The connection failed, be it at our goodbye. */
  #broken (what: string, cause: unknown): void {
    this.#cancelFarewell?.()
    if (this.#error === undefined) this.#lose(what, cause)
    else this.#connection.abort(this.#error)
  }

  #lose (what: string, cause?: unknown): void {
    this.#leave(new YamuxError('ERR_CONNECTION_LOST', 'connection', what, { cause }))
  }

  /** Ends everything without a goodbye: there is nobody to hear it. */
  #leave (error: Error): void {
    if (!this.#end(error)) return
    this.#cancelFarewell?.()
    this.#intake.stop()
    this.#pump.stop()
    this.#connection.abort(error)
  }

  /** Everybody who waits learns that it is over. False when they know. */
  #end (error: Error, clean = false): boolean {
    if (this.#error !== undefined) return false
    this.#error = error
    this.#heartbeat?.stop()
    for (const channel of this.#channels.values()) channel.failed(error)
    this.#channels.clear()
    this.#state.clear()
    this.#incoming.end(clean ? undefined : error)
    this.#openers.fail(error)
    this.#pings.fail(error)
    if (!clean) this.#finished.reject(error)
    return true
  }

  #wrote (): void {
    // Whoever fails has said goodbye by now.
    this.#written = true
    this.#end(ended(), true)
    this.#finished.resolve()
    this.#settle()
  }

  /** We have ended: the peer has a moment to end too, and to take our goodbye, which breaking off at once could take back. */
  #settle (): void {
    if (this.#written && this.#peerEnded) this.#cancelFarewell?.()
    else this.#cancelFarewell ??= this.#clock.after(FAREWELL_MS, () => this.#connection.abort(this.#error ?? ended()))
  }
}

/** The connection ended cleanly: not an error to anybody but those who want to open a channel. */
function ended (): YamuxError {
  return new YamuxError('ERR_CLOSED', 'connection', 'the connection has ended')
}

function closing (): YamuxError {
  return new YamuxError('ERR_CLOSED', 'connection', 'the muxer is closing', { remote: false })
}
