/**
 * A stream of libp2p over a channel. What arrives stays in the channel, and uncredited, until somebody listens to
 * messages and is not paused: so a stream never holds more than one window, whatever its user does.
 *
 * @module
 */
import type { AbortOptions, EventHandler, Logger, MessageStreamDirection, MessageStreamEvents, StreamCloseEvent, StreamOptions } from '@libp2p/interface'
import { StreamMessageEvent, StreamResetError } from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import { MdsftpError, type BytesChannel, type ChannelObserver } from '@ropewalk/muxer-mdsftp'
import type { Uint8ArrayList } from 'uint8arraylist'
import { MAX_WAITING_WRITES, WINDOW_BYTES } from './constants.ts'
import { Messages } from './messages.ts'

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

export class MdsftpStream extends AbstractStream implements ChannelObserver {
  readonly #channel: BytesChannel
  /** Iterators that have not asked for the next message. */
  #sated = 0
  #sent: PromiseWithResolvers<void> | undefined
  /** Since the channel last had room. */
  #writes = 0

  constructor (channel: BytesChannel, direction: MessageStreamDirection, log: Logger, options: StreamOptions) {
    // No protocol yet, whatever was asked for: an open of ours cannot say one, it is negotiated on the stream.
    super({ ...options, id: String(channel.id), protocol: '', direction, log })
    this.#channel = channel
  }

  /** Begins to hear of the channel, once somebody could listen. */
  start (): void {
    this.#channel.observe(this)
  }

  override get readBufferLength (): number {
    return this.readBuffer.byteLength + this.#channel.unread
  }

  override get writeBufferLength (): number {
    return this.writeBuffer.byteLength + this.#channel.waiting
  }

  override addEventListener<K extends keyof MessageStreamEvents> (type: K, listener: EventHandler<MessageStreamEvents[K]> | null, options?: ListenerOptions): void
  override addEventListener (type: string, listener: EventHandler<Event>, options?: ListenerOptions): void
  override addEventListener (type: string, listener: unknown, options?: ListenerOptions): void {
    super.addEventListener(type, listener as EventHandler<Event>, options)
    // Not at once: listeners are added in constructors, too.
    if (type === 'message' && this.readBufferLength > 0) queueMicrotask(() => this.#flow())
  }

  /** AbstractStream's own resolves at once after the first time. */
  override async onDrain ({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (!this.writableNeedsDrain) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const close = (event: StreamCloseEvent): void => reject(event.error ?? new StreamResetError('the stream was closed'))
    const abort = (): void => reject(signal?.reason)
    this.addEventListener('drain', resolve as () => void)
    this.addEventListener('close', close)
    signal?.addEventListener('abort', abort)
    try {
      await promise
    } finally {
      this.removeEventListener('drain', resolve as () => void)
      this.removeEventListener('close', close)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** A close that gives up waiting is still a close: what waits goes out, and the end behind it. */
  override async close (options?: AbortOptions): Promise<void> {
    try {
      await super.close(options)
    } catch (error) {
      const end = (): void => { this.sendCloseWrite().catch(() => {}) }
      if (this.writeBuffer.byteLength === 0) end()
      else this.addEventListener('idle', end, { once: true })
      throw error
    }
  }

  override async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    if (this.status === 'reset' || this.status === 'aborted') throw new StreamResetError(`the stream was ${this.status}`)
    this.#sated++
    const messages = new Messages(this, wanted => {
      this.#sated += wanted ? -1 : 1
      if (wanted) this.#flow()
    })
    try {
      for (let bytes = await messages.next(); bytes !== undefined; bytes = await messages.next()) yield bytes
    } finally {
      messages.close()
    }
  }

  // What the channel says.

  readable (): void {
    this.#flow()
  }

  ended (): void {
    if (this.status !== 'open') return
    this.#takeRest()
    this.onRemoteCloseWrite()
  }

  writable (): void {
    this.#writes = 0
    if (this.writableNeedsDrain) this.safeDispatchEvent('drain')
  }

  finished (): void {
    this.#sent?.resolve()
    if (this.status !== 'open') return
    // Also for a close that gave up waiting: the end went out all the same.
    this.writeStatus = 'closed'
    if (this.remoteWriteStatus === 'closed') this.onTransportClosed()
  }

  failed (error: Error): void {
    this.#sent?.reject(error)
    if (this.status !== 'open') return
    this.#takeRest()
    const reset = error instanceof MdsftpError && error.code === 'ERR_CHANNEL_RESET'
    if (reset) this.onRemoteReset()
    // Nothing is lost with the connection when the peer had ended and nothing waits to be sent.
    else if (this.remoteWriteStatus === 'closed' && this.writeBufferLength === 0) this.onTransportClosed()
    else this.onTransportClosed(error)
  }

  // What AbstractStream asks for.

  override sendData (data: Uint8ArrayList): SendResult {
    this.#writes++
    // An event is a round through the event loop away: more may wait here than behind a source that is pulled.
    const more = this.#channel.write(data) || (this.#channel.waiting < WINDOW_BYTES && this.#writes < MAX_WAITING_WRITES)
    return { sentBytes: data.byteLength, canSendMore: more }
  }

  override async sendCloseWrite ({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#sent ??= this.#end()
    if (signal === undefined) return this.#sent.promise
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await Promise.race([this.#sent.promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** The wire cannot say it: what still comes is taken, credited and dropped. */
  override async sendCloseRead (options: AbortOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#flow()
  }

  override sendReset (error: Error): void {
    this.#channel.abort(error)
  }

  // Credit is withheld by not reading the channel: a pause needs no frame.
  override sendPause (): void {}

  override sendResume (): void {
    this.#flow()
  }

  #end (): PromiseWithResolvers<void> {
    const sent = Promise.withResolvers<void>()
    sent.promise.catch(() => {})
    if (this.status === 'open') this.#channel.end()
    else sent.reject(new StreamResetError(`the stream is ${this.status}`))
    return sent
  }

  /** What waited for the end of the data comes as it was sent, as far as it still lies apart. */
  protected override dispatchReadBuffer (): void {
    while (this.remoteWriteStatus === 'closed' && this.#flowing) {
      const [piece] = this.readBuffer
      if (piece === undefined || piece.byteLength === this.readBuffer.byteLength) break
      this.readBuffer.consume(piece.byteLength)
      this.dispatchEvent(new StreamMessageEvent(piece))
    }
    if (this.#sated === 0) super.dispatchReadBuffer()
  }

  get #flowing (): boolean {
    return this.readStatus === 'readable' && this.#sated === 0 && this.listenerCount('message') > 0
  }

  /** Hands over what has arrived, if anybody wants it now. */
  #flow (): void {
    if (this.readStatus === 'closing' || this.readStatus === 'closed') {
      this.#channel.read()
      return
    }
    if (!this.#flowing) return
    const bytes = this.#channel.read()
    // Around AbstractStream's buffer, which would take it apart and together again.
    if (bytes !== undefined && this.readBuffer.byteLength === 0) this.dispatchEvent(new StreamMessageEvent(bytes))
    else if (bytes !== undefined) this.onData(bytes)
    else if (this.readBuffer.byteLength > 0) this.dispatchReadBuffer()
  }

  /** Nothing comes any more: the rest, at most one window, goes where AbstractStream looks for it when it ends. */
  #takeRest (): void {
    const rest = this.#channel.read()
    if (rest !== undefined) this.readBuffer.append(rest)
  }
}
