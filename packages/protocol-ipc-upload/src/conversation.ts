/**
 * Messages sent and awaited on one channel, without waiting for one to send the other.
 *
 * What is queued is bounded by who sends: nobody has more than a window of blocks under way.
 *
 * @module
 */
import type { Channel } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { ANSWER_TIMEOUT_MS, MAX_STRAY_RESPONSES } from './constants.ts'
import { IpcUploadError } from './errors.ts'
import { frameReader, written, type Frame, type FrameReader, type Framing } from './frame-codec.ts'
import type { Clock } from './ports.ts'
import type { Encoded } from './readme-codec.ts'

/** Turns of the queue of microtasks between `send` and the write of a channel that waits for nothing. Ours: more than any of ours needs. */
const WRITING_TURNS = 8

export interface ConversationOptions {
  readonly framing: Framing
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

export class Conversation implements AsyncDisposable {
  readonly #channel: Channel
  readonly #options: ConversationOptions
  readonly #deframer: FrameReader
  readonly #iterator: AsyncIterator<Iterable<Uint8Array>>
  #queue: Encoded[] = []
  readonly #frames: Frame[] = []
  readonly #sunk: Promise<void>
  readonly #onAbort: () => void
  #reading: Promise<IteratorResult<Iterable<Uint8Array>>> | undefined
  #ended = false
  #wake: (() => void) | undefined

  constructor (channel: Channel, options: ConversationOptions) {
    this.#channel = channel
    this.#options = options
    this.#deframer = frameReader(options.framing)
    this.#iterator = channel.source[Symbol.asyncIterator]()
    this.#onAbort = () => { channel.abort(options.signal?.reason as Error) }
    options.signal?.addEventListener('abort', this.#onAbort)
    this.#sunk = channel.sink(this.#outgoing())
    this.#sunk.catch(() => {})
  }

  send (message: Encoded): void {
    this.#queue.push(message)
    this.#wake?.()
  }

  /** Lets what is queued go to the channel, as far as that takes it without waiting. */
  async written (): Promise<void> {
    for (let turn = 0; turn < WRITING_TURNS && this.#queue.length > 0; turn++) await undefined
    for (let turn = 0; turn < WRITING_TURNS; turn++) await undefined
  }

  /** The next message; `undefined` when none came within `ms`. */
  async receive (ms: number): Promise<Frame | undefined> {
    for (;;) {
      const next = this.#frames.shift()
      if (next !== undefined) return next
      this.#options.signal?.throwIfAborted()
      const result = await this.#next(ms)
      if (result === undefined) return undefined
      if (result.done === true) {
        this.#deframer.end()
        throw new IpcUploadError('ERR_INTERRUPTED', 'connection', 'the peer ended the connection before it had answered')
      }
      for (const chunk of result.value) this.#frames.push(...this.#deframer.push(chunk))
    }
  }

  /** Ends our direction, and waits for the peer to end its own: what it says still is not for us. */
  async close (): Promise<void> {
    this.#ended = true
    this.#wake?.()
    try {
      await this.#sunk
      for (let heard = 0; heard < MAX_STRAY_RESPONSES; heard++) {
        const result = await this.#next(ANSWER_TIMEOUT_MS)
        if (result === undefined || result.done === true) break
      }
    } catch {
      // Everything was acknowledged: how the connection goes is all the same.
    } finally {
      this.#options.signal?.removeEventListener('abort', this.#onAbort)
      void this.#iterator.return?.()?.catch(() => {})
    }
  }

  /** Breaks the channel off, for a reason. */
  abort (reason: Error): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#ended = true
    this.#wake?.()
    this.#channel.abort(reason)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  /** A read that ran out of time goes on: its chunk is there for the next. */
  async #next (ms: number): Promise<IteratorResult<Iterable<Uint8Array>> | undefined> {
    this.#reading ??= this.#iterator.next()
    let cancel: (() => void) | undefined
    try {
      const late = new Promise<undefined>(resolve => { cancel = this.#options.clock.after(ms, () => { resolve(undefined) }) })
      const result = await Promise.race([this.#reading, late])
      if (result !== undefined) this.#reading = undefined
      return result
    } catch (cause) {
      if (this.#options.signal?.aborted === true) throw this.#options.signal.reason
      throw new IpcUploadError('ERR_INTERRUPTED', 'connection', 'the connection broke', { cause })
    } finally {
      cancel?.()
    }
  }

  async * #outgoing (): AsyncGenerator<Uint8Array | Uint8ArrayList, void, undefined> {
    for (;;) {
      if (this.#queue.length > 0) {
        const messages = this.#queue
        this.#queue = []
        yield * written(this.#options.framing, messages)
        continue
      }
      if (this.#ended) return
      await new Promise<void>(resolve => { this.#wake = resolve })
      this.#wake = undefined
    }
  }
}
