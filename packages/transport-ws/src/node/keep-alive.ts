/**
 * Finds out that a peer is dead which has not said so.
 *
 * @module
 */
import type { WebSocket } from 'ws'
import { SEND_BUFFER_BYTES } from '../constants.ts'
import { TransportError } from '../errors.ts'
import type { KeepAliveOptions } from './keep-alive-options.ts'

/**
 * Pings a silent peer, and calls `onDead` once when it stays silent. While we do not read, its silence says nothing; a peer that does
 * not read cannot answer either, so that `timeoutMs` also bounds how long its consumer may stand still.
 */
export function keepAlive (socket: WebSocket, options: KeepAliveOptions, onDead: (error: TransportError) => void): void {
  const { intervalMs, timeoutMs } = options
  let timer: NodeJS.Timeout
  let heard = true
  const hear = (): void => { heard = true }
  const silent = (): boolean => !heard && !socket.isPaused

  const ask = (): void => {
    const wasSilent = silent()
    heard = false
    if (!wasSilent) {
      timer = setTimeout(ask, intervalMs)
      return
    }
    // Behind more than this it would only be one more thing that waits.
    if (socket.bufferedAmount <= SEND_BUFFER_BYTES) socket.ping()
    // A consumer that has just woken must first read what waits.
    timer = setTimeout(() => setImmediate(judge), timeoutMs)
  }

  const judge = (): void => {
    if (socket.readyState === socket.CLOSED) return
    if (!silent()) return ask()
    onDead(new TransportError('ERR_TIMEOUT', `nothing came for ${timeoutMs} ms after a ping`, { remote: true }))
  }

  socket.on('message', hear)
  socket.on('ping', hear)
  socket.on('pong', hear)
  socket.on('close', () => clearTimeout(timer))
  timer = setTimeout(ask, intervalMs)
}
