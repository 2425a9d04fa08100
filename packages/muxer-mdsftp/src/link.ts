/**
 * Drives one connection: reads packets and hands them to their channels, and pumps what channels have to say.
 *
 * Reading never waits for writing, and neither ever waits for a reply. Control packets go first, then one frame of each
 * ready channel in turn; everything that one turn of the event loop brought is one write.
 *
 * @module
 */
import type { AbortOptions, Connection } from '@ropewalk/interface'
import { AcceptQueue, Intake, Pump, type Member, type Outgoing } from '@ropewalk/mux'
import { FAREWELL_MS, HEADER_BYTES, Kind, MAX_BUFFERED_BYTES, UPSTREAM, type Profile } from './constants.ts'
import { Deframer, type PacketSink } from './deframer-codec.ts'
import { MdsftpError } from './errors.ts'
import { writeHeader } from './packet-codec.ts'
import { ConnectionState, type ConnectionLimits, type Effect, type Role } from './state.ts'

export interface LinkOptions extends ConnectionLimits {
  /** Which side opened the connection; it decides the range of our channel ids. */
  role: Role
  /** The generation of the wire. Default: `UPSTREAM`. */
  profile?: Profile | undefined
  /** Refuse a FileChunk that announces more content. Default 16 MiB. */
  maxFragmentBytes?: number | undefined
  /** Unread content bytes on all channels together, above which reading from the connection stops. Default 32 MiB. */
  maxBufferedBytes?: number | undefined
}

/** What the link needs of a channel. All of it is synchronous. */
export interface Endpoint extends Member {
  readonly id: number
  fragment (last: boolean, number: number, contentBytes: number): void
  /** A piece of the fragment under way. When `lent`, the bytes are only valid during the call. */
  content (bytes: Uint8Array, complete: boolean, lent: boolean): void
  packet (kind: number, payload: Uint8Array): void
  /** The peer closed the channel. */
  closedByPeer (): void
  /** The channel is over because of `error`; nothing is written for it any more. */
  failed (error: Error): void
  /** True when a channel that the peer closed already is still worth accepting. */
  readonly worthTaking: boolean
  /** True when a close of the peer now is no reset of something that came to nothing. */
  readonly useful: boolean
}

export class Link<Channel extends Endpoint> {
  readonly profile: Profile
  readonly #connection: Connection
  readonly #state: ConnectionState
  readonly #deframer: Deframer
  readonly #intake: Intake
  readonly #pump: Pump<Channel>
  readonly #make: (id: number, link: Link<Channel>) => Channel
  readonly #channels = new Map<number, Channel>()
  readonly #incoming: AcceptQueue<Channel>
  /** Pairs of kind and channel, and whole packets. */
  #system: Array<number | Uint8Array> = []
  readonly #finished = Promise.withResolvers<void>()
  /** The channel of the fragment under way, if anybody takes it. */
  #current: Channel | undefined
  #lent = false
  #closing = false
  #peerEnded = false
  #cancelFarewell: (() => void) | undefined
  #error: Error | undefined

