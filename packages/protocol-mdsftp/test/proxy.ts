/** Stands between two processes, counts what passes, and can cut, delay, split and stall it. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of the bytes of one direction of one connection. */
export interface Weather {
  /** Bytes of this direction after which the connection is cut. */
  cutAfter?: number
  /** Bytes of this direction after which nothing passes any more, and nobody is told. */
  stallAfter?: number
  /** Bytes that pass at a time. */
  splitInto?: number
  /** How often the event loop turns before a piece passes. */
  delayTurns?: number
}

export class Proxy implements AsyncDisposable {
  port = 0
  /** Where to: may change while it runs. */
  target = 0
  /** Bytes that clients have sent, on all connections, and connections that were made. */
  sent = 0
  connections = 0
  weather: (connection: number, upwards: boolean) => Weather = () => ({})
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor () {
    this.#server = createServer({ allowHalfOpen: true }, socket => this.#join(socket))
  }

  async open (): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as { port: number }).port
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join (near: Socket): void {
    const number = ++this.connections
    const far = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true })
    const cut = (): void => {
      for (const socket of [near, far]) socket.resetAndDestroy()
    }
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', cut).on('close', () => {
        this.#sockets.delete(socket)
        cut()
      })
    }
    void this.#carry(near, far, this.weather(number, true), bytes => { this.sent += bytes }).catch(cut)
    void this.#carry(far, near, this.weather(number, false), () => {}).catch(cut)
  }

  async #carry (from: Socket, to: Socket, { cutAfter = Infinity, stallAfter = Infinity, splitInto = Infinity, delayTurns = 0 }: Weather, count: (bytes: number) => void): Promise<void> {
    let passed = 0
    for await (const bytes of from as AsyncIterable<Buffer>) {
      count(bytes.length)
      for (let begin = 0; begin < bytes.length; begin += splitInto) {
        const piece = bytes.subarray(begin, Math.min(bytes.length, begin + splitInto))
        if (passed >= stallAfter) await new Promise<void>(() => {})
        for (let turn = 0; turn < delayTurns; turn++) await new Promise<void>(resolve => setImmediate(resolve))
        const room = Math.max(0, cutAfter - passed)
        if (!to.write(piece.subarray(0, room))) await once(to, 'drain')
        passed += piece.length
        if (passed >= cutAfter) throw new Error('cut')
      }
    }
    to.end()
  }
}
