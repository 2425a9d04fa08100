/**
 * Opening connections with the platform's WebSocket.
 *
 * @module
 */
import type { AbortOptions, Connection } from '@ropewalk/interface'
import { describe, parseUrl } from './address.ts'
import type { ConnectionOptions } from './connection.ts'
import { DIAL_TIMEOUT_MS, SUBPROTOCOL } from './constants.ts'
import { TransportError } from './errors.ts'
import { fromWebSocket, type PlatformWebSocket } from './platform.ts'

export interface DialOptions extends AbortOptions, ConnectionOptions {
  /** For everything until the connection is there. */
  timeoutMs?: number | undefined
  /** False for a server that does not know `ropewalk.1`: then the end of one direction closes both. */
  halfClose?: boolean | undefined
  /** Instead of the platform's. */
  WebSocket?: (new (url: string, protocols: string[]) => PlatformWebSocket) | undefined
}

/** Opens a connection. Rejects with a TransportError, or with the signal's reason. */
export async function dial (address: string | URL, options: DialOptions = {}): Promise<Connection> {
  const { signal, timeoutMs = DIAL_TIMEOUT_MS, halfClose = true } = options
  signal?.throwIfAborted()
  const url = parseUrl(address)
  const name = describe(url)
  const { WebSocket = (globalThis as Pick<DialOptions, 'WebSocket'>).WebSocket } = options
  if (WebSocket == null) throw new TypeError('this platform has no WebSocket: give one as an option')

  const socket = new WebSocket(url.href, halfClose ? [SUBPROTOCOL] : [])
  const { promise, resolve, reject } = Promise.withResolvers<Connection>()
  const timer = setTimeout(() => reject(new TransportError('ERR_TIMEOUT', `no connection to ${name} within ${timeoutMs} ms`)), timeoutMs)
  const onAbort = (): void => reject(signal?.reason)
  const onFailed = ({ error, message }: { error?: unknown, message?: unknown } = {}): void => {
    // Browsers keep to themselves what it was.
    const why = typeof message === 'string' && message !== '' ? message : 'no connection came about'
    reject(new TransportError('ERR_CONNECT', `${name}: ${why}`, { cause: error }))
  }
  signal?.addEventListener('abort', onAbort)
  socket.onopen = (): void => {
    try {
      resolve(fromWebSocket(socket, { address: name }, options))
    } catch (error) {
      reject(error)
    }
  }
  socket.onerror = onFailed
  socket.onclose = (): void => onFailed()

  try {
    return await promise
  } catch (error) {
    socket.onopen = socket.onclose = null
    socket.onerror = (): void => {}
    socket.close()
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
