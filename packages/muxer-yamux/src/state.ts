/**
 * Which streams a connection has: ids, opening, refusing, and what a peer may waste. Pure: time is an argument.
 *
 * @module
 */
import { TokenBucket } from '@ropewalk/flow'
import {
  IDLE_FRAMES_PER_SECOND, MAX_ACCEPT_BACKLOG, MAX_CHANNELS, MAX_ID_GAPS, MAX_IDLE_FRAMES, MAX_STREAM_ID,
  MAX_UNACKNOWLEDGED_OPENS, MAX_WASTED_OPENS, WASTED_OPENS_PER_SECOND
} from './constants.ts'
import { YamuxError } from './errors.ts'

/** The side that opened the connection is the client; `dialer` and `acceptor` are other names for the two. */
export type Role = 'client' | 'server' | 'dialer' | 'acceptor'

export interface ConnectionLimits {
  /** Channels open, each side's own. Default 1024. */
  maxChannels?: number | undefined
  /** Channels opened by the peer and taken by nobody yet. Default 256. */
  maxAcceptBacklog?: number | undefined
  /** Channels opened here and not acknowledged by the peer, beyond which `open` waits. Default 256. */
  maxUnacknowledgedOpens?: number | undefined
  /** Opens of the peer in a burst that came to nothing. Default 1024; 200 a second are forgiven. */
  maxWastedOpens?: number | undefined
  /** Frames in a burst that do nothing. Default 1024; 100 a second are forgiven. */
  maxIdleFrames?: number | undefined
}

/** Ids of the peer that it passed over: `first`, `first + 2` … `last`. */
interface Gap { first: number, last: number }

export class ConnectionState {
  readonly #client: boolean
  readonly #maxChannels: number
  readonly #maxAcceptBacklog: number
  readonly #maxUnacknowledgedOpens: number
  readonly #wasted: TokenBucket
  readonly #idle: TokenBucket
  /** Every open stream; true while it waits, ours for its acknowledgement, the peer's to be taken. */
  readonly #streams = new Map<number, boolean>()
  #gaps: Gap[] = []
  #next: number
  #nextOfPeer: number
  #ours = 0
  #unacknowledged = 0
  #untaken = 0
  #refusing = false

  /** `first` is the first id of ours; for tests. */
  constructor (role: Role, limits: ConnectionLimits = {}, first?: number) {
    this.#client = role === 'client' || role === 'dialer'
    this.#next = first ?? (this.#client ? 1 : 2)
    this.#nextOfPeer = this.#client ? 2 : 1
    this.#maxChannels = limits.maxChannels ?? MAX_CHANNELS
    this.#maxAcceptBacklog = limits.maxAcceptBacklog ?? MAX_ACCEPT_BACKLOG
    this.#maxUnacknowledgedOpens = limits.maxUnacknowledgedOpens ?? MAX_UNACKNOWLEDGED_OPENS
    this.#wasted = new TokenBucket({ ratePerSecond: WASTED_OPENS_PER_SECOND, burst: limits.maxWastedOpens ?? MAX_WASTED_OPENS })
    this.#idle = new TokenBucket({ ratePerSecond: IDLE_FRAMES_PER_SECOND, burst: limits.maxIdleFrames ?? MAX_IDLE_FRAMES })
  }

  /** Streams open now, whoever opened them. */
  get size (): number {
    return this.#streams.size
  }

  /** Streams of ours that the peer has not acknowledged. */
  get unacknowledged (): number {
    return this.#unacknowledged
  }

  /** False while too many streams of ours wait for the peer. */
  get mayOpen (): boolean {
    return this.#unacknowledged < this.#maxUnacknowledgedOpens
  }

  has (id: number): boolean {
    return this.#streams.has(id)
  }

  /** True while this stream waits, ours for its acknowledgement, the peer's to be taken. */
  waits (id: number): boolean {
    return this.#streams.get(id) === true
  }

  isOurs (id: number): boolean {
    return (id % 2 === 1) === this.#client
  }

