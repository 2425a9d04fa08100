/**
 * A WebSocket as a Connection, whatever platform it is of.
 *
 * @module
 */
import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import {
  CLOSE_TIMEOUT_MS, CLOSED_ABNORMALLY, CLOSED_WITHOUT_CODE, CloseCode, LINGER_MS, MAX_BUFFERED_BYTES, MAX_MESSAGE_BYTES,
  MAX_SEND_BYTES, PAUSE_SLACK_BYTES, RECEIVE_BUFFER_BYTES
} from './constants.ts'
import { closedHere, tooLarge, TransportError } from './errors.ts'
import { Inbound } from './inbound.ts'
import { Outbound } from './outbound.ts'
import type { Wire } from './wire.ts'

export interface ConnectionOptions {
  /** Bytes of the largest message that is accepted. */
  maxMessageBytes?: number | undefined
  /** Bytes of the largest message that is sent; what a source yields is cut and joined accordingly. */
  maxSendBytes?: number | undefined
  /** Bytes that may wait unread before the socket is paused, where it can be. */
  receiveBufferBytes?: number | undefined
  /** Bytes that may wait unread where the socket cannot be paused; one more ends the connection. */
  maxBufferedBytes?: number | undefined
  /** How long a graceful close waits for the peer's end. */
  closeTimeoutMs?: number | undefined
}

export class MessageConnection implements Connection {
  readonly remote: RemoteInfo
  readonly #wire: Wire
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  readonly #maxMessageBytes: number
  readonly #closeTimeoutMs: number
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  /** The WebSocket is gone. */
  #gone = false
  /** We have broken it off: nothing that still comes is looked at. */
  #over = false
  #peerEnded = false
  #closing: ReturnType<typeof setTimeout> | undefined

