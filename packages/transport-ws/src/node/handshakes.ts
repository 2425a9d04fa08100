/**
 * Clients that have connected and not yet asked for a WebSocket: bounded in number and in time.
 *
 * @module
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { TransportError } from '../errors.ts'
import { remoteAddress } from './remote.ts'

export interface HandshakesOptions {
  max: number
  timeoutMs: number
  refused (error: TransportError): void
}

export class Handshakes {
  readonly #options: HandshakesOptions
  /** By port and address of the client: of a TLS connection, the request has another socket than the one that was accepted. */
  readonly #underWay = new Map<string, { socket: Socket, timer: NodeJS.Timeout }>()

  constructor (server: Server, options: HandshakesOptions) {
    this.#options = options
    server.on('connection', (socket: Socket) => this.#begin(socket))
  }

  /** The client of `socket` has asked. */
  done (socket: Socket): void {
    this.#forget(remoteAddress(socket))
  }

  close (): void {
    for (const { socket } of this.#underWay.values()) socket.destroy()
  }

  #begin (socket: Socket): void {
    const { max, timeoutMs, refused } = this.#options
    const name = remoteAddress(socket)

    if (this.#underWay.size >= max) {
      socket.destroy()
      refused(new TransportError('ERR_REFUSED', `${name} refused: ${max} handshakes are under way`))
      return
    }

    const timer = setTimeout(() => {
      socket.destroy()
      refused(new TransportError('ERR_TIMEOUT', `${name}: no request to upgrade within ${timeoutMs} ms`, { remote: true }))
    }, timeoutMs)
    this.#underWay.set(name, { socket, timer })
    socket.once('close', () => this.#forget(name, socket))
  }

  #forget (name: string, socket?: Socket): void {
    const found = this.#underWay.get(name)
    if (found == null || (socket != null && found.socket !== socket)) return
    clearTimeout(found.timer)
    this.#underWay.delete(name)
  }
}
