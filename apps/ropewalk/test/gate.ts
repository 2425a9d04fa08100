/**
 * A proxy in front of a node that counts what passes, and closes at a byte: then a test can kill whom it likes, at a moment
 * that it has chosen.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class Gate {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Bytes that went to the node, and that came from it. */
  sent = 0
  received = 0
  #limit = Infinity
  #closed: (() => void) | undefined
  #held: Socket[] = []

  private constructor (server: Server) {
    this.#server = server
  }

  /** A gate before the node at `target`, which is the text of a plain tcp address. */
  static async open (t: { teardown (work: () => void): unknown }, target: string): Promise<Gate> {
    const { hostname, port } = new URL(target.replace('mdsftp+tcp', 'http'))
    const server = createServer({ allowHalfOpen: false })
    const gate = new Gate(server)
    server.on('connection', socket => {
      const node = connect(Number(port), hostname)
      for (const [one, other] of [[socket, node], [node, socket]] as const) {
        gate.#sockets.add(one)
        one.on('error', () => {})
        one.on('close', () => {
          gate.#sockets.delete(one)
          other.destroy()
        })
      }
      gate.#pass(socket, node, bytes => { gate.sent += bytes })
      gate.#pass(node, socket, bytes => { gate.received += bytes })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      gate.cut()
      server.close()
    })
    return gate
  }

  get address (): string {
    return `mdsftp+tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Closes once so many bytes more have passed in both directions together; resolves then. */
  async closeAfter (bytes: number): Promise<void> {
    this.#limit = this.sent + this.received + bytes
    await new Promise<void>(resolve => { this.#closed = resolve })
  }

  /** Lets everything pass from now on. */
  lift (): void {
    this.#limit = Infinity
    for (const socket of this.#held.splice(0)) socket.resume()
  }

  /** Ends every connection. */
  cut (): void {
    this.#held = []
    for (const socket of this.#sockets) socket.destroy()
  }

  #pass (from: Socket, to: Socket, count: (bytes: number) => void): void {
    from.on('data', data => {
      count(data.length)
      if (!to.write(data)) {
        from.pause()
        to.once('drain', () => { if (!this.#held.includes(from)) from.resume() })
      }
      if (this.sent + this.received < this.#limit) return
      from.pause()
      this.#held.push(from)
      this.#closed?.()
    })
  }
}
