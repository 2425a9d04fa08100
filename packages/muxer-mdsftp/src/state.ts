/**
 * Which channels a connection has: ids, opening, refusing and closing. Pure: time and randomness are arguments, effects are return values.
 *
 * @module
 */
import { TokenBucket } from '@ropewalk/flow'
import { Kind, MAX_ACCEPT_BACKLOG, MAX_CHANNELS, MAX_ID_DRAWS, MAX_WASTED_OPENS, RECENT_IDS, WASTED_OPENS_PER_SECOND } from './constants.ts'
import { MdsftpError } from './errors.ts'

export type Role = 'dialer' | 'acceptor'

/** What the driver must do. */
export type Effect =
  /** Write a system packet for this channel. */
  | { readonly type: 'send', readonly kind: typeof Kind.ChannelOpen | typeof Kind.ChannelClose | typeof Kind.ChannelErr, readonly channel: number }
  /** The peer has opened this channel: make it and queue it for whoever accepts. */
  | { readonly type: 'opened', readonly channel: number }
  /** The peer has closed this channel: end it. */
  | { readonly type: 'closed', readonly channel: number }
  /** The peer says that something is wrong with this channel; a close usually follows. */
  | { readonly type: 'complained', readonly channel: number }

export interface ConnectionLimits {
  maxChannels?: number | undefined
  maxAcceptBacklog?: number | undefined
  maxWastedOpens?: number | undefined
}

const ACCEPTOR_RANGE = 0x8000_0000

export class ConnectionState {
  readonly #role: Role
  readonly #maxChannels: number
  readonly #maxAcceptBacklog: number
  readonly #wasted: TokenBucket
  readonly #ours = new Set<number>()
  readonly #theirs = new Set<number>()
  /** Opened by the peer, taken by nobody yet. */
  readonly #untaken = new Set<number>()
  readonly #recent = new Set<number>()
  #refusing = false

  constructor (role: Role, limits: ConnectionLimits = {}) {
    this.#role = role
    this.#maxChannels = limits.maxChannels ?? MAX_CHANNELS
    this.#maxAcceptBacklog = limits.maxAcceptBacklog ?? MAX_ACCEPT_BACKLOG
    this.#wasted = new TokenBucket({ ratePerSecond: WASTED_OPENS_PER_SECOND, burst: limits.maxWastedOpens ?? MAX_WASTED_OPENS })
  }

  /** Channels open now, whoever opened them. */
  get size (): number {
    return this.#ours.size + this.#theirs.size
  }

  has (channel: number): boolean {
    return this.#ours.has(channel) || this.#theirs.has(channel)
  }

  /** From now on every open of the peer is refused. */
  refuse (): void {
    this.#refusing = true
  }

  /** Opens a channel of ours. `draw` gives random integers of 1 … 2^31 − 1. */
  open (draw: () => number): { channel: number, effects: Effect[] } {
    if (this.#ours.size >= this.#maxChannels) throw maxChannels(`${this.#ours.size} channels of ours are open, ${this.#maxChannels} is the limit`)
    for (let draws = 0; draws < MAX_ID_DRAWS; draws++) {
      const low = draw()
      const channel = this.#role === 'dialer' ? low : (low | ACCEPTOR_RANGE) >>> 0
      if (this.has(channel) || this.#recent.has(channel)) continue
      this.#ours.add(channel)
      return { channel, effects: [{ type: 'send', kind: Kind.ChannelOpen, channel }] }
    }
    throw maxChannels(`no free channel id in ${MAX_ID_DRAWS} draws`)
  }

  /** Somebody took this channel of the peer's. */
  taken (channel: number): void {
    this.#untaken.delete(channel)
  }

  /** Closes a channel from our side; a channel that is closed already does nothing. */
  close (channel: number): Effect[] {
    return this.#forget(channel) ? [{ type: 'send', kind: Kind.ChannelClose, channel }] : []
  }

  /** A system packet came. `useful`: what the peer closes was used for something; the opens that were not are counted. */
  receive (kind: number, channel: number, nowMs: number, useful = false): Effect[] {
    switch (kind) {
      case Kind.ChannelClose: return this.#receiveClose(channel, nowMs, useful)
      case Kind.ChannelErr: return this.has(channel) ? [{ type: 'complained', channel }] : []
      default: return this.#receiveOpen(channel, nowMs)
    }
  }

  #receiveOpen (channel: number, nowMs: number): Effect[] {
    // The reference keeps the first channel of a doubly opened id and goes on; so do we (specification section 3.2).
    if (this.has(channel)) {
      this.#waste(nowMs)
      return []
    }
    const full = this.#theirs.size >= this.#maxChannels || this.#untaken.size >= this.#maxAcceptBacklog
    if (this.#refusing || full || !this.#belongsToPeer(channel)) {
      this.#waste(nowMs)
      return [{ type: 'send', kind: Kind.ChannelErr, channel }, { type: 'send', kind: Kind.ChannelClose, channel }]
    }
    this.#theirs.add(channel)
    this.#untaken.add(channel)
    return [{ type: 'opened', channel }]
  }

  #receiveClose (channel: number, nowMs: number, useful: boolean): Effect[] {
    const theirs = this.#theirs.has(channel)
    if (!this.#forget(channel)) return []
    if (theirs && !useful) this.#waste(nowMs)
    return [{ type: 'closed', channel }, { type: 'send', kind: Kind.ChannelClose, channel }]
  }

  /** Counts an open that came to nothing; a peer that wastes more than time forgives is cut off (rapid reset, open flood). */
  #waste (nowMs: number): void {
    if (this.#wasted.take(1, nowMs) > 0) throw new MdsftpError('ERR_FLOOD', 'connection', 'more opens that came to nothing than are forgiven')
  }

  #belongsToPeer (channel: number): boolean {
    const low = channel & 0x7fff_ffff
    const fromAcceptor = channel >= ACCEPTOR_RANGE
    return low !== 0 && fromAcceptor === (this.#role === 'dialer')
  }

  #forget (channel: number): boolean {
    if (!this.#ours.delete(channel) && !this.#theirs.delete(channel)) return false
    this.#untaken.delete(channel)
    this.#recent.add(channel)
    if (this.#recent.size > RECENT_IDS) {
      for (const oldest of this.#recent) { this.#recent.delete(oldest); break }
    }
    return true
  }
}

function maxChannels (message: string): MdsftpError {
  return new MdsftpError('ERR_MAX_CHANNELS', 'connection', message, { remote: false })
}