  /** From now on every open of the peer is refused. */
  refuse (): void {
    this.#refusing = true
  }

  /** Opens a stream of ours; gives its id. */
  open (): number {
    if (this.#ours >= this.#maxChannels) throw new YamuxError('ERR_MAX_CHANNELS', 'connection', `${this.#ours} channels of ours are open, ${this.#maxChannels} is the limit`, { remote: false })
    const id = this.#next
    if (id > MAX_STREAM_ID) throw new YamuxError('ERR_IDS_EXHAUSTED', 'connection', `stream id ${id} > ${MAX_STREAM_ID}`, { remote: false })
    this.#next += 2
    this.#ours++
    this.#unacknowledged++
    this.#streams.set(id, true)
    return id
  }

  /** The peer acknowledged a stream. True when one of ours had waited for it. */
  acknowledged (id: number): boolean {
    if (!this.isOurs(id) || this.#streams.get(id) !== true) return false
    this.#streams.set(id, false)
    this.#unacknowledged--
    return true
  }

  /** The peer opens a stream. False: refuse it. */
  receiveOpen (id: number, nowMs: number): boolean {
    if (this.isOurs(id)) throw new YamuxError('ERR_STREAM_ID', 'connection', `stream ${id} is not the peer's to open`)
    if (!this.#unused(id)) throw new YamuxError('ERR_STREAM_ID', 'connection', `stream ${id} was opened before`)
    const theirs = this.#streams.size - this.#ours
    if (this.#refusing || theirs >= this.#maxChannels || this.#untaken >= this.#maxAcceptBacklog) {
      this.#waste(nowMs)
      return false
    }
    this.#untaken++
    this.#streams.set(id, true)
    return true
  }

  /** Somebody took this stream of the peer's. */
  taken (id: number): void {
    if (this.#streams.get(id) !== true) return
    this.#streams.set(id, false)
    this.#untaken--
  }

  /** The peer broke off a stream that was open. One of its own came to nothing. */
  reset (id: number, nowMs: number): void {
    this.close(id)
    if (!this.isOurs(id)) this.#waste(nowMs)
  }

  /** The stream is over. False when it was before. */
  close (id: number): boolean {
    const waits = this.#streams.get(id)
    if (waits === undefined) return false
    this.#streams.delete(id)
    const ours = this.isOurs(id)
    if (ours) this.#ours--
    if (waits && ours) this.#unacknowledged--
    if (waits && !ours) this.#untaken--
    return true
  }

  /** All streams are over. */
  clear (): void {
    this.#streams.clear()
    this.#ours = this.#unacknowledged = this.#untaken = 0
  }

  /** A frame came that does nothing. */
  idle (nowMs: number): void {
    if (this.#idle.take(1, nowMs) > 0) throw flood('frames that do nothing')
  }

  #waste (nowMs: number): void {
    if (this.#wasted.take(1, nowMs) > 0) throw flood('opens that came to nothing')
  }

  /** True once for every id. Ids may come out of order, as from a peer that opens from several threads. */
  #unused (id: number): boolean {
    if (id >= this.#nextOfPeer) {
      if (id > this.#nextOfPeer) this.#gaps.push({ first: this.#nextOfPeer, last: id - 2 })
      if (this.#gaps.length > MAX_ID_GAPS) this.#gaps.shift()
      this.#nextOfPeer = id + 2
      return true
    }
    const at = this.#gaps.findIndex(gap => id >= gap.first && id <= gap.last)
    if (at < 0) return false
    const { first, last } = this.#gaps[at] as Gap
    const rest: Gap[] = []
    if (first < id) rest.push({ first, last: id - 2 })
    if (id < last) rest.push({ first: id + 2, last })
    this.#gaps.splice(at, 1, ...rest)
    if (this.#gaps.length > MAX_ID_GAPS) this.#gaps.shift()
    return true
  }
}

function flood (what: string): YamuxError {
  return new YamuxError('ERR_FLOOD', 'connection', `too many ${what}`)
}
