/**
 * Plain sockets: one connection a stream. What everything else is compared with.
 *
 * @module
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { createIdentity } from '@ropewalk/transport-tcp'
import { type Behaviour, type Client, type Exchange, type Flow, Returns, type Stream, type Subject } from '../subject.ts'

export type Carrier = 'tcp' | 'unix' | 'tls'

export function raw (carrier: Carrier): Subject {
  return {
    async listen (behaviour) {
      const server = await createCarrier(carrier)
      server.on(carrier === 'tls' ? 'secureConnection' : 'connection', socket => serve(socket, behaviour))
      server.listen(carrier === 'unix' ? { path: join(tmpdir(), `ropewalk-bench-${process.pid}.sock`), backlog: 4096 } : { host: '127.0.0.1', port: 0, backlog: 4096 })
      await once(server, 'listening')
      const address = server.address()
      if (typeof address !== 'string') return (address as AddressInfo).port
      process.on('exit', () => rmSync(address, { force: true }))
      return address
    },

    async connect (address): Promise<Client> {
      const open = (): Promise<Socket> => opened(carrier, address)
      return {
        open: async () => new RawStream(await open()),
        echo: async bytes => {
          const socket = await open()
          await new Promise<void>((resolve, reject) => {
            socket.on('data', () => {})
            socket.on('end', resolve)
            socket.on('error', reject)
            socket.end(bytes)
          })
        }
      }
    }
  }
}

async function createCarrier (carrier: Carrier): Promise<Server> {
  if (carrier !== 'tls') return createServer({ allowHalfOpen: true, noDelay: true })
  const identity = await createIdentity()
  return createTlsServer({ allowHalfOpen: true, noDelay: true, minVersion: 'TLSv1.3', cert: identity.certificate, key: identity.privateKey })
}

async function opened (carrier: Carrier, address: unknown): Promise<Socket> {
  if (carrier === 'tls') {
    const carried = connectSocket({ host: '127.0.0.1', port: address as number, allowHalfOpen: true, noDelay: true })
    const socket = connectTls({ socket: carried, rejectUnauthorized: false, minVersion: 'TLSv1.3' })
    await once(socket, 'secureConnect')
    return socket
  }
  const where = carrier === 'unix' ? { path: address as string } : { host: '127.0.0.1', port: address as number, noDelay: true }
  const socket = connectSocket({ ...where, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

function serve (socket: Socket, behaviour: Behaviour): void {
  socket.on('error', () => {})
  switch (behaviour.opened()) {
    case 'discard':
      socket.on('data', bytes => behaviour.taken(bytes.length))
      socket.on('end', () => socket.end())
      break
    case 'echo':
      socket.on('data', bytes => { socket.write(bytes) })
      socket.on('end', () => socket.end())
      break
    case 'sleep':
    case 'hold':
      socket.pause()
  }
}

class RawStream implements Stream {
  readonly #socket: Socket

  constructor (socket: Socket) {
    this.#socket = socket
  }

  send (flow: Flow): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      const write = (): void => {
        for (let bytes = flow.next(); bytes !== undefined; bytes = flow.next()) {
          if (!socket.write(bytes)) {
            socket.once('drain', write)
            return
          }
        }
        socket.end(resolve)
      }
      write()
    })
  }

  exchange (): Exchange {
    const returns = new Returns()
    this.#socket.on('data', bytes => returns.arrived(bytes.length))
    return {
      roundTrip: bytes => {
        this.#socket.write(bytes)
        return returns.expect(bytes.length)
      }
    }
  }
}