  constructor (wire: Wire, remote: RemoteInfo, options: ConnectionOptions) {
    const { receiveBufferBytes = RECEIVE_BUFFER_BYTES, maxMessageBytes = MAX_MESSAGE_BYTES } = options
    this.remote = remote
    this.#wire = wire
    this.#maxMessageBytes = maxMessageBytes
    this.#closeTimeoutMs = options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS
    this.#inbound = new Inbound({
      open: () => wire.resume(),
      close: () => wire.pause(),
      left: () => { if (this.#outbound.finished) this.#limitClose() }
    }, {
      receiveBufferBytes,
      maxBufferedBytes: wire.pausable ? receiveBufferBytes + maxMessageBytes + PAUSE_SLACK_BYTES : options.maxBufferedBytes ?? MAX_BUFFERED_BYTES
    })
    this.#outbound = new Outbound(wire, {
      maxSendBytes: options.maxSendBytes ?? MAX_SEND_BYTES,
      end: () => this.#sendEnd(),
      finished: () => this.#onFinished(),
      abort: reason => this.abort(reason)
    })
    wire.start({
      message: bytes => this.#onMessage(bytes),
      text: () => this.#refuse(new TransportError('ERR_TEXT_MESSAGE', 'a text message: this transport carries bytes', { remote: true }), CloseCode.Text),
      failed: error => this.#onFailed(error),
      closed: (code, reason) => this.#onClosed(code, reason)
    })
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return this.#inbound
  }

  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    return this.#outbound.sink(source, options)
  }

  attach (receiver: ByteReceiver): ByteFlow {
    return this.#inbound.attach(receiver)
  }

  abort (reason: Error = closedHere()): void {
    if (!this.#over) {
      this.#over = true
      this.#close(CloseCode.Aborted, 'aborted')
    }
    this.#inbound.abort(reason)
    this.#outbound.fail(reason)
  }

  /** Ends our direction, lets a running sink finish, and drops what the peer still sends. */
  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#gone) return

    this.#inbound.abort(closedHere())
    this.#outbound.end()
    this.#limitClose()
    await this.#closed.promise
  }

  /** The connection is dead without having said so: a keep-alive found out. */
  lose (error: TransportError): void {
    if (this.#over) return
    this.#over = true
    this.#lose(error)
    this.#wire.terminate()
  }

  #onMessage (bytes: Uint8Array): void {
    if (this.#over) return
    if (bytes.length > this.#maxMessageBytes) {
      this.#refuse(tooLarge(bytes.length, this.#maxMessageBytes), CloseCode.TooLarge)
    } else if (this.#peerEnded) {
      this.#refuse(new TransportError('ERR_PROTOCOL', `message of ${bytes.length} bytes after the end of data`, { remote: true }), CloseCode.Protocol)
    } else if (bytes.length > 0) {
      this.#receive(bytes)
    } else if (this.#wire.halfClose) {
      this.#peerEnded = true
      this.#inbound.end()
      // What comes now is the close.
      this.#wire.resume()
      this.#closeIfOver()
    }
  }

  #receive (bytes: Uint8Array): void {
    try {
      this.#inbound.receive(bytes)
    } catch (error) {
      // The receivers promise not to throw: this is the bound.
      this.#refuse(error as TransportError, CloseCode.BufferFull)
    }
  }

  /** The wire is closing by itself; a peer that does not join in is dropped. */
  #onFailed (error: TransportError): void {
    this.#over = true
    this.#lose(error)
    this.#limitLinger()
  }

  #onClosed (code: number, reason: string): void {
    this.#gone = true
    clearTimeout(this.#closing)
    if (!this.#wire.halfClose && (code === CloseCode.Normal || code === CLOSED_WITHOUT_CODE)) this.#inbound.end()
    // A peer that closes after both ends has seen ours, perhaps before we knew that it had left.
    if (this.#peerEnded && code === CloseCode.Normal) this.#outbound.confirm()
    this.#lose(closeError(code, reason))
    this.#closed.resolve()
  }

  #sendEnd (): void {
    if (this.#wire.halfClose) this.#wire.send(new Uint8Array(0))
  }

  #onFinished (): void {
    if (this.#inbound.left) this.#limitClose()
    this.#closeIfOver()
  }

  /** Without the subprotocol, the end of our direction is the end of all. */
  #closeIfOver (): void {
    if (this.#gone || !this.#outbound.finished || (this.#wire.halfClose && !this.#peerEnded)) return
    this.#wire.close(CloseCode.Normal, '')
    // The peer's answer must be seen, however slow the consumer is.
    this.#wire.resume()
    this.#limitClose()
  }

  /** The peer has broken a rule. */
  #refuse (error: TransportError, code: CloseCode): void {
    if (this.#over) return
    this.#over = true
    this.#lose(error)
    this.#close(code, error.code)
  }

  #lose (error: Error): void {
    this.#inbound.fail(error)
    this.#outbound.fail(error)
  }

  /** Says why. A peer that does not read does not learn it. */
  #close (code: CloseCode, reason: string): void {
    if (this.#gone) return
    this.#wire.close(code, reason)
    this.#wire.resume()
    this.#limitLinger()
  }

  #limitLinger (): void {
    if (this.#gone) return
    clearTimeout(this.#closing)
    this.#closing = setTimeout(() => this.#wire.terminate(), Math.min(this.#closeTimeoutMs, LINGER_MS))
  }

  /** From now on the connection has a bounded time to come to its end by itself. */
  #limitClose (): void {
    if (this.#gone) return
    this.#closing ??= setTimeout(() => this.abort(closedHere()), this.#closeTimeoutMs)
  }
}

function closeError (code: number, reason: string): TransportError {
  if (code === CLOSED_ABNORMALLY) return new TransportError('ERR_CONNECTION_LOST', 'the connection went away without a close', { remote: true })

  const said = reason === '' ? '' : ` ${JSON.stringify(reason)}`
  return code === CloseCode.Normal || code === CLOSED_WITHOUT_CODE
    ? new TransportError('ERR_CONNECTION_LOST', 'the peer closed the connection before its end of data', { remote: true })
    : new TransportError('ERR_CONNECTION_RESET', `the peer closed the connection with ${code}${said}`, { remote: true })
}
