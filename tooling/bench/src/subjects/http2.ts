/**
 * node:http2 without TLS, with windows and frames as large as helps it.
 *
 * @module
 */
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectSession, createServer, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { type Behaviour, type Client, type Exchange, type Flow, Returns, type Stream, type Subject } from '../subject.ts'

const STREAM_WINDOW_BYTES = 1_048_576
const CONNECTION_WINDOW_BYTES = 16_777_216
const FRAME_BYTES = 65_536
/** Megabytes; a session with ten thousand streams exceeds the default of 10. */
const SESSION_MEMORY_MB = 1000

export const http2: Subject = {
  async listen (behaviour, { channels }) {
    const server = createServer({ maxSessionMemory: SESSION_MEMORY_MB, settings: settings(channels) })
    server.on('session', session => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    server.on('connection', socket => socket.setNoDelay(true))
    server.on('stream', stream => serve(stream, behaviour))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },

  async connect (address, { channels }): Promise<Client> {
    const session = connectSession(`http://127.0.0.1:${String(address)}`, {
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: settings(channels),
      createConnection: () => connectSocket({ host: '127.0.0.1', port: address as number, noDelay: true })
    })
    await once(session, 'remoteSettings')
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    return {
      open: async () => new Http2Stream(request(session)),
      echo: bytes => new Promise<void>((resolve, reject) => {
        const stream = request(session)
        stream.on('data', () => {})
        stream.on('end', resolve)
        stream.on('error', reject)
        stream.end(bytes)
      })
    }
  }
}

function settings (channels: number): { initialWindowSize: number, maxFrameSize: number, maxConcurrentStreams: number, enablePush: boolean } {
  return { initialWindowSize: STREAM_WINDOW_BYTES, maxFrameSize: FRAME_BYTES, maxConcurrentStreams: Math.max(1000, channels), enablePush: false }
}

function request (session: ClientHttp2Session): ClientHttp2Stream {
  return session.request({ ':method': 'POST', ':path': '/' }, { endStream: false })
}

function serve (stream: ServerHttp2Stream, behaviour: Behaviour): void {
  stream.on('error', () => {})
  stream.respond({ ':status': 200 })
  switch (behaviour.opened()) {
    case 'discard':
      stream.on('data', (bytes: Uint8Array) => behaviour.taken(bytes.length))
      stream.on('end', () => stream.end())
      break
    case 'echo':
      stream.on('data', bytes => { stream.write(bytes) })
      stream.on('end', () => stream.end())
      break
    case 'sleep':
    case 'hold':
  }
}

class Http2Stream implements Stream {
  readonly #stream: ClientHttp2Stream

  constructor (stream: ClientHttp2Stream) {
    this.#stream = stream
  }

  send (flow: Flow): Promise<void> {
    const stream = this.#stream
    return new Promise((resolve, reject) => {
      stream.on('error', reject)
      const write = (): void => {
        for (let bytes = flow.next(); bytes !== undefined; bytes = flow.next()) {
          if (!stream.write(bytes)) {
            stream.once('drain', write)
            return
          }
        }
        stream.end(resolve)
      }
      write()
    })
  }

  exchange (): Exchange {
    const returns = new Returns()
    this.#stream.on('data', (bytes: Uint8Array) => returns.arrived(bytes.length))
    return {
      roundTrip: bytes => {
        this.#stream.write(bytes)
        return returns.expect(bytes.length)
      }
    }
  }
}
