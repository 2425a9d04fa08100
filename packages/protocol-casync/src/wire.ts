import type { AbortOptions, Channel } from '@ropewalk/interface'
import { isAttachable, readAttached } from './attached.ts'
import { abortFor } from './abort-codec.ts'
import { Deadline, systemClock, type Clock } from './clock.ts'
import { HELLO_TIMEOUT_MS, IDLE_TIMEOUT_MS, LAST_WORDS_MS } from './constants.ts'
import { CasyncError } from './errors.ts'
import { encodeMessage, MessageDecoder, owned, type Message } from './message-codec.ts'
import { Outbox, type SendOptions } from './outbox.ts'

/** What every session takes. Aborting the signal tells the peer, ends the channel and rejects with the signal's reason. */
export interface SessionOptions extends AbortOptions {
  /** How long the peer may take to say hello. Default 30 s. */
  helloMs?: number | undefined
  /** How long the peer may owe something without sending or taking a byte. Default 5 min. */
  idleMs?: number | undefined
  /** For tests. */
  clock?: Clock | undefined
}

/** What a session does with what comes. */
export interface Listener {
  /** Nothing more is read until it resolves. */
  message (message: Message): void | Promise<void>
  /** The stream of the peer has ended, between two messages. */
  end (): void
  /** Whether the peer owes something, so that its silence counts. */
  waiting (): boolean
  /** What messages carry is good until `message` returns, which spares an array for each. Default false: it lasts. */
  readonly borrows?: boolean | undefined
}

