/**
 * Drives one connection: reads packets and hands them to their channels, and pumps what channels have to say.
 *
 * Reading never waits for writing, and neither ever waits for a reply. Control packets go first, then one frame of each
 * ready channel in turn; everything that one turn of the event loop brought is one write.
 *
 * @module
 */
import type { AbortOptions, ByteFlow, Connection } from '@ropewalk/interface'
import { afterThisTurn, Outgoing } from '@ropewalk/mux'
import type { Uint8ArrayList } from 'uint8arraylist'
import { encodePacket } from './packet-codec.ts'
import { BATCH_BYTES, Kind, MAX_BUFFERED_BYTES, UPSTREAM, type Profile } from './constants.ts'
import { Deframer, type PacketSink } from './deframer-codec.ts'
import { MdsftpError } from './errors.ts'
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
export interface Endpoint {
  readonly id: number
  /** Bookkeeping of the link. */
  controlQueued: boolean
  readyQueued: boolean
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
  writeControls (out: Outgoing): void
  /** Writes at most one data frame. True when another could follow at once. */
  writeFrame (out: Outgoing): boolean
}

export class Link<Channel extends Endpoint> {
  readonly profile: Profile
  readonly #connection: Connection
  readonly #state: ConnectionState
  readonly #deframer: Deframer
  readonly #make: (id: number, link: Link<Channel>) => Channel
  readonly #maxBufferedBytes: number
  readonly #channels = new Map<number, Channel>()
  readonly #out = new Outgoing()
  #system: Uint8Array[] = []
  #controls: Channel[] = []
  #ready: Channel[] = []
  #readyHead = 0
  #backlog: Channel[] = []
  #acceptors: Array<PromiseWithResolvers<Channel | undefined>> = []
  #writer: ((result: IteratorResult<Uint8ArrayList>) => void) | undefined
  #flushing = false
  #flow: ByteFlow | undefined
  #buffered = 0
  #paused = false
  #resume: (() => void) | undefined
  #current: Channel | undefined
  #lent = false
  #closing = false
  #error: Error | undefined
  readonly #finished = Promise.withResolvers<void>()

