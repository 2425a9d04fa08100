/**
 * A stream of libp2p, of whichever muxer, as a Channel.
 *
 * @module
 */
import type { Stream, StreamCloseEvent } from '@libp2p/interface'
import type { AbortOptions, Bytes, Channel, Source } from '@ropewalk/interface'
import { Feeder, type FeederTarget } from '@ropewalk/mux'
import { MAX_BUFFERED_BYTES } from './constants.ts'
import { Libp2pError } from './errors.ts'
import { MessageReader } from './message-reader.ts'

export interface ChannelOptions {
  /** Bytes that the stream may hold while it is paused; beyond that it is reset. At least as wide as the windows of its muxer grow. Default 16 MiB. */
  maxBufferedBytes?: number | undefined
}

/** Hands `stream` over to a channel: nobody else uses it from now on. */
export function toChannel (stream: Stream, options: ChannelOptions = {}): Channel {
  return new StreamChannel(stream, options.maxBufferedBytes ?? MAX_BUFFERED_BYTES)
}

class StreamChannel implements Channel, FeederTarget {
  readonly source: MessageReader
  readonly #stream: Stream
  #feeder: Feeder | undefined
  #sent: PromiseWithResolvers<void> | undefined
  #remoteEnded: boolean
  #error: Error | undefined

  constructor (stream: Stream, maxBufferedBytes: number) {
    this.#stream = stream
    this.#remoteEnded = stream.remoteWriteStatus === 'closed'
    // What fits into the window comes, paused or not: a limit below it would punish the slow reader, not the peer.
    stream.maxReadBufferLength = Math.max(stream.maxReadBufferLength, maxBufferedBytes)
    this.source = new MessageReader(stream, () => this.#left())
    stream.addEventListener('drain', this.#drained)
    stream.addEventListener('remoteCloseWrite', this.#finished)
    stream.addEventListener('close', this.#closed)
    if (this.#remoteEnded) this.source.end()
    if (stream.status !== 'open') this.#over(undefined)
  }

  sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    if (this.#sent !== undefined) return Promise.reject(new TypeError('a channel has one sink'))
    const sent = this.#sent = Promise.withResolvers<void>()
    this.#feeder = new Feeder(source, this)
    if (signal?.aborted === true) this.abort(asError(signal.reason))
    if (this.#error !== undefined || this.#stream.writeStatus !== 'writable') this.#stopSending(this.#error ?? closed())
    else this.#feeder.pull()
    if (signal === undefined) return sent.promise
    const abort = (): void => this.abort(asError(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    return sent.promise.finally(() => signal.removeEventListener('abort', abort))
  }

  abort (reason: Error): void {
    if (this.#error !== undefined) return
    this.#fail(reason, true)
    this.#stream.abort(reason)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    this.abort(closed())
    return Promise.resolve()
  }

  // What the feeder says.

  take (bytes: Bytes): boolean {
    try {
      return this.#stream.send(bytes)
    } catch (error) {
      this.abort(error as Error)
      return false
    }
  }

  ended (): void {
    this.#stream.close().then(() => this.#sent?.resolve(), error => this.abort(this.#lost(error)))
  }

  broken (error: Error): void {
    this.abort(error)
  }

  // What the stream says.

  readonly #drained = (): void => {
    this.#feeder?.pull()
  }

  readonly #finished = (): void => {
    this.#remoteEnded = true
    this.source.end()
  }

  readonly #closed = ({ error }: StreamCloseEvent): void => {
    this.#over(error)
  }

  /** Half a close, where the muxer can; elsewhere what comes is dropped. */
  #left (): void {
    this.#stream.closeRead().catch(error => this.abort(error as Error))
  }

  #over (error: Error | undefined): void {
    if (error !== undefined || this.#stream.status === 'aborted' || this.#stream.status === 'reset') this.#fail(this.#lost(error), false)
    // Below, a connection that goes away closes its streams as if they were complete.
    else if (!this.#remoteEnded) this.#fail(new Libp2pError('ERR_TRUNCATED', 'the stream was closed before the peer ended its data'), false)
  }

  #lost (cause: unknown): Libp2pError {
    return new Libp2pError('ERR_STREAM_LOST', cause instanceof Error ? `the stream failed: ${cause.message}` : 'the stream was reset', { cause })
  }

  #fail (error: Error, drop: boolean): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.source.fail(error, drop)
    this.#stopSending(error)
  }

  #stopSending (error: Error): void {
    this.#feeder?.stop()
    this.#sent?.reject(error)
  }
}

function closed (): Libp2pError {
  return new Libp2pError('ERR_CLOSED', 'the channel is closed', { remote: false })
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