  constructor (connection: Connection, options: LinkOptions, make: (id: number, link: Link<Channel>) => Channel) {
    this.profile = options.profile ?? UPSTREAM
    this.#connection = connection
    this.#state = new ConnectionState(options.role, options)
    this.#deframer = new Deframer(this.profile, options)
    this.#intake = new Intake(connection, options.maxBufferedBytes ?? MAX_BUFFERED_BYTES)
    this.#pump = new Pump(() => this.#error !== undefined || (this.#closing && this.#channels.size === 0), out => this.#writeSystems(out))
    this.#incoming = new AcceptQueue(channel => this.#state.taken(channel.id))
    this.#make = make
    this.#finished.promise.catch(() => {})
    this.#read()
    connection.sink(this.#pump.batches()).then(() => this.#wrote(), error => this.fail(lost('writing failed', error)))
  }

  /** Channels open now. */
  get size (): number {
    return this.#channels.size
  }

  channels (): IterableIterator<Channel> {
    return this.#channels.values()
  }

  open (): Channel {
    if (this.#error !== undefined) throw this.#error
    if (this.#closing) throw new MdsftpError('ERR_CLOSED', 'connection', 'the muxer is closing', { remote: false })
    const { channel, effects } = this.#state.open(random31)
    const endpoint = this.#add(channel)
    this.#perform(effects)
    return endpoint
  }

  /** The next channel that the peer opened; `undefined` when there will be none. */
  accept (): Promise<Channel | undefined> {
    return this.#incoming.take()
  }

  /** Nobody accepts any more: opens of the peer are refused. */
  refuse (): void {
    this.#state.refuse()
    for (const channel of this.#incoming.close()) {
      channel.failed(new MdsftpError('ERR_CLOSED', 'channel', 'nobody accepts channels', { remote: false }))
      this.closeChannel(channel, true)
    }
  }

  /** Refuses new channels, waits for the open ones, then ends the connection. */
  async close (options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    signal?.throwIfAborted()
    this.#closing = true
    this.refuse()
    this.#pump.flush()
    const abort = (): void => this.fail(signal?.reason instanceof Error ? signal.reason : new MdsftpError('ERR_CLOSED', 'connection', 'closing was aborted', { remote: false }))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await this.#finished.promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Ends everything with `error`. Idempotent. */
  fail (error: Error): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#intake.stop()
    for (const channel of this.#channels.values()) channel.failed(error)
    this.#channels.clear()
    this.#incoming.end(error)
    this.#pump.stop()
    this.#connection.abort(error)
    this.#finished.reject(error)
  }

  /** `channel` has acknowledgements or packets to write. */
  control (channel: Channel): void {
    this.#pump.control(channel)
  }

  /** `channel` has credit to give back. Nobody stands still for it yet: it comes a quarter of a window early. */
  acknowledge (channel: Channel): void {
    this.#pump.controlSoon(channel)
  }

  /** There is no more than one channel. */
  get alone (): boolean {
    return this.#channels.size <= 1
  }

  /** `channel` may have a data frame to write. */
  ready (channel: Channel): void {
    this.#pump.ready(channel)
  }

  /** Unread bytes grew (or shrank, negative). Over the limit the connection is not read. */
  buffer (bytes: number): void {
    this.#intake.buffer(bytes)
  }

  /** A channel keeps so many of the bytes at hand, in one piece. */
  kept (bytes: number): void {
    this.#intake.kept(bytes)
  }

  /** Closes a channel from our side, behind `packets` of its own; with `complain` the peer is told that it is a failure. */
  closeChannel (channel: Channel, complain: boolean, packets: Uint8Array[] = []): void {
    this.#channels.delete(channel.id)
    const effects = this.#state.close(channel.id)
    if (effects.length === 0) return
    this.#system.push(...packets)
    if (complain) this.#perform([{ type: 'send', kind: Kind.ChannelErr, channel: channel.id }])
    this.#perform(effects)
  }

  /** The same, behind everything that is in the batch being written. */
  closeInBatch (channel: Channel, out: Outgoing): void {
    this.#channels.delete(channel.id)
    if (this.#state.close(channel.id).length > 0) this.#writeSystem(out, Kind.ChannelClose, channel.id)
  }

  #add (id: number): Channel {
    const channel = this.#make(id, this)
    this.#channels.set(id, channel)
    return channel
  }

  #perform (effects: Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send': {
          this.#system.push(effect.kind, effect.channel)
          this.#pump.wake()
          break
        }
        case 'opened': this.#incoming.put(this.#add(effect.channel)); break
        case 'closed': this.#closed(effect.channel); break
        case 'complained': break
      }
    }
  }

