/**
 * Opening connections with `ws`.
 *
 * @module
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { AbortOptions, Connection } from '@ropewalk/interface'
import { type ClientOptions, WebSocket } from 'ws'
import { describe, parseUrl } from '../address.ts'
import { type ConnectionOptions, MessageConnection } from '../connection.ts'
import { CLOSE_TIMEOUT_MS, DIAL_TIMEOUT_MS, MAX_HEADER_BYTES, MAX_MESSAGE_BYTES, SUBPROTOCOL } from '../constants.ts'
import { TransportError } from '../errors.ts'
import { keepAlive } from './keep-alive.ts'
import type { KeepAliveOptions } from './keep-alive-options.ts'
import { WsWire } from './ws-wire.ts'

export interface DialOptions extends AbortOptions, ConnectionOptions {
  /** For everything until the connection is there. */
  timeoutMs?: number | undefined
  /** False for a server that does not know `ropewalk.1`: then the end of one direction closes both. */
  halfClose?: boolean | undefined
  /** Headers of the request to upgrade, for instance `authorization`. */
  headers?: Record<string, string> | undefined
  /** For `wss:`. */
  tls?: DialTlsOptions | undefined
  /** Off unless given. */
  keepAlive?: KeepAliveOptions | undefined
}

/** PEM. */
export interface DialTlsOptions {
  /** The authorities whose certificates are trusted, instead of the system's. */
  ca?: string | string[] | undefined
  /** Shown to a server that asks who we are. */
  cert?: string | undefined
  key?: string | undefined
  /**
   * Names the server by its certificate, in DER, or rejects with whatever says that it is not wanted: for keys that are pinned. Without
   * `ca` no authority is asked then. What it resolves to is `remote.fingerprint`.
   */
  identify?: ((certificate: Uint8Array) => string | Promise<string>) | undefined
}

/** Opens a connection. Rejects with a TransportError, or with the signal's reason. */
export async function dial (address: string | URL, options: DialOptions = {}): Promise<Connection> {
  const { signal, timeoutMs = DIAL_TIMEOUT_MS, halfClose = true, maxMessageBytes = MAX_MESSAGE_BYTES, closeTimeoutMs = CLOSE_TIMEOUT_MS } = options
  signal?.throwIfAborted()
  const url = parseUrl(address)
  if (url.protocol === 'ws:' && options.tls != null) throw new TypeError('tls is for wss: addresses')
  const name = describe(url)

  const { identify, ...tls } = options.tls ?? {}
  const wanted: ClientOptions & { maxHeaderSize: number, closeTimeout: number } = {
    ...tls,
    ...identify === undefined ? {} : { minVersion: 'TLSv1.3', rejectUnauthorized: tls.ca !== undefined },
    headers: options.headers ?? {},
    maxPayload: maxMessageBytes,
    maxHeaderSize: MAX_HEADER_BYTES,
    closeTimeout: closeTimeoutMs,
    perMessageDeflate: false,
    followRedirects: false
  }
  const socket = new WebSocket(url, halfClose ? [SUBPROTOCOL] : [], wanted)
  let shown: Uint8Array | undefined
  const { promise, resolve, reject } = Promise.withResolvers<Connection>()
  const timer = setTimeout(() => reject(new TransportError('ERR_TIMEOUT', `no connection to ${name} within ${timeoutMs} ms`)), timeoutMs)
  const onAbort = (): void => reject(signal?.reason)
  const adopt = (fingerprint?: string): void => {
    const connection = new MessageConnection(new WsWire(socket), { address: name, fingerprint }, options)
    if (options.keepAlive != null) keepAlive(socket, options.keepAlive, error => connection.lose(error))
    resolve(connection)
  }
  const onUpgrade = ({ socket: carrier }: IncomingMessage): void => { shown = (carrier as TLSSocket).getPeerX509Certificate?.()?.raw }
  const onOpen = (): void => {
    if (identify === undefined) {
      adopt()
      return
    }
    // What comes before it is known who sends it is not read.
    socket.pause()
    judge(identify, shown, name).then(fingerprint => {
      if (socket.readyState !== socket.OPEN) throw new TransportError('ERR_CONNECTION_LOST', `${name} closed the connection before it was ready`, { remote: true })
      adopt(fingerprint)
      socket.resume()
    }).catch(reject)
  }
  const onError = (error: Error): void => reject(dialError(name, error))
  const onResponse = (request: ClientRequest, response: IncomingMessage): void => {
    request.destroy()
    reject(new TransportError('ERR_REFUSED', `${name} answered ${response.statusCode} ${response.statusMessage ?? ''}`.trimEnd(), { remote: true }))
  }
  signal?.addEventListener('abort', onAbort)
  socket.on('upgrade', onUpgrade)
  socket.on('open', onOpen)
  socket.on('error', onError)
  socket.on('unexpected-response', onResponse)

  try {
    return await promise
  } catch (error) {
    // An error may come when nobody waits any more.
    socket.on('error', () => {})
    socket.terminate()
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    socket.off('upgrade', onUpgrade)
    socket.off('open', onOpen)
    socket.off('error', onError)
    socket.off('unexpected-response', onResponse)
  }
}

async function judge (identify: NonNullable<DialTlsOptions['identify']>, shown: Uint8Array | undefined, name: string): Promise<string> {
  if (shown === undefined) throw new TransportError('ERR_TLS', `${name} has shown no certificate`, { remote: true })
  return await identify(shown)
}

function dialError (name: string, error: Error): TransportError {
  const { code = '' } = error as { code?: string }
  const bad = /^ERR_(SSL|TLS|OSSL)_|^EPROTO$|CERT|SIGNATURE/.test(code)
  return new TransportError(bad ? 'ERR_TLS' : 'ERR_CONNECT', `${name}: ${error.message}`, { cause: error, remote: code === 'ECONNREFUSED' || code === 'ECONNRESET' })
}