  constructor (connection: Connection, options: LinkOptions, make: (id: number, link: Link<Channel>) => Channel) {
    this.profile = options.profile ?? UPSTREAM
    this.#connection = connection
    this.#state = new ConnectionState(options.role, options)
    this.#deframer = new Deframer(this.profile, options)
    this.#maxBufferedBytes = options.maxBufferedBytes ?? MAX_BUFFERED_BYTES
    this.#make = make
    this.#finished.promise.catch(() => {})
    this.#read()
    connection.sink(this.#batches()).then(() => this.#wrote(), error => this.fail(lost('writing failed', error)))
  }

  /** Channels open now. */
  get size (): number {
    return this.#state.size
  }

  get error (): Error | undefined {
    return this.#error
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
    const next = this.#backlog.shift()
    if (next !== undefined) {
      this.#state.taken(next.id)
      return Promise.resolve(next)
    }
    if (this.#error !== undefined && !(this.#error instanceof Ended)) return Promise.reject(this.#error)
    if (this.#error !== undefined || this.#closing) return Promise.resolve(undefined)
    const acceptor = Promise.withResolvers<Channel | undefined>()
    this.#acceptors.push(acceptor)
    return acceptor.promise
  }

  /** Nobody accepts any more: opens of the peer are refused. */
  refuse (): void {
    this.#state.refuse()
    for (const channel of this.#backlog.splice(0)) {
      channel.failed(new MdsftpError('ERR_CLOSED', 'channel', 'nobody accepts channels', { remote: false }))
      this.closeChannel(channel, true)
    }
    for (const acceptor of this.#acceptors.splice(0)) acceptor.resolve(undefined)
  }

  /** Refuses new channels, waits for the open ones, then ends the connection. */
  async close (options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    signal?.throwIfAborted()
    this.#closing = true
    this.refuse()
    this.#flush()
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
    this.#end(error)
    this.#connection.abort(error)
    this.#finished.reject(error)
  }

  /** `channel` has acknowledgements or packets to write. */
  control (channel: Channel): void {
    if (channel.controlQueued) return
    channel.controlQueued = true
    this.#controls.push(channel)
    this.#schedule()
  }

  /** `channel` may have a data frame to write. */
  ready (channel: Channel): void {
    if (channel.readyQueued) return
    channel.readyQueued = true
    this.#ready.push(channel)
    this.#schedule()
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
    if (this.#state.close(channel.id).length > 0) out.packet(encodePacket(this.profile, channel.id, { type: 'ChannelClose' }))
    if (this.#closing) this.#schedule()
  }

  /** Unread bytes grew (or shrank, negative). Over the limit the connection is not read. */
  buffer (bytes: number): void {
    this.#buffered += bytes
    if (!this.#paused && this.#buffered > this.#maxBufferedBytes) {
      this.#paused = true
      this.#flow?.pause()
    } else if (this.#paused && this.#buffered <= this.#maxBufferedBytes / 2) {
      this.#paused = false
      this.#flow?.resume()
      this.#resume?.()
    }
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
          const type = effect.kind === Kind.ChannelClose ? 'ChannelClose' : effect.kind === Kind.ChannelErr ? 'ChannelErr' : 'ChannelOpen'
          this.#system.push(encodePacket(this.profile, effect.channel, { type }))
          this.#schedule()
          break
        }
        case 'opened': this.#opened(this.#add(effect.channel)); break
        case 'closed': this.#closed(effect.channel); break
        case 'complained': break
      }
    }
  }

  #opened (channel: Channel): void {
    const acceptor = this.#acceptors.shift()
    if (acceptor === undefined) {
      this.#backlog.push(channel)
      return
    }
    this.#state.taken(channel.id)
    acceptor.resolve(channel)
  }

  #closed (id: number): void {
    const channel = this.#channels.get(id)
    if (channel === undefined) return
    this.#channels.delete(id)
    if (!channel.worthTaking) {
      const at = this.#backlog.indexOf(channel)
      if (at >= 0) this.#backlog.splice(at, 1)
    }
    channel.closedByPeer()
  }

  #read (): void {
    const sink: PacketSink = {
      packet: (kind, channel, payload) => {
        if (this.#error !== undefined) return
        if (kind >= 0x80) this.#perform(this.#state.receive(kind === this.profile.channelOpen ? Kind.ChannelOpen : kind, channel))
        else this.#channels.get(channel)?.packet(kind, payload)
      },
      fragment: (channel, last, number, contentBytes) => {
        this.#current = this.#channels.get(channel)
        this.#current?.fragment(last, number, contentBytes)
      },
      content: (bytes, complete) => this.#current?.content(bytes, complete, this.#lent)
    }
    const push = (bytes: Uint8Array): boolean => {
      if (this.#error !== undefined) return false
      try {
        this.#deframer.push(bytes, sink)
      } catch (error) {
        this.fail(error as Error)
      }
      return this.#error === undefined
    }

    if (this.#connection.attach === undefined) {
      void this.#pull(push)
      return
    }
    this.#lent = true
    this.#flow = this.#connection.attach({ bytes: push, end: error => this.#ended(error) })
    if (this.#paused) this.#flow.pause()
  }

  async #pull (push: (bytes: Uint8Array) => boolean): Promise<void> {
    try {
      for await (const list of this.#connection.source) {
        for (const bytes of list) if (!push(bytes)) return
        while (this.#paused && this.#error === undefined) await new Promise<void>(resolve => { this.#resume = resolve })
        if (this.#error !== undefined) return
      }
      this.#ended()
    } catch (error) {
      this.#ended(error as Error)
    }
  }

  #ended (cause?: Error): void {
    if (this.#error !== undefined) return
    if (cause !== undefined) return this.fail(lost('the connection failed', cause))
    try {
      this.#deframer.end()
    } catch (error) {
      return this.fail(error as Error)
    }
    if (this.#channels.size > 0) return this.fail(lost(`the peer ended the connection with ${this.#channels.size} channels open`))
    // A clean end: nothing is under way. Our own direction ends too.
    this.#error = new Ended()
    this.#closing = true
    this.#end(this.#error)
    this.#flush()
  }

  /** Every channel, and whoever waits for one, learns that it is over. */
  #end (error: Error): void {
    for (const channel of this.#channels.values()) channel.failed(error)
    this.#channels.clear()
    const clean = error instanceof Ended
    if (!clean) this.#backlog = []
    for (const acceptor of this.#acceptors.splice(0)) {
      if (clean) acceptor.resolve(undefined)
      else acceptor.reject(error)
    }
    this.#resume?.()
    this.#writer?.({ done: true, value: undefined })
    this.#writer = undefined
  }

  #wrote (): void {
    this.#error ??= new Ended()
    this.#finished.resolve()
  }

  #schedule (): void {
    if (this.#flushing || this.#writer === undefined) return
    this.#flushing = true
    afterThisTurn(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush (): void {
    if (this.#writer === undefined) return
    const batch = this.#batch()
    if (batch === undefined) return
    const writer = this.#writer
    this.#writer = undefined
    writer(batch)
  }

  #batches (): AsyncIterable<Uint8ArrayList> {
    const next = (): Promise<IteratorResult<Uint8ArrayList>> => {
      const batch = this.#batch()
      return batch !== undefined ? Promise.resolve(batch) : new Promise(resolve => { this.#writer = resolve })
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }

  #batch (): IteratorResult<Uint8ArrayList> | undefined {
    const out = this.#out
    for (const packet of this.#system) out.packet(packet)
    this.#system = []
    for (const channel of this.#controls) {
      channel.controlQueued = false
      channel.writeControls(out)
    }
    this.#controls = []
    while (this.#readyHead < this.#ready.length && out.bytes < BATCH_BYTES) {
      const channel = this.#ready[this.#readyHead++] as Channel
      if (channel.writeFrame(out)) this.#ready.push(channel)
      else channel.readyQueued = false
    }
    this.#compact()
    if (out.bytes > 0) return { done: false, value: out.take() }
    const over = this.#error !== undefined || (this.#closing && this.#channels.size === 0)
    return over ? { done: true, value: undefined } : undefined
  }

  #compact (): void {
    if (this.#readyHead === this.#ready.length) this.#ready = []
    else if (this.#readyHead > 1024 || this.#readyHead * 2 > this.#ready.length) this.#ready = this.#ready.slice(this.#readyHead)
    else return
    this.#readyHead = 0
  }
}

/** The connection ended cleanly: not an error to anybody but those who want to open a channel. */
class Ended extends MdsftpError {
  constructor () {
    super('ERR_CLOSED', 'connection', 'the connection has ended')
  }
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
