/**
 * One handshake on one channel: lines in, lines out, one deadline. When it fails, the channel is aborted: there is nothing left to do with it.
 *
 * @module
 */
import type { AbortOptions, Bytes, Channel, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { decodeLine, LineCutter } from './codec.ts'
import { DEADLINE_MS } from './constants.ts'
import { NegotiateError } from './errors.ts'
import { Relay } from './relay.ts'
import { Remainder } from './remainder.ts'

export interface NegotiateOptions extends AbortOptions {
  /** For the whole handshake. Default 10 s. */
  deadlineMs?: number | undefined
}

/** What was agreed on. */
export interface Negotiated {
  readonly protocol: string
  /** The channel, from behind the handshake on. Use it instead of the one that was negotiated on. */
  readonly channel: Channel
}

export class Conversation {
  readonly #channel: Channel
  readonly #signal: AbortSignal | undefined
  readonly #deadlineMs: number
  readonly #iterator: AsyncIterator<Uint8ArrayList>
  readonly #relay: Relay = new Relay()
  readonly #sunk: Promise<void>
  readonly #cutter: LineCutter = new LineCutter()
  /** What has come last, in pieces: at most one chunk of the channel. What lies before the piece at `#next` was read. */
  #pieces: Uint8Array[] = []
  #next = 0
  readonly #stopped: PromiseWithResolvers<never> = Promise.withResolvers<never>()
  readonly #timer: ReturnType<typeof setTimeout>
  #over = false

  constructor (channel: Channel, options: NegotiateOptions) {
    const { signal, deadlineMs = DEADLINE_MS } = options
    this.#channel = channel
    this.#signal = signal
    this.#deadlineMs = deadlineMs
    this.#iterator = channel.source[Symbol.asyncIterator]()
    this.#sunk = channel.sink(this.#relay)
    this.#sunk.catch(error => this.#stopped.reject(error))
    this.#stopped.promise.catch(() => {})
    this.#timer = setTimeout(() => {
      this.fail(new NegotiateError('ERR_TIMEOUT', `no protocol was agreed on within ${deadlineMs} ms`))
    }, deadlineMs)
    signal?.addEventListener('abort', this.#onAbort)
  }

  /** The next line of the peer. */
  async readLine (): Promise<string> {
    for (;;) {
      const line = this.#cut()
      if (line != null) return decodeLine(line)

      const { done, value } = await this.#unlessStopped(this.#iterator.next())
      if (done === true) return this.#cutter.end() as never
      this.#pieces = [...value]
      this.#next = 0
    }
  }

  /** Resolves once the channel has asked for the line. */
  send (bytes: Bytes): Promise<void> {
    return this.#unlessStopped(this.#relay.send(bytes))
  }

  /** Runs the handshake. It is over when `talk` is; a failure of it is the end of the channel. */
  async run<T> (talk: () => Promise<T>): Promise<T> {
    try {
      return await talk()
    } catch (error) {
      this.fail(error as Error)
      throw error
    } finally {
      this.#finish()
    }
  }

  /** The channel behind the handshake. `agreed` settles as the handshake does. */
  follow (agreed: Promise<unknown>): Channel {
    const rest = agreed.then(() => Uint8ArrayList.fromUint8Arrays(this.#pieces.slice(this.#next)))
    // Where nobody reads, whoever writes learns it.
    rest.catch(() => {})
    return new NegotiatedChannel(this, this.#channel, new Remainder(this.#iterator, rest))
  }

  /** Breaks off, unless the handshake is over. */
  fail (error: Error): void {
    if (this.#over) return
    this.#finish()
    this.#stopped.reject(error)
    this.#channel.abort(error)
  }

  async sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    const onAbort = (): void => this.#channel.abort(signal?.reason)
    this.#relay.follow(source)
    signal?.addEventListener('abort', onAbort)
    try {
      await this.#sunk
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  abort (reason: Error): void {
    this.#finish()
    this.#stopped.reject(reason)
    this.#channel.abort(reason)
  }

  async dispose (): Promise<void> {
    this.#finish()
    if (this.#relay.end()) await this.#ended()
    await this.#channel[Symbol.asyncDispose]()
  }

  /** The channel has taken our lines and the end, or has had long enough to. */
  async #ended (): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>(resolve => { timer = setTimeout(resolve, this.#deadlineMs) })
    await Promise.race([this.#sunk.catch(() => {}), late])
    clearTimeout(timer)
  }

  readonly #onAbort = (): void => this.fail(this.#signal?.reason)

  #cut (): Uint8Array | undefined {
    for (; this.#next < this.#pieces.length; this.#next++) {
      const piece = this.#pieces[this.#next] as Uint8Array
      const cut = this.#cutter.cut(piece, 0)
      if (cut == null) continue
      this.#pieces[this.#next] = piece.subarray(cut.end)
      return cut.value
    }
    return undefined
  }

  #unlessStopped<T> (promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#stopped.promise])
  }

  #finish (): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

class NegotiatedChannel implements Channel {
  readonly source: Remainder
  readonly #conversation: Conversation
  readonly #below: Channel
  #sinking = false

  constructor (conversation: Conversation, below: Channel, source: Remainder) {
    this.#conversation = conversation
    this.#below = below
    this.source = source
  }

  /** Undefined as long as what came with the handshake was not read from `source`. */
  get receive (): Channel['receive'] {
    return this.source.through ? this.#below.receive?.bind(this.#below) : undefined
  }

  async sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    if (this.#sinking) throw new TypeError('sink() comes once: a channel is written by one source')
    if (source == null || !(Symbol.asyncIterator in source || Symbol.iterator in source)) throw new TypeError('a sink takes an iterable')
    this.#sinking = true
    await this.#conversation.sink(source, options)
  }

  abort (reason: Error): void {
    this.#conversation.abort(reason)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    // Where no sink came, the end is what is sent.
    this.#sinking = true
    return this.#conversation.dispose()
  }
}
