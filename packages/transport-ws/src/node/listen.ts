/**
 * Accepting connections.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions as HttpOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Server as TlsServer, type TLSSocket } from 'node:tls'
import type { AbortOptions, Connection, Listener } from '@ropewalk/interface'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import { describe, parseUrl } from '../address.ts'
import { type ConnectionOptions, MessageConnection } from '../connection.ts'
import {
  CLOSE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKES, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, MAX_PENDING_CONNECTIONS, SUBPROTOCOL
} from '../constants.ts'
import { TransportError } from '../errors.ts'
import { Handshakes } from './handshakes.ts'
import { keepAlive } from './keep-alive.ts'
import type { KeepAliveOptions } from './keep-alive-options.ts'
import { Pending } from './pending.ts'
import { refuse } from './refuse.ts'
import { remoteAddress } from './remote.ts'
import { WsWire } from './ws-wire.ts'

export interface ListenOptions extends AbortOptions, ConnectionOptions {
  /**
   * Which web pages may connect: values of the `Origin` header that every browser sends, `https://example.org`, or `*` for all. By
   * default none may, since any page that a person visits can reach a server on that person's machine. Clients without `Origin` may.
   */
  origins?: '*' | readonly string[] | undefined
  /** Accepted connections that may wait to be taken; one more is refused. */
  maxPendingConnections?: number | undefined
  /** Clients without a complete request that there may be at once; one more is refused. */
  maxHandshakes?: number | undefined
  /** For a client's TLS handshake and its request to upgrade. */
  handshakeTimeoutMs?: number | undefined
  /** For `wss:`. */
  tls?: ListenTlsOptions | undefined
  /**
   * An HTTP server that is there already, and that its owner listens on and closes. Requests to upgrade at our path become connections;
   * the deadline and the number of handshakes are the owner's business.
   */
  server?: Server | undefined
  /** Off unless given. */
  keepAlive?: KeepAliveOptions | undefined
  /** Told of every client that did not become a connection, and of trouble with accepting. The listener goes on. Must not throw. */
  onRefused?: ((error: TransportError) => void) | undefined
}

export interface ListenTlsOptions {
  /** PEM. */
  cert: string
  key: string
  /**
   * Asks clients who they are, and names one by the certificate, in DER, that it shows, of whatever authority; throws for who is not wanted.
   * What it returns is `remote.fingerprint`. A client that shows none has none.
   */
  identify?: ((certificate: Uint8Array) => string) | undefined
}

/** Opens a listener at a URL, port 0 being any free port; aborting the signal closes it. Rejects with a TransportError, or with the signal's reason. */
export async function listen (address: string | URL, options: ListenOptions = {}): Promise<Listener<string>> {
  options.signal?.throwIfAborted()
  const url = parseUrl(address)
  if (url.protocol === 'wss:' && options.tls == null && options.server == null) throw new TypeError('a wss listener needs tls or server')
  if (url.protocol === 'ws:' && options.tls != null) throw new TypeError('tls is for wss: addresses')
  if (options.tls?.identify != null && options.server != null && !(options.server instanceof TlsServer)) throw new TypeError('identify needs a server that speaks TLS')

  const listener = new WsListener(url, options)
  await listener.open()
  return listener
}

class WsListener implements Listener<string> {
  readonly #url: URL
  readonly #options: ListenOptions
  readonly #server: Server
  readonly #own: boolean
  readonly #sockets: WebSocketServer
  readonly #handshakes: Handshakes | undefined
  readonly #pending: Pending

