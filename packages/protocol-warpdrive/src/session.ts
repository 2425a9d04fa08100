/**
 * One query: bytes, strings and JSON on one channel, each wait with a limit. Both sides use it.
 *
 * @module
 */
import { ByteReader, FramingError, JsonSplitter } from '@ropewalk/framing'
import type { Channel } from '@ropewalk/interface'
import { systemClock, within, type Clock } from './clock.ts'
import { CLOSE_TIMEOUT_MS, MAX_DRAIN_BYTES, MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_WAITING_BYTES, REPLY_TIMEOUT_MS } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import { parseJson } from './json-codec.ts'
import { GO_838779E, type Profile } from './profile-codec.ts'

export interface SessionOptions {
  /** Default `GO_838779E`. */
  profile?: Profile | undefined
  /** The port that was asked for; by default the one of the command, or the only one. */
  port?: string | undefined
  clock?: Clock | undefined
  /** How long a reply may take. Default 20 s. */
  replyMs?: number | undefined
  /** Most bytes of a JSON value. Default 16 MiB. */
  maxJsonBytes?: number | undefined
  /** Most entries of an offer. Default 100,000. */
  maxEntries?: number | undefined
  signal?: AbortSignal | undefined
}

export class Session {
  readonly profile: Profile
  readonly port: string | undefined
  readonly clock: Clock
  readonly replyMs: number
  readonly maxEntries: number | undefined
  readonly signal: AbortSignal | undefined
  readonly #channel: Channel
  readonly #reader: ByteReader
  readonly #outbox = new Outbox()
  readonly #sunk: Promise<unknown>
  readonly #maxJsonBytes: number
  /** The last thing read was JSON: one LF behind it belongs to it. */
  #afterJson = false

  constructor (channel: Channel, options: SessionOptions = {}) {
    this.profile = options.profile ?? GO_838779E
    this.port = options.port
    this.clock = options.clock ?? systemClock
    this.replyMs = options.replyMs ?? REPLY_TIMEOUT_MS
    this.maxEntries = options.maxEntries
    this.signal = options.signal
    this.#maxJsonBytes = options.maxJsonBytes ?? MAX_JSON_BYTES
    this.#channel = channel
    this.#reader = new ByteReader(channel.source)
    this.#sunk = channel.sink(this.#outbox).catch((cause: unknown) => { this.#outbox.fail(cause) })
  }

