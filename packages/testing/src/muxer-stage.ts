import type { Bytes, Channel, Connection, Muxer, Source } from '@ropewalk/interface'
import { TestingError } from './errors.ts'
import { link, type Link, type PairOptions } from './pair.ts'
import { pattern, verify } from './pattern.ts'
import { settle } from './turn.ts'

/** What a maker builds its two muxers on. */
export interface Line {
  /**
   * The two ends of one connection in memory, which the suite can cut. A maker that does not call it (sockets, processes)
   * should give `cut` in its pair, and may look at `options` for the buffers that the case would like.
   */
  connect (): [Connection, Connection]
  readonly options: Readonly<PairOptions>
}

/** Two muxers that face each other. */
export interface MuxerPair {
  readonly left: Muxer
  readonly right: Muxer
  /** Cuts the connection as `Link.cut` does. Needed only where `Line.connect` is not used. */
  cut? (how: 'reset' | 'end'): void
  /** Channels that either side still remembers. */
  openChannels? (): number
  /** Whatever else closed channels could leave behind (listeners, timers, promises): must not grow with them. */
  residue? (): number | Promise<number>
  /** Called once after the case, when both muxers have been aborted. */
  dispose? (): Promise<void>
}

/** Makes a fresh pair for one case. */
export type MakeMuxers = (line: Line) => MuxerPair | Promise<MuxerPair>

/** What the muxer promises, and how long to try it. */
export interface MuxerPromises {
  /** Bytes that one channel's sink may have accepted while the reader at the other end takes nothing; 1 MiB. */
  maxBufferedBytesPerChannel: number
  /** Bytes of a bulk channel that may be accepted while a small message goes there and back on another; 4 MiB. */
  maxBulkBytesPerRoundTrip: number
  /** False where the wire cannot end one direction alone: the cases for it are skipped. */
  halfClose: boolean
  /** Bytes that a slow reader is offered; 512 MiB. They are made only as they are accepted. */
  bulkBytes: number
  /** Channels opened and closed one after another; 10,000. */
  sequentialChannels: number
  /** Turns of the event loop without a change that count as standing still; 50. More for muxers in other processes. */
  settleTurns: number
  /** After so long without a result a case has failed; 30,000. */
  deadlineMs: number
}

export const DEFAULT_PROMISES: Readonly<MuxerPromises> = {
  maxBufferedBytesPerChannel: 1024 * 1024,
  maxBulkBytesPerRoundTrip: 4 * 1024 * 1024,
  halfClose: true,
  bulkBytes: 512 * 1024 * 1024,
  sequentialChannels: 10_000,
  settleTurns: 50,
  deadlineMs: 30_000
}

/** One behaviour of a muxer. */
export interface MuxerCase {
  /** Stable name: what `known` and tables refer to. */
  readonly id: string
  /** What it proves, in one line. */
  readonly proves: string
  /** The connection that it wants. */
  readonly line?: PairOptions
  /** The promise that it needs to make sense. */
  readonly needs?: 'halfClose'
  /** Throws when the behaviour is not there. May return a figure worth printing. */
  run (stage: Stage): Promise<string | void>
}

/** Both ends of a channel. */
export interface Ends {
  /** The side that opened it. */
  readonly near: Channel
  readonly far: Channel
}

/** Where one case is played: a pair of muxers, a deadline, and the few moves that cases are made of. */
export class Stage {
  readonly left: Muxer
  readonly right: Muxer
  readonly promises: MuxerPromises
  readonly pair: MuxerPair
  readonly #link: Link | undefined
  readonly #signal: AbortSignal
  readonly #accepting = new Map<Muxer, AsyncIterator<Channel>>()

  constructor (pair: MuxerPair, promises: MuxerPromises, link: Link | undefined, signal: AbortSignal) {
    this.pair = pair
    this.left = pair.left
    this.right = pair.right
    this.promises = promises
    this.#link = link
    this.#signal = signal
  }

