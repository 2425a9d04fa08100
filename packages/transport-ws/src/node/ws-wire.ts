/**
 * The WebSocket of `ws`: it can be paused, and it tells when bytes have left.
 *
 * @module
 */
import type { WebSocket } from 'ws'
import { TransportError, type TransportErrorCode } from '../errors.ts'
import type { Wire, WireEvents } from '../wire.ts'
import { SUBPROTOCOL } from '../constants.ts'

export class WsWire implements Wire {
  readonly pausable = true
  readonly #socket: WebSocket
  #drained: { bytes: number, resolve (): void } | undefined

  /** Make it as soon as `socket` is open. */
  constructor (socket: WebSocket) {
    this.#socket = socket
  }

  get halfClose (): boolean {
    return this.#socket.protocol === SUBPROTOCOL
  }

  get bufferedBytes (): number {
    return this.#socket.bufferedAmount
  }

  start (events: WireEvents): void {
    this.#socket.on('message', (data, isBinary) => {
      // `binaryType` is 'nodebuffer'.
      const { buffer, byteOffset, length } = data as Buffer
      if (isBinary) events.message(new Uint8Array(buffer, byteOffset, length))
      else events.text()
    })
    this.#socket.on('error', error => events.failed(wsError(error)))
    this.#socket.on('close', (code, reason) => {
      this.#settle()
      events.closed(code, String(reason))
    })
  }

  send (message: Uint8Array): void {
    this.#socket.send(message, this.#onSent)
  }

  drained (bytes: number): Promise<void> {
    if (this.#socket.bufferedAmount <= bytes || this.#socket.readyState === this.#socket.CLOSED) return Promise.resolve()
    return new Promise(resolve => { this.#drained = { bytes, resolve } })
  }

  turn (): Promise<void> {
    return new Promise(resolve => { setImmediate(resolve) })
  }

  pause (): void {
    this.#socket.pause()
  }

  resume (): void {
    this.#socket.resume()
  }

  close (code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate (): void {
    this.#socket.terminate()
  }

  readonly #onSent = (): void => {
    if (this.#drained != null && this.#socket.bufferedAmount <= this.#drained.bytes) this.#settle()
  }

  #settle (): void {
    this.#drained?.resolve()
    this.#drained = undefined
  }
}

/** An error of an open `ws` WebSocket as ours. */
function wsError (error: Error): TransportError {
  const { code = '' } = error as { code?: string }
  return new TransportError(classify(code), error.message, { cause: error, remote: code.startsWith('WS_ERR_') || code === 'ECONNRESET' || code === 'EPIPE' })
}

function classify (code: string): TransportErrorCode {
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return 'ERR_MESSAGE_TOO_LARGE'
  if (code.startsWith('WS_ERR_')) return 'ERR_PROTOCOL'
  if (code === 'ETIMEDOUT') return 'ERR_TIMEOUT'
  if (/^ERR_(SSL|TLS|OSSL)_|^EPROTO$/.test(code)) return 'ERR_TLS'
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'ERR_CONNECTION_RESET' : 'ERR_IO'
}
