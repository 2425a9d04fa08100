/**
 * The `ws` package: one WebSocket a stream, since it does not multiplex.
 *
 * @module
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { type Behaviour, type Client, type Exchange, type Flow, Returns, type Stream, type Subject } from '../subject.ts'

/** Bytes that may wait in a socket before a sender waits for its callback. */
const BUFFERED_BYTES = 1_048_576

export const ws: Subject = {
  async listen (behaviour) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate: false })
    server.on('connection', socket => serve(socket, behaviour))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },

  async connect (address): Promise<Client> {
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`ws://127.0.0.1:${String(address)}`, { perMessageDeflate: false })
      await once(socket, 'open')
      return socket
    }
    return {
      open: async () => new WsStream(await open()),
      echo: async bytes => {
        const socket = await open()
        await new Promise<void>((resolve, reject) => {
          socket.on('message', () => socket.close())
          socket.on('close', () => resolve())
          socket.on('error', reject)
          socket.send(bytes)
        })
      }
    }
  }
}

function serve (socket: WebSocket, behaviour: Behaviour): void {
  socket.on('error', () => {})
  switch (behaviour.opened()) {
    case 'discard': socket.on('message', bytes => behaviour.taken((bytes as Buffer).length)); break
    case 'echo': socket.on('message', bytes => socket.send(bytes)); break
    case 'sleep':
    case 'hold': socket.pause()
  }
}

class WsStream implements Stream {
  readonly #socket: WebSocket

  constructor (socket: WebSocket) {
    this.#socket = socket
  }

  send (flow: Flow): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      const write = (): void => {
        for (let bytes = flow.next(); bytes !== undefined; bytes = flow.next()) {
          if (socket.bufferedAmount + bytes.length > BUFFERED_BYTES) {
            socket.send(bytes, write)
            return
          }
          socket.send(bytes)
        }
        socket.close()
        resolve()
      }
      write()
    })
  }

  exchange (): Exchange {
    const returns = new Returns()
    this.#socket.on('message', bytes => returns.arrived((bytes as Buffer).length))
    return {
      roundTrip: bytes => {
        this.#socket.send(bytes)
        return returns.expect(bytes.length)
      }
    }
  }
}