/** A channel that carries messages: says hello, listens, gives up aloud. */
export class Wire {
  readonly #channel: Channel
  /** Whether the channel tells when it has done with what it was given. */
  readonly releases: boolean
  readonly #outbox: Outbox
  readonly #sent: Promise<void>
  readonly #clock: Clock
  readonly #deadline: Deadline
  readonly #idleMs: number
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => { this.fail(this.#signal?.reason) }
  #greeted = false
  #lingering = false
  #failure: { error: unknown } | undefined
  #listener: Listener | undefined
  #onFailure: ((error: unknown) => void) | undefined
  #cancelCut: (() => void) | undefined

  constructor (channel: Channel, hello: Message, options: SessionOptions) {
    const { helloMs = HELLO_TIMEOUT_MS, idleMs = IDLE_TIMEOUT_MS, clock = systemClock, signal } = options
    this.#channel = channel
    this.releases = 'releases' in channel && channel.releases === true
    this.#clock = clock
    this.#idleMs = idleMs
    this.#signal = signal
    this.#deadline = new Deadline(clock, (what, ms) => { this.fail(new CasyncError('ERR_TIMEOUT', 'channel', `no ${what} within ${ms} ms`)) })
    this.#outbox = new Outbox(() => { this.touch() })
    this.#deadline.set(helloMs, 'hello')
    this.send(hello).catch(() => {})
    this.#sent = channel.sink(this.#outbox)
    this.#sent.catch((error: unknown) => { this.fail(new CasyncError('ERR_INTERRUPTED', 'channel', 'the channel takes no more', { cause: error })) })
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted === true) this.#onAbort()
  }

  /** Encodes and sends. Resolves when there is room for more. `release` is called once the channel has done with what the message carries, if it tells. */
  async send (message: Message, { release, more }: SendOptions = {}): Promise<void> {
    await this.#outbox.send(encodeMessage(message), { release: this.releases ? release : undefined, more })
  }

  /** Reads to the end of the stream. Rejects, at once, with whatever ended the session; what is left to do then is done behind it. */
  async listen (listener: Listener): Promise<void> {
    this.#listener = listener
    const { promise: failed, reject } = Promise.withResolvers<never>()
    this.#onFailure = reject
    if (this.#failure !== undefined) reject(this.#failure.error)
    await Promise.race([failed, this.#read(listener)])
  }

  async #read (listener: Listener): Promise<void> {
    const { borrows = false } = listener
    const decoder = new MessageDecoder({ lends: borrows })
    const take = (bytes: Uint8Array): void | Promise<void> => {
      const taken = this.#take(decoder, bytes, listener)
      this.touch()
      return taken
    }
    try {
      if (borrows && isAttachable(this.#channel)) await readAttached(this.#channel, take)
      else for await (const list of this.#channel.source) for (const piece of list) await take(piece)
      if (this.#failure === undefined) {
        decoder.end()
        listener.end()
      }
    } catch (error) {
      // Whoever has said and heard everything does not mind how the channel ends.
      if (!this.#lingering) this.fail(error instanceof CasyncError ? error : new CasyncError('ERR_INTERRUPTED', 'channel', 'the channel broke', { cause: error }))
    } finally {
      this.#cancelCut?.()
      this.#deadline.stop()
      this.#signal?.removeEventListener('abort', this.#onAbort)
    }
  }

  /** After a failure the rest is let go by, so that the peer can hear our last words. While one message is waited for, those behind it are kept. */
  #take (decoder: MessageDecoder, bytes: Uint8Array, listener: Listener): void | Promise<void> {
    if (this.#failure !== undefined) return
    let handling: Promise<void> | undefined
    const behind: Message[] = []
    let wrong: { readonly error: unknown } | undefined
    try {
      for (const message of decoder.push(bytes)) {
        if (handling !== undefined) {
          behind.push(owned(message))
          continue
        }
        handling = this.#handle(message, listener) ?? undefined
        if (this.#failure !== undefined) return
      }
    } catch (error) {
      wrong = { error }
    }
    if (handling !== undefined) return this.#handleBehind(handling, behind, wrong, listener)
    if (wrong !== undefined) this.fail(wrong.error)
  }

  #handle (message: Message, listener: Listener): void | Promise<void> {
    const handled = listener.message(message)
    this.#greeted ||= message.type === 'HELLO'
    return handled
  }

  async #handleBehind (handling: Promise<void>, behind: readonly Message[], wrong: { readonly error: unknown } | undefined, listener: Listener): Promise<void> {
    try {
      await handling
      for (const message of behind) {
        if (this.#failure !== undefined) return
        await this.#handle(message, listener)
      }
      if (wrong !== undefined) throw wrong.error
    } catch (error) {
      this.fail(error)
    }
  }

  /** Something moved, or was asked for: silence counts from now on, if the peer owes something. */
  touch (): void {
    if (!this.#greeted || this.#lingering || this.#failure !== undefined) return
    if (this.#listener?.waiting() === true) this.#deadline.set(this.#idleMs, 'byte')
    else this.#deadline.clear()
  }

  /** Everything was said. Resolves once the channel has taken it. */
  async finish (): Promise<void> {
    this.#outbox.end()
    await this.#sent
  }

  /** Everything was said and heard: the peer has a little while to end too. */
  linger (): void {
    this.#lingering = true
    this.#deadline.stop()
    this.#cutLater(new CasyncError('ERR_TIMEOUT', 'channel', `the peer does not end within ${LAST_WORDS_MS} ms`))
  }

  /** Tells the peer why, if it still listens, and ends the channel. Idempotent. */
  fail (error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#deadline.stop()
    const abort = abortFor(error)
    this.#outbox.fail(error, abort === undefined ? undefined : encodeMessage(abort))
    this.#cutLater(error instanceof Error ? error : new CasyncError('ERR_INTERRUPTED', 'channel', String(error), { remote: false }))
    this.#onFailure?.(error)
  }

  #cutLater (reason: Error): void {
    this.#cancelCut ??= this.#clock.after(LAST_WORDS_MS, () => { this.#channel.abort(reason) })
  }

  /** What ended the session, if something did. */
  get failure (): { readonly error: unknown } | undefined {
    return this.#failure
  }
}