  constructor (url: URL, options: ListenOptions) {
    this.#url = new URL(url)
    this.#options = options
    this.#own = options.server == null
    this.#server = options.server ?? createOwnServer(options)
    this.#pending = new Pending(options.maxPendingConnections ?? MAX_PENDING_CONNECTIONS)
    const wanted: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      closeTimeout: options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes ?? MAX_MESSAGE_BYTES,
      handleProtocols: protocols => protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false
    }
    this.#sockets = new WebSocketServer(wanted)
    // What it refuses, for a bad key or version, it answers itself.
    this.#sockets.on('wsClientError', (error: Error, socket: Duplex, request: IncomingMessage) => {
      this.#refused(new TransportError('ERR_PROTOCOL', `${remoteAddress(request.socket)}: ${error.message}`, { cause: error, remote: true }))
      refuse(socket, 400)
    })
    if (this.#own) {
      this.#handshakes = new Handshakes(this.#server, {
        max: options.maxHandshakes ?? MAX_HANDSHAKES,
        timeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
        refused: error => this.#refused(error)
      })
    }
  }

  get address (): string {
    const bound = this.#server.address() as AddressInfo | string | null
    if (typeof bound === 'object' && bound != null) this.#url.port = String(bound.port)
    return this.#url.href
  }

  async open (): Promise<void> {
    const { signal } = this.#options
    this.#server.on('upgrade', this.#onUpgrade)
    if (this.#own) await this.#bind()

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

  async #bind (): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const server = this.#server
    const { hostname, port, protocol } = this.#url
    server.once('listening', resolve)
    server.once('error', reject)
    try {
      server.listen({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? (protocol === 'ws:' ? 80 : 443) : Number(port), exclusive: true })
      await promise
    } catch (error) {
      const { code } = error as { code?: string }
      throw new TransportError(code === 'EADDRINUSE' ? 'ERR_ADDRESS_IN_USE' : 'ERR_ADDRESS', `${describe(this.#url)}: ${(error as Error).message}`, { cause: error })
    } finally {
      server.off('listening', resolve)
      server.off('error', reject)
    }
    // Trouble with one accept (no file descriptors left, say) is not the end of the listener.
    server.on('error', error => this.#refused(new TransportError('ERR_IO', error.message, { cause: error })))
  }

  #close (error?: unknown): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#server.off('upgrade', this.#onUpgrade)
    if (this.#own) this.#server.close(() => {})
    this.#handshakes?.close()
    this.#pending.close(error)
  }

  readonly #onAbort = (): void => this.#close(this.#options.signal?.reason)

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#handshakes?.done(request.socket)
    // A path that is not ours may be that of somebody else on the same server.
    if (!samePath(request, this.#url)) {
      if (this.#server.listenerCount('upgrade') === 1) this.#refuse(request, socket, 404, 'asked for another path')
      return
    }
    if (!this.#mayConnect(request.headers.origin)) {
      this.#refuse(request, socket, 403, `a page of ${JSON.stringify(request.headers.origin)} may not connect`)
      return
    }
    if (this.#pending.full) {
      this.#refuse(request, socket, 503, `${this.#pending.max} connections wait to be taken`)
      return
    }
    let fingerprint: string | undefined
    try {
      fingerprint = this.#identify(request)
    } catch (error) {
      this.#refuse(request, socket, 403, error instanceof Error ? error.message : String(error), error)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, webSocket => this.#accept(webSocket, request, fingerprint))
  }

  #identify ({ socket }: IncomingMessage): string | undefined {
    const { identify } = this.#options.tls ?? {}
    const shown = identify === undefined ? undefined : (socket as TLSSocket).getPeerX509Certificate()
    return shown === undefined ? undefined : identify?.(shown.raw)
  }

  #accept (socket: WebSocket, request: IncomingMessage, fingerprint: string | undefined): void {
    const connection = new MessageConnection(new WsWire(socket), { address: remoteAddress(request.socket), fingerprint }, this.#options)
    const { keepAlive: alive } = this.#options
    if (alive != null) keepAlive(socket, alive, error => connection.lose(error))
    this.#pending.add(connection, socket)
  }

  #mayConnect (origin: string | undefined): boolean {
    const { origins = [] } = this.#options
    return origin == null || origins === '*' || origins.includes(origin)
  }

  #refuse (request: IncomingMessage, socket: Duplex, status: number, why: string, cause?: unknown): void {
    refuse(socket, status)
    this.#refused(new TransportError('ERR_REFUSED', `${remoteAddress(request.socket)} refused: ${why}`, { cause, remote: status !== 503 }))
  }

  #refused (error: TransportError): void {
    this.#options.onRefused?.(error)
  }
}

function createOwnServer (options: ListenOptions): Server {
  const timeout = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS
  const settings: HttpOptions = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: timeout, headersTimeout: timeout, noDelay: true }
  const { identify, ...tls } = options.tls ?? {}
  const asks = identify === undefined ? {} : { requestCert: true, rejectUnauthorized: false }
  const server = options.tls == null ? createServer(settings) : createSecureServer({ ...settings, ...tls, ...asks, minVersion: 'TLSv1.3' })
  // There is nothing else here.
  server.on('request', (_request: IncomingMessage, response) => {
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
  })
  return server
}

function samePath (request: IncomingMessage, url: URL): boolean {
  return (request.url ?? '').replace(/\?.*/s, '') === url.pathname
}
