/**
 * `@chainsafe/libp2p-yamux` 8 as it comes, on a plain socket: its own events, its own defaults, only the number of streams raised.
 *
 * @module
 */
import { once } from 'node:events'
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net'
import { yamux as yamuxFactory } from '@chainsafe/libp2p-yamux'
import { defaultLogger } from '@libp2p/logger'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { type Behaviour, type Client, type Exchange, type Flow, type Limits, Returns, type Stream, type Subject } from '../subject.ts'

export const yamux: Subject = {
  async listen (behaviour, limits) {
    const server = createServer({ noDelay: true }, socket => {
      muxer(socket, 'inbound', limits).addEventListener('stream', event => serve((event as CustomEvent<YamuxChannel>).detail, behaviour))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },

  async connect (address, limits): Promise<Client> {
    const socket = connectSocket({ host: '127.0.0.1', port: address as number, noDelay: true })
    await once(socket, 'connect')
    const session = muxer(socket, 'outbound', limits)
    return {
      open: async () => new YamuxStream(await session.createStream()),
      echo: async bytes => {
        const stream = await session.createStream()
        await new Promise<void>(resolve => {
          stream.addEventListener('message', () => {})
          stream.addEventListener('remoteCloseWrite', () => resolve())
          stream.send(bytes)
          void stream.close()
        })
      }
    }
  }
}

/** What is used of its stream. Its own types name another version of the list that it shares with its base class. */
interface YamuxChannel extends AsyncIterable<{ byteLength: number }> {
  send (bytes: unknown): boolean
  close (): Promise<void>
  addEventListener (type: string, listener: (event: Event) => void, options?: { once: boolean }): void
}

interface YamuxMuxer {
  createStream (): Promise<YamuxChannel>
  addEventListener (type: string, listener: (event: Event) => void): void
}

function muxer (socket: Socket, direction: 'inbound' | 'outbound', { channels }: Limits): YamuxMuxer {
  const maximum = Math.max(1000, channels + 100)
  const factory = yamuxFactory({ maxInboundStreams: maximum, maxOutboundStreams: maximum, enableKeepAlive: false })()
  return factory.createStreamMuxer(new SocketConnection(socket, direction) as never) as unknown as YamuxMuxer
}

class SocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: Socket

  constructor (socket: Socket, direction: 'inbound' | 'outbound') {
    super({ direction, remoteAddr: multiaddr('/ip4/127.0.0.1/tcp/1'), log: defaultLogger().forComponent('bench') })
    this.#socket = socket
    socket.on('data', bytes => this.onData(bytes))
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('end', () => this.onTransportClosed())
    socket.on('error', error => this.abort(error))
  }

  sendData (list: Iterable<Uint8Array> & { byteLength: number }): { sentBytes: number, canSendMore: boolean } {
    let canSendMore = true
    for (const bytes of list) canSendMore = this.#socket.write(bytes)
    return { sentBytes: list.byteLength, canSendMore }
  }

  async sendClose (): Promise<void> {
    this.#socket.end()
  }

  sendReset (): void {
    this.#socket.destroy()
  }

  sendPause (): void {
    this.#socket.pause()
  }

  sendResume (): void {
    this.#socket.resume()
  }
}

function serve (stream: YamuxChannel, behaviour: Behaviour): void {
  switch (behaviour.opened()) {
    case 'discard':
      stream.addEventListener('message', event => behaviour.taken(size(event)))
      stream.addEventListener('remoteCloseWrite', () => { void stream.close() })
      break
    case 'echo':
      stream.addEventListener('message', event => stream.send((event as Event & { data: unknown }).data))
      stream.addEventListener('remoteCloseWrite', () => { void stream.close() })
      break
    case 'sleep': void sleep(stream); break
    case 'hold':
  }
}

function size (event: Event): number {
  return (event as Event & { data: { byteLength: number } }).data.byteLength
}

/** Takes the first bytes and never asks for more. */
async function sleep (stream: YamuxChannel): Promise<void> {
  for await (const list of stream) await new Promise(() => { void list })
}

class YamuxStream implements Stream {
  readonly #stream: YamuxChannel

  constructor (stream: YamuxChannel) {
    this.#stream = stream
  }

  send (flow: Flow): Promise<void> {
    const stream = this.#stream
    return new Promise((resolve, reject) => {
      const write = (): void => {
        for (let bytes = flow.next(); bytes !== undefined; bytes = flow.next()) {
          if (!stream.send(bytes)) {
            stream.addEventListener('drain', write, { once: true })
            return
          }
        }
        stream.close().then(resolve, reject)
      }
      write()
    })
  }

  exchange (): Exchange {
    const returns = new Returns()
    this.#stream.addEventListener('message', event => returns.arrived(size(event)))
    return {
      roundTrip: bytes => {
        this.#stream.send(bytes)
        return returns.expect(bytes.length)
      }
    }
  }
}
