import type { Socket } from 'node:net'

/** Where the peer of a socket is, for people. */
export function remoteAddress (socket: Socket): string {
  const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