  #writeSystems (out: Outgoing): void {
    const system = this.#system
    if (system.length === 0) return
    for (let at = 0; at < system.length; at++) {
      const item = system[at] as number | Uint8Array
      if (typeof item === 'number') this.#writeSystem(out, item, system[++at] as number)
      else out.packet(item)
    }
    this.#system = []
  }

  #writeSystem (out: Outgoing, kind: number, channel: number): void {
    const at = out.reserve(HEADER_BYTES)
    writeHeader(out.slab, at, kind === Kind.ChannelOpen ? this.profile.channelOpen : kind, channel, 0)
  }

  #closed (id: number): void {
    const channel = this.#channels.get(id)
    if (channel === undefined) return
    this.#channels.delete(id)
    if (!channel.worthTaking) this.#incoming.remove(channel)
    channel.closedByPeer()
  }

  #read (): void {
    const sink: PacketSink = {
      packet: (kind, channel, payload) => {
        if (this.#error !== undefined) return
        if (kind >= 0x80) this.#receiveSystem(kind === this.profile.channelOpen ? Kind.ChannelOpen : kind, channel)
        else this.#channels.get(channel)?.packet(kind, payload)
      },
      fragment: (channel, last, number, contentBytes) => {
        this.#current = this.#channels.get(channel)
        this.#current?.fragment(last, number, contentBytes)
      },
      content: (bytes, complete) => this.#current?.content(bytes, complete, this.#lent)
    }
    this.#intake.start({
      bytes: (bytes, lent) => {
        this.#lent = lent
        try {
          this.#deframer.push(bytes, sink)
        } catch (error) {
          this.fail(error as Error)
        }
        return this.#error === undefined
      },
      ended: error => this.#ended(error)
    })
  }

  #receiveSystem (kind: number, channel: number): void {
    const useful = this.#channels.get(channel)?.useful
    this.#perform(this.#state.receive(kind, channel, performance.now(), useful))
  }

  #ended (cause?: Error): void {
    this.#peerEnded = true
    this.#cancelFarewell?.()
    if (this.#error !== undefined) return
    if (cause !== undefined) return this.fail(lost('the connection failed', cause))
    try {
      this.#deframer.end()
    } catch (error) {
      return this.fail(error as Error)
    }
    if (this.#channels.size > 0) return this.fail(lost(`the peer ended the connection with ${this.#channels.size} channels open`))
    // A clean end: nothing is under way. Our own direction ends too.
    this.#error = ended()
    this.#incoming.end()
    this.#pump.flush()
  }

  #wrote (): void {
    this.#error ??= ended()
    this.#incoming.end()
    this.#finished.resolve()
    this.#farewell()
  }

  /** We have ended. A peer that never does would hold the connection, and with it the process, for ever; one that is slow must not lose what was sent to it. */
  #farewell (): void {
    if (!this.#peerEnded) this.#cancelFarewell = later(FAREWELL_MS, () => { this.#connection.abort(this.#error ?? ended()) })
  }
}

/** Calls `run` `ms` from now; waiting for that keeps no process alive. Returns what cancels it. */
function later (ms: number, run: () => void): () => void {
  const timer: unknown = setTimeout(run, ms)
  ;(timer as { unref?: () => void }).unref?.()
  return () => { clearTimeout(timer as number) }
}

/** The connection ended cleanly: not an error to anybody but those who want to open a channel. */
function ended (): MdsftpError {
  return new MdsftpError('ERR_CLOSED', 'connection', 'the connection has ended')
}

function lost (what: string, cause?: unknown): MdsftpError {
  return new MdsftpError('ERR_CONNECTION_LOST', 'connection', what, { cause })
}

const draws = new Uint32Array(64)
let drawn = draws.length

/** Uniform in 1 … 2^31 − 1. */
function random31 (): number {
  for (;;) {
    if (drawn === draws.length) {
      globalThis.crypto.getRandomValues(draws)
      drawn = 0
    }
    const value = (draws[drawn++] as number) >>> 1
    if (value !== 0) return value
  }
}
