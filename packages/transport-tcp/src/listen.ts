/**
 * Accepting connections.
 *
 * @module
 */
import { chmodSync } from 'node:fs'
import { createServer, type AddressInfo, type ListenOptions as ServerOptions, type Server, type Socket } from 'node:net'
import type { AbortOptions, Connection, Listener } from '@ropewalk/interface'
import { type Address, checkAddress } from './address.ts'
import { remoteAddress, SocketConnection, type SocketOptions } from './connection.ts'
import { HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKES, MAX_PENDING_CONNECTIONS } from './constants.ts'
import { TransportError, transportError } from './errors.ts'
import { Handshakes } from './handshakes.ts'
import type { Identity } from './identity.ts'
import { Pending } from './pending.ts'
import { withReadBuffer } from './read-buffer.ts'
import { removeStaleSocket } from './stale-socket.ts'

export interface ListenOptions extends AbortOptions, SocketOptions {
  /** Accepted connections that may wait to be taken; one more is refused. */
  maxPendingConnections?: number | undefined
  /** TLS handshakes that may be under way; one more is refused. */
  maxHandshakes?: number | undefined
  /** For one TLS handshake. */
  handshakeTimeoutMs?: number | undefined
  tls?: ListenTlsOptions | undefined
  /** Told of every client that did not become a connection, and of trouble with accepting. The listener goes on. Must not throw. */
  onRefused?: ((error: TransportError) => void) | undefined
}

export interface ListenTlsOptions {
  identity: Identity
  /** Asks clients who they are. One that shows a certificate has its fingerprint in `remote`; whom to serve is for the caller to decide. */
  requestClientCertificate?: boolean | undefined
  /** Protocols that we speak, most wanted first. A client that offers only others is refused. */
  alpn?: string[] | undefined
}

/** Opens a listener; aborting the signal closes it. Rejects with a TransportError, or with the signal's reason. */
export async function listen<A extends Address> (address: A, options: ListenOptions = {}): Promise<Listener<A>> {
  const { signal } = options
  signal?.throwIfAborted()
  checkAddress(address)
  if (address.transport === 'tls' && options.tls == null) throw new TypeError('a tls listener needs tls.identity')
  if (address.transport === 'unix') await removeStaleSocket(address.path)
  signal?.throwIfAborted()

  const listener = new SocketListener(address, options)
  await listener.open()
  return listener
}

class SocketListener<A extends Address> implements Listener<A> {
  readonly #options: ListenOptions
  readonly #server: Server
  readonly #handshakes: Handshakes | undefined
  readonly #pending: Pending
  #address: A

  constructor (address: A, options: ListenOptions) {
    this.#address = address
    this.#options = options
    this.#pending = new Pending(options.maxPendingConnections ?? MAX_PENDING_CONNECTIONS)
    if (address.transport === 'tls' && options.tls != null) {
      this.#handshakes = new Handshakes(options.tls, options.maxHandshakes ?? MAX_HANDSHAKES, options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS)
    }
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: address.transport !== 'tls' })
  }

  get address (): A {
    return this.#address
  }

  async open (): Promise<void> {
    const { signal } = this.#options
    const server = this.#server
    const address = this.#address
    const { promise, resolve, reject } = Promise.withResolvers<void>()

    server.once('listening', resolve)
    server.once('error', reject)
    try {
      server.listen(where(address))
      // In the same turn, so that nobody else can have connected unless the umask lets everybody in for that moment.
      if (address.transport === 'unix' && server.listening && process.platform !== 'win32') chmodSync(address.path, 0o600)
      await promise
    } catch (error) {
      server.close(ignore)
      throw transportError(error, 'listen')
    } finally {
      server.off('listening', resolve)
      server.off('error', reject)
    }

    // Trouble with one accept (no file descriptors left, say) is not the end of the listener.
    server.on('error', error => this.#refused(transportError(error, 'listen')))
    server.on('connection', socket => this.#accept(socket))
    this.#address = bound(address, server, this.#options.tls?.identity)
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted === true) {
      await this.close()
      throw signal.reason
    }
  }

  async close (): Promise<void> {
    this.#close()
  }

  [Symbol.asyncDispose] (): Promise<void> {
    return this.close()
  }

  [Symbol.asyncIterator] (): AsyncIterator<Connection, undefined> {
    return this.#pending
  }

  #close (error?: unknown): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#server.close(ignore)
    this.#handshakes?.close()
    this.#pending.close(error)
  }

  readonly #onAbort = (): void => this.#close(this.#options.signal?.reason)

  #accept (socket: Socket): void {
    const address = this.#address
    socket.on('error', ignore)

    if (this.#handshakes != null) {
      this.#handshakes.begin(socket, (secure, fingerprint) => {
        this.#keep(new SocketConnection(secure, { address: remoteAddress(socket), fingerprint }, this.#options, { carrier: socket }), secure)
      }, error => this.#refused(error))
      return
    }

    const { socket: own, readBuffer } = withReadBuffer(socket)
    const remote = { address: address.transport === 'unix' ? `unix:${address.path}` : remoteAddress(own) }
    this.#keep(new SocketConnection(own, remote, this.#options, { readBuffer }), own)
  }

  #keep (connection: SocketConnection, socket: Socket): void {
    if (this.#pending.add(connection, socket)) return

    const error = new TransportError('ERR_ABORTED', `${connection.remote.address} refused: ${this.#pending.max} connections wait to be taken`)
    connection.abort(error)
    this.#refused(error)
  }

  #refused (error: TransportError): void {
    this.#options.onRefused?.(error)
  }
}

function where (address: Address): ServerOptions {
  return address.transport === 'unix' ? { path: address.path, exclusive: true } : { host: address.host, port: address.port, exclusive: true }
}

function bound<A extends Address> (address: A, server: Server, identity: Identity | undefined): A {
  if (address.transport === 'unix') return address

  const { port } = server.address() as AddressInfo
  return { ...address, port, ...(address.transport === 'tls' ? { fingerprint: identity?.fingerprint } : {}) }
}

function ignore (): void {}
