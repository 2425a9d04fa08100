/**
 * The WebSocket of browsers, Node, Deno and Bun, as the standard has it: nothing tells when bytes have left, and it cannot be paused.
 *
 * @module
 */
import type { Connection, RemoteInfo } from '@ropewalk/interface'
import { describe, parseUrl } from './address.ts'
import { type ConnectionOptions, MessageConnection } from './connection.ts'
import { CLOSED_ABNORMALLY, POLL_FIRST_MS, POLL_MAX_MS, SUBPROTOCOL } from './constants.ts'
import type { Wire, WireEvents } from './wire.ts'

/** What is used of a standard WebSocket. */
export interface PlatformWebSocket {
  readonly url: string
  readonly protocol: string
  readonly readyState: number
  readonly bufferedAmount: number
  binaryType: string
  onopen: unknown
  onmessage: unknown
  onerror: unknown
  onclose: unknown
  send (message: Uint8Array<ArrayBuffer>): void
  close (code?: number, reason?: string): void
}

/** From the WHATWG's standard. */
const OPEN = 1
const CLOSED = 3

/**
 * Makes a connection of an open WebSocket, which from then on is the connection's own. Do it in its 'open' event or where it is
 * made: messages that came before are lost.
 */
export function fromWebSocket (socket: PlatformWebSocket, remote?: RemoteInfo, options?: ConnectionOptions): Connection {
  if (socket.readyState !== OPEN) throw new TypeError(`the WebSocket is not open: readyState ${socket.readyState} instead of ${OPEN}`)
  return new MessageConnection(new PlatformWire(socket), remote ?? { address: describe(parseUrl(socket.url)) }, options ?? {})
}

class PlatformWire implements Wire {
  readonly pausable = false
  readonly #socket: PlatformWebSocket
  #events: WireEvents | undefined
  #drained: { bytes: number, resolve (): void } | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor (socket: PlatformWebSocket) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
  }

  get halfClose (): boolean {
    return this.#socket.protocol === SUBPROTOCOL
  }

  get bufferedBytes (): number {
    return this.#socket.bufferedAmount
  }

  start (events: WireEvents): void {
    this.#events = events
    this.#socket.onmessage = ({ data }: { data: unknown }): void => {
      if (data instanceof ArrayBuffer) events.message(new Uint8Array(data))
      else events.text()
    }
    this.#socket.onerror = null
    this.#socket.onclose = ({ code, reason }: { code: number, reason: string }): void => this.#forget(code, reason)
  }

  send (message: Uint8Array): void {
    // Memory that is shared, or could be resized, cannot be sent.
    const plain = message.buffer instanceof ArrayBuffer && !message.buffer.resizable ? message as Uint8Array<ArrayBuffer> : message.slice() as Uint8Array<ArrayBuffer>
    this.#socket.send(plain)
  }

  drained (bytes: number): Promise<void> {
    return new Promise(resolve => {
      this.#drained = { bytes, resolve }
      this.#poll(POLL_FIRST_MS)
    })
  }

  turn (): Promise<void> {
    return new Promise(resolve => { setTimeout(resolve, 0) })
  }

  pause (): void {}

  resume (): void {}

  close (code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** The platform drops it in its own time. */
  terminate (): void {
    if (this.#socket.readyState !== CLOSED) this.#socket.close()
    // Like every other close, not before the caller has finished.
    queueMicrotask(() => this.#forget(CLOSED_ABNORMALLY, ''))
  }

  #forget (code: number, reason: string): void {
    const events = this.#events
    this.#events = undefined
    this.#socket.onmessage = null
    this.#socket.onclose = null
    clearTimeout(this.#timer)
    this.#drained?.resolve()
    this.#drained = undefined
    events?.closed(code, reason)
  }

  #poll (delayMs: number): void {
    if (this.#drained == null) return
    if (this.#events == null || this.#socket.bufferedAmount <= this.#drained.bytes) {
      this.#drained.resolve()
      this.#drained = undefined
      return
    }
    this.#timer = setTimeout(() => this.#poll(Math.min(delayMs * 2, POLL_MAX_MS)), delayMs)
  }
}
