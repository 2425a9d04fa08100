import { chmodSync, lstatSync, rmSync, type Stats } from 'node:fs'
import type { AbortOptions, Connection, Listener } from '@ropewalk/interface'
import { checkAddress, formatAddress, type SeqpacketAddress } from './address.ts'
import { closedHere, PacketConnection, type SocketOptions } from './connection.ts'
import { MAX_PENDING_CONNECTIONS } from './constants.ts'
import { TransportError, transportError } from './errors.ts'
import { library, type PacketServer, type PacketSocket } from './library.ts'
import { probe } from './probe.ts'

export interface ListenOptions extends AbortOptions, SocketOptions {
  /** Accepted connections that may wait to be taken; one more is refused. */
  maxPendingConnections?: number | undefined
  /** Told of every client that did not become a connection, and of trouble with accepting. The listener goes on. Must not throw. */
  onRefused?: ((error: TransportError) => void) | undefined
}

const BACKLOG = 511
const DONE: IteratorResult<Connection, undefined> = { done: true, value: undefined }

/** Opens a listener that only this user may connect to; aborting the signal closes it. Rejects with a TransportError, or with the signal's reason. */
export async function listen (address: SeqpacketAddress, options: ListenOptions = {}): Promise<Listener<SeqpacketAddress>> {
  const { signal } = options
  signal?.throwIfAborted()
  checkAddress(address)
  const loaded = await library()
  signal?.throwIfAborted()
  await removeStale(address)
  signal?.throwIfAborted()

  const server = new loaded.SeqpacketServer()
  try {
    server.listen(address.path, BACKLOG)
    // In the same turn: nobody is accepted before.
    chmodSync(address.path, 0o600)
  } catch (error) {
    server.close()
    throw unusable(address.path, error)
  }
  return new PacketListener(server, address, options)
}

class PacketListener implements Listener<SeqpacketAddress>, AsyncIterator<Connection, undefined> {
  readonly address: SeqpacketAddress
  readonly #server: PacketServer
  readonly #options: ListenOptions
  readonly #pending: PacketConnection[] = []
  readonly #waiting: Array<(result: IteratorResult<Connection, undefined>) => void> = []
  readonly #own: Stats
  #closed = false

  constructor (server: PacketServer, address: SeqpacketAddress, options: ListenOptions) {
    this.#server = server
    this.address = address
    this.#options = options
    this.#own = lstatSync(address.path)
    server.on('connection', socket => { this.#accept(socket) })
    server.on('error', error => { options.onRefused?.(transportError(error)) })
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  [Symbol.asyncIterator] (): AsyncIterator<Connection, undefined> {
    return this
  }

  next (): Promise<IteratorResult<Connection, undefined>> {
    const connection = this.#pending.shift()
    if (connection !== undefined) return Promise.resolve({ done: false, value: connection })
    if (this.#closed) return Promise.resolve(DONE)
    return new Promise(resolve => { this.#waiting.push(resolve) })
  }

  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#server.close()
    // Whoever listens there by now keeps what is his.
    const there = lstatSync(this.address.path, { throwIfNoEntry: false })
    if (there?.ino === this.#own.ino && there.dev === this.#own.dev) rmSync(this.address.path, { force: true })
    for (const resolve of this.#waiting.splice(0)) resolve(DONE)
    for (const connection of this.#pending.splice(0)) connection.abort(closedHere())
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  readonly #onAbort = (): void => { void this.close() }

  #accept (socket: PacketSocket): void {
    const connection = new PacketConnection(socket, { address: formatAddress(this.address) }, this.#options)
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ done: false, value: connection })
      return
    }
    const most = this.#options.maxPendingConnections ?? MAX_PENDING_CONNECTIONS
    if (!this.#closed && this.#pending.length < most) {
      this.#pending.push(connection)
      // One that is gone before it was taken gives its place to another.
      void connection.closed.then(() => {
        const at = this.#pending.indexOf(connection)
        if (at !== -1) this.#pending.splice(at, 1)
      })
      return
    }
    const error = new TransportError('ERR_ABORTED', `${connection.remote.address} refused: ${most} connections wait to be taken`)
    connection.abort(error)
    this.#options.onRefused?.(error)
  }
}

/** Removes a socket on which nobody listens. Only a plain refusal says so; whatever else goes wrong, somebody may. */
async function removeStale ({ path }: SeqpacketAddress): Promise<void> {
  const found = look(path)
  if (found === undefined) return
  if (!found.isSocket()) throw new TransportError('ERR_ADDRESS_IN_USE', `${path} is there and is not a socket`)
  if (await probe(path) !== 'ECONNREFUSED') throw new TransportError('ERR_ADDRESS_IN_USE', `somebody listens on ${path}`)
  const there = look(path)
  if (there?.ino === found.ino && there.dev === found.dev) rmSync(path)
}

function look (path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw unusable(path, error)
  }
}

function unusable (path: string, cause: unknown): TransportError {
  return new TransportError('ERR_ADDRESS', `cannot listen on seqpacket:${path}: is its directory there, and yours to write to?`, { cause })
}
