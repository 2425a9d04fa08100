/**
 * A socket of packets as a Connection: each buffer that comes out of `source` is a packet, and each item of a sink becomes one.
 *
 * @module
 */
import type { AbortOptions, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { CLOSE_TIMEOUT_MS, MAX_PACKET_BYTES, RECEIVE_BUFFER_BYTES } from './constants.ts'
import { TransportError, transportError } from './errors.ts'
import { Inbound } from './inbound.ts'
import type { PacketSocket } from './library.ts'
import { Outbound } from './outbound.ts'

export interface SocketOptions {
  /** Bytes that may wait unread before the connection is cut off. */
  receiveBufferBytes?: number | undefined
  /** How long a graceful close waits for the peer's end. */
  closeTimeoutMs?: number | undefined
}

export class PacketConnection implements Connection {
  readonly remote: RemoteInfo
  readonly #socket: PacketSocket
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  readonly #closeTimeoutMs: number
  readonly #closed = Promise.withResolvers<void>()
  #gone = false
  #broken = false
  #closing: NodeJS.Timeout | undefined

  constructor (socket: PacketSocket, remote: RemoteInfo, options: SocketOptions = {}) {
    const maxBytes = options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES
    this.remote = remote
    this.#socket = socket
    this.#closeTimeoutMs = options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS
    this.#inbound = new Inbound(maxBytes, () => { if (this.#outbound.finished) this.#limitClose() })
    this.#outbound = new Outbound(socket, reason => { this.abort(reason) })
    // One byte more, and a packet that is too large is seen to be so.
    socket.setInternalReadBufferSize(MAX_PACKET_BYTES + 1)
    socket.on('data', packet => {
      if (packet.length > MAX_PACKET_BYTES) this.#break(new TransportError('ERR_TOO_LARGE', `packet of more than ${MAX_PACKET_BYTES} bytes`, { remote: true }))
      else if (!this.#inbound.receive(packet)) this.#break(new TransportError('ERR_OVERFLOW', `more than ${maxBytes} bytes, or too many packets, that nobody has taken`, { remote: true }))
    })
    socket.on('end', () => { this.#inbound.end() })
    socket.on('error', error => { this.#break(transportError(error)) })
    socket.on('close', () => {
      this.#gone = true
      clearTimeout(this.#closing)
      // The library closes by itself when both directions have ended, and may say so before it tells of either.
      if (!this.#broken) {
        this.#inbound.end()
        this.#outbound.finish()
      }
      this.#closed.resolve()
    })
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return this.#inbound
  }

  /** Resolves when the connection is gone. */
  get closed (): Promise<void> {
    return this.#closed.promise
  }

  async sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    await this.#outbound.sink(source, options)
    if (this.#inbound.over) this.#limitClose()
  }

  abort (reason: Error = closedHere()): void {
    this.#broken = true
    this.#inbound.fail(reason, true)
    this.#outbound.fail(reason)
    this.#destroy()
  }

  /** Ends our direction, lets a running sink finish, and drops what the peer still sends. */
  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#gone) return
    this.#outbound.end()
    await this.#inbound.return()
    this.#limitClose()
    await this.#closed.promise
  }

  /** The connection breaks: what had come before can still be taken. */
  #break (error: TransportError): void {
    this.#broken = true
    this.#inbound.fail(error)
    this.#outbound.fail(error)
    this.#destroy()
  }

  /** Not at once: the library may be in the middle of reading, and ends the process when its socket goes away under it. */
  #destroy (): void {
    setImmediate(() => { this.#socket.destroy() })
  }

  #limitClose (): void {
    if (!this.#gone) this.#closing ??= setTimeout(() => { this.abort(closedHere()) }, this.#closeTimeoutMs)
  }
}

export function closedHere (): TransportError {
  return new TransportError('ERR_ABORTED', 'closed from here')
}