  /** The value of `wait`, which must come before the deadline. `doing` says what was hoped for. */
  within<T> (wait: Promise<T>, doing: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const expire = (): void => { reject(new TestingError('ERR_TIMEOUT', `never happened: ${doing}`, { cause: this.#signal.reason })) }
      wait.then(resolve, reject).finally(() => { this.#signal.removeEventListener('abort', expire) })
      if (this.#signal.aborted) expire()
      else this.#signal.addEventListener('abort', expire)
    })
  }

  /** `wait` must fail before the deadline; gives what it failed with. */
  async fails (wait: Promise<unknown>, doing: string): Promise<unknown> {
    const outcome = await this.within(wait.then(() => undefined, (error: unknown) => ({ error })), doing)
    if (outcome == null) throw new TestingError('ERR_NOT_MET', `succeeded where it must fail: ${doing}`)
    return outcome.error
  }

  /** Opens a channel on one side and takes it on the other. */
  async connect (from: 'left' | 'right' = 'left'): Promise<Ends> {
    const [opener, acceptor] = from === 'left' ? [this.left, this.right] : [this.right, this.left]
    const [near, far] = await this.within(all([opener.open(), this.accept(acceptor)]), 'a channel opens, and the peer sees it before anything is sent')
    return { near, far }
  }

  /** The next channel that the peer of `muxer` opens. */
  async accept (muxer: Muxer): Promise<Channel> {
    const result = await this.incoming(muxer).next()
    if (result.done === true) throw new TestingError('ERR_NOT_MET', 'a muxer stopped accepting channels')
    return result.value
  }

  /** The one iterator over the channels that come in at `muxer`. */
  incoming (muxer: Muxer): AsyncIterator<Channel> {
    const iterator = this.#accepting.get(muxer) ?? muxer[Symbol.asyncIterator]()
    this.#accepting.set(muxer, iterator)
    return iterator
  }

  /** Plays `handler` for every channel that comes in at `muxer`, until it takes no more. */
  serve (muxer: Muxer, handler: (channel: Channel) => Promise<unknown> = echo): void {
    const loop = async (): Promise<void> => {
      for (let channel = await this.accept(muxer); ; channel = await this.accept(muxer)) quiet(handler(channel))
    }
    quiet(loop())
  }

  /** A pattern goes out on `channel` and comes back on it: with `serve`, or over an echoing peer. */
  async roundTrip (channel: Channel, lengthBytes: number, seed: number = 0, chunkBytes?: number): Promise<void> {
    await this.within(all([
      channel.sink(pattern(lengthBytes, seed, chunkBytes)),
      verify(channel.source, lengthBytes, seed)
    ]), `${lengthBytes} bytes go there and back`)
  }

  /** A channel that is opened now still carries bytes both ways: nothing that went before has hurt the connection. */
  async stillWorks (from: 'left' | 'right' = 'left'): Promise<void> {
    const { near, far } = await this.connect(from)
    quiet(echo(far))
    await this.roundTrip(near, 4096, 99)
  }

  /** Waits until nothing moves any more. */
  still<T> (measure: () => T): Promise<T> {
    return settle(measure, { turns: this.promises.settleTurns, signal: this.#signal })
  }

  cut (how: 'reset' | 'end'): void {
    const cut = this.pair.cut ?? this.#link?.cut
    if (cut == null) throw new TypeError('a maker that does not use line.connect() must give `cut`')
    cut(how)
  }
}

/** Plays one case with a fresh pair; throws when the muxer does not do what it proves. */
export async function runMuxerCase (each: MuxerCase, make: MakeMuxers, options: Partial<MuxerPromises> = {}): Promise<string | void> {
  const promises = { ...DEFAULT_PROMISES, ...options }
  let connected: Link | undefined
  const pair = await make({
    options: each.line ?? {},
    connect () {
      connected = link(each.line)
      return [connected.left, connected.right]
    }
  })

  // Not AbortSignal.timeout: its timer would let the process end while a case hangs in memory.
  const deadline = new AbortController()
  const timer = setTimeout(() => { deadline.abort(new TestingError('ERR_TIMEOUT', `${promises.deadlineMs} ms are over`)) }, promises.deadlineMs)
  try {
    return await each.run(new Stage(pair, promises, connected, deadline.signal))
  } finally {
    clearTimeout(timer)
    const over = new TestingError('ERR_RESET', 'the case is over')
    pair.left.abort(over)
    pair.right.abort(over)
    await pair.dispose?.()
  }
}

/** Sends back what comes in. */
export function echo (channel: Channel): Promise<void> {
  return channel.sink(channel.source)
}

/** Reads `source` to its end and keeps nothing; gives the number of bytes. */
export async function drain (source: Source<Bytes>): Promise<number> {
  let length = 0
  for await (const bytes of source) length += bytes.byteLength
  return length
}

/** Marks `wait` as looked after: what it fails with is asked for later, or does not matter. */
export function quiet<T> (wait: Promise<T>): Promise<T> {
  wait.catch(() => {})
  return wait
}

/** Promise.all, for promises of which several may fail. */
export function all<const T extends ReadonlyArray<Promise<unknown>>> (waits: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  for (const wait of waits) quiet(wait)
  return Promise.all(waits) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
}

export function check (met: boolean, message: string): void {
  if (!met) throw new TestingError('ERR_NOT_MET', message)
}

/** True when `error` is `reason`, or was caused by it. */
export function stemsFrom (error: unknown, reason: Error): boolean {
  return error === reason || (error instanceof Error && error.cause === reason)
}
