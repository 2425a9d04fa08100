import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** Answers a request to upgrade with `status`, and hangs up. */
export function refuse (socket: Duplex, status: number): void {
  socket.on('error', () => {})
  // Nothing that the client still sends is read, so that it must not be waited for.
  socket.once('finish', () => { socket.destroy() })
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
