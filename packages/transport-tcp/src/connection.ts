/**
 * A socket as a Connection.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { formatHostPort } from './address.ts'
import { CLOSE_TIMEOUT_MS, RECEIVE_BUFFER_BYTES } from './constants.ts'
import { TransportError, transportError } from './errors.ts'
import { closedHere, Inbound } from './inbound.ts'
import { Outbound } from './outbound.ts'
import { type ReadBuffer, readIntoBuffer } from './read-buffer.ts'

export interface SocketOptions {
  /** Bytes that may wait unread before the socket is paused. */
  receiveBufferBytes?: number | undefined
  /** How long a graceful close waits for the peer's end. */
  closeTimeoutMs?: number | undefined
}

/** What `dial` and `listen` know of the sockets that they make. */
export interface SocketParts {
  /** The `onread` that the socket was made with; without it, bytes come as 'data' events, until a TLS socket is given one. */
  readBuffer?: ReadBuffer | undefined
  /** The TCP socket under a TLS socket. */
  carrier?: Socket | undefined
}

/**
 * Makes a connection of an open net.Socket or tls.TLSSocket, which from then on is the connection's own.
 * Make the socket with `allowHalfOpen: true`, or our direction ends together with the peer's.
 */
export function fromSocket (socket: Socket, remote?: RemoteInfo, options?: SocketOptions): Connection {
  return new SocketConnection(socket, remote ?? { address: remoteAddress(socket) }, options ?? {}, {})
}

/** Where the peer of an open socket is, for people. */
export function remoteAddress (socket: Socket): string {
  const { remoteAddress: host, remotePort: port } = socket
  return host == null || port == null ? 'unix:' : formatHostPort(host, port)
}

export class SocketConnection implements Connection {
  readonly remote: RemoteInfo
  readonly #socket: Socket
  readonly #carrier: Socket | undefined
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  readonly #closeTimeoutMs: number
  #reading = false
  #closed = false
  #closing: NodeJS.Timeout | undefined

  constructor (socket: Socket, remote: RemoteInfo, options: SocketOptions, parts: SocketParts) {
    this.remote = remote
    this.#socket = socket
    this.#carrier = parts.carrier
    this.#closeTimeoutMs = options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS
    this.#inbound = new Inbound({
      open: () => this.#read(parts.readBuffer),
      close: () => { socket.pause() },
      left: () => { if (this.#outbound.finished) this.#limitClose() }
    }, options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES)
    this.#outbound = new Outbound(socket, reason => this.abort(reason))
    parts.readBuffer?.serve(this.#inbound)

    // Stays for good: an 'error' that nobody listens to ends the process.
    socket.on('error', this.#onError)
    if (socket.destroyed) {
      this.#onClose()
      return
    }

    socket.setNoDelay(true)
    socket.on('end', this.#onEnd)
    socket.on('drain', this.#onDrain)
    socket.on('finish', this.#onFinish)
    socket.on('close', this.#onClose)
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
    this.#inbound.abort(reason)
    this.#outbound.fail(reason)
    this.#destroy()
  }

  /** Ends our direction, lets a running sink finish, and drops what the peer still sends. */
  async [Symbol.asyncDispose] (): Promise<void> {
    if (this.#closed) return

    const closed = new Promise(resolve => { this.#socket.once('close', resolve) })
    this.#inbound.discard(closedHere())
    this.#outbound.end()
    this.#limitClose()
    await closed
  }

  readonly #onError = (error: Error): void => this.#fail(transportError(error))

  readonly #onEnd = (): void => this.#inbound.end()

  readonly #onDrain = (): void => this.#outbound.drained()

  readonly #onFinish = (): void => {
    this.#outbound.finish()
    if (this.#inbound.left) this.#limitClose()
  }

  readonly #onClose = (): void => {
    const { errored } = this.#socket
    this.#closed = true
    clearTimeout(this.#closing)
    this.#fail(errored != null ? transportError(errored) : new TransportError('ERR_CONNECTION_LOST', 'the connection was closed before its end'))

    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('drain', this.#onDrain)
    this.#socket.off('finish', this.#onFinish)
    this.#socket.off('close', this.#onClose)
  }

  readonly #onData = (bytes: Uint8Array): void => this.#inbound.receive(bytes, false)

  #read (readBuffer: ReadBuffer | undefined): void {
    if (!this.#reading && readBuffer == null) {
      this.#socket.on('data', this.#onData)
      if (this.#socket instanceof TLSSocket) readIntoBuffer(this.#socket, this.#inbound)
    }
    this.#reading = true
    this.#socket.resume()
  }

  #fail (error: Error): void {
    this.#inbound.fail(error)
    this.#outbound.fail(error)
  }

  /** From now on the connection has a bounded time to come to its end by itself. */
  #limitClose (): void {
    if (this.#closed) return
    this.#closing ??= setTimeout(() => this.abort(closedHere()), this.#closeTimeoutMs)
  }

  /** A plain close looks like an end of data to the peer; where the system can, send a reset. */
  #destroy (): void {
    const socket = this.#carrier ?? this.#socket
    // Under TLS it is the upper one that ends, and its shutdown that is under way below: a reset is refused then, and nothing would be closed at all.
    const shuttingDown = [socket, this.#socket].some(({ writableEnded, writableFinished }) => writableEnded && !writableFinished)
    // What resetAndDestroy() sets; that method itself waits for everything that is queued, and the peer may never take it.
    if (!shuttingDown && !isPipe(socket)) Object.assign(socket, { resetAndClosing: true })
    this.#socket.destroy()
  }
}

function isPipe (socket: Socket): boolean {
  return socket.remotePort == null
}