  /** Resolves when the channel has room again. */
  async send (bytes: Uint8Array, ms: number = this.replyMs): Promise<void> {
    // What need not wait needs no limit.
    if (this.signal?.aborted !== true && this.#outbox.offer(bytes)) return
    await this.#guard('sending', ms, signal => this.#outbox.write(bytes, signal))
  }

  /** One byte, or undefined at the end. */
  async byte (what: string, ms: number = this.replyMs): Promise<number | undefined> {
    const next = async (): Promise<number | undefined> => {
      // What is there needs no limit.
      const there = this.signal?.aborted !== true && this.#reader.buffered > 0
      return (await (there ? this.#reader.readUpTo(1) : this.#guard(what, ms, signal => this.#reader.readUpTo(1, { signal }))))?.[0]
    }
    const byte = await next()
    const skip = this.#afterJson && byte === 0x0a
    this.#afterJson = false
    return skip ? next() : byte
  }

  /** Exactly so many bytes. */
  async bytes (length: number, what: string, ms: number = this.replyMs): Promise<Uint8Array> {
    return this.#guard(what, ms, signal => this.#reader.read(length, { signal }))
  }

  /** `most` bytes in at most `pieces`, fewer at the end: `take` is called with each, which it may not keep. `ms` between two of them. Resolves to how many bytes. */
  async some (most: number, what: string, ms: number, take: (bytes: Uint8Array) => void, pieces: number = Infinity): Promise<number> {
    return this.#guard(what, ms, async (signal, heard) => {
      let taken = 0
      const hear = (bytes: Uint8Array): void => {
        heard()
        take(bytes)
        taken += bytes.length
      }
      while (pieces-- > 0 && taken < most) {
        if (pieces === Infinity && this.#reader.idle && this.#channel.receive !== undefined) {
          // Many pieces, and not one of them has to be waited for by itself.
          await this.#channel.receive(hear, { most: most - taken, signal })
          break
        }
        const bytes = await this.#reader.readUpTo(most - taken, { signal })
        if (bytes === undefined) break
        hear(bytes)
      }
      return taken
    })
  }

  /** `[c]c`. */
  async string (what: string): Promise<Uint8Array> {
    const [length = 0] = await this.bytes(1, what)
    return this.bytes(length, what)
  }

  /** The bytes of one JSON value, undefined at the end. The LF behind it is skipped when it comes. */
  async jsonBytes (what: string, ms: number = this.replyMs): Promise<Uint8Array | undefined> {
    const splitter = new JsonSplitter({ maxBytes: this.#maxJsonBytes, maxDepth: MAX_JSON_DEPTH })
    const value = await this.#guard(what, ms, signal => this.#reader.next(splitter, { signal }))
    this.#afterJson = true
    return value
  }

  async json (what: string, ms: number = this.replyMs): Promise<unknown> {
    const bytes = await this.jsonBytes(what, ms)
    if (bytes === undefined) throw new WarpdriveError('ERR_REFUSED', `${what}: the peer closed the session`)
    return parseJson(bytes)
  }

  /** What was sent arrives, then both directions end. Never throws. */
  async close (): Promise<void> {
    this.#outbox.end()
    try {
      await within(this.clock, this.replyMs, 'closing', undefined, async signal => {
        const { promise, reject } = Promise.withResolvers<never>()
        const stop = (): void => { reject(signal.reason) }
        signal.addEventListener('abort', stop)
        await Promise.race([this.#sunk, promise]).finally(() => { signal.removeEventListener('abort', stop) })
      })
      await this.#drain()
      await this.#reader.close()
    } catch (error) {
      this.abort(error as Error)
    }
  }

  /** Who stops reading too early may destroy what was sent: the peer is given a moment to end first. */
  async #drain (): Promise<void> {
    for (let left = MAX_DRAIN_BYTES; left > 0;) {
      const bytes = await within(this.clock, CLOSE_TIMEOUT_MS, 'closing', undefined, signal => this.#reader.readUpTo(left, { signal }))
      if (bytes === undefined) return
      left -= bytes.length
    }
  }

  abort (reason: Error): void {
    this.#outbox.fail(reason)
    this.#channel.abort(reason)
  }

  async #guard<T> (what: string, ms: number, run: (signal: AbortSignal, heard: () => void) => Promise<T>): Promise<T> {
    try {
      return await within(this.clock, ms, what, this.signal, run)
    } catch (error) {
      if (error instanceof WarpdriveError || error === this.signal?.reason) throw error
      if (error instanceof FramingError) {
        const code = error.code === 'ERR_TRUNCATED' ? 'ERR_TRUNCATED' : error.code === 'ERR_TOO_LARGE' ? 'ERR_TOO_LARGE' : 'ERR_BAD_JSON'
        throw new WarpdriveError(code, `${what}: ${error.message}`, { cause: error })
      }
      throw new WarpdriveError('ERR_INTERRUPTED', `${what}: the channel broke`, { cause: error })
    }
  }
}

/** What waits for the channel: bounded, in order. */
class Outbox implements AsyncIterable<Uint8Array> {
  #queue: Uint8Array[] = []
  #waiting = 0
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #changed = Promise.withResolvers<void>()

  /** Takes `bytes` where that need not be waited for. */
  offer (bytes: Uint8Array): boolean {
    if (this.#failure !== undefined || this.#ended || this.#waiting + bytes.length > MAX_WAITING_BYTES) return false
    this.#put(bytes)
    return true
  }

  async write (bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#assertAlive()
    if (this.#ended) throw new WarpdriveError('ERR_INTERRUPTED', 'the session is closed', { remote: false })
    this.#put(bytes)
    const stop = (): void => { this.#wake() }
    signal.addEventListener('abort', stop)
    try {
      while (this.#waiting > MAX_WAITING_BYTES) {
        signal.throwIfAborted()
        await this.#changed.promise
        this.#assertAlive()
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  end (): void {
    this.#ended = true
    this.#wake()
  }

  fail (error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#waiting -= next.length
        this.#wake()
        yield next
      }
      if (this.#ended || this.#failure !== undefined) return
      await this.#changed.promise
    }
  }

  #put (bytes: Uint8Array): void {
    this.#queue.push(bytes)
    this.#waiting += bytes.length
    this.#wake()
  }

  #assertAlive (): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #wake (): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
