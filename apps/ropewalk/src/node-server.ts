/**
 * Serves one storage node on any number of listeners, and comes to an orderly end.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Listener } from '@ropewalk/interface'
import { acceptNode, Arrivals, serve, type StorageConnection, type StorageNode, type WireOptions } from '@ropewalk/protocol-mdsftp'
import type { ActivityBoard } from './activity/board.ts'
import type { Door } from './services/door.ts'
import { readOnly } from './read-only.ts'
import { codeOf, RopewalkError } from './errors.ts'
import { GRACE_MS } from './services/service.ts'
import type { Policy } from './services/policy.ts'

/** Connections at once; one more is refused. From section 8 of the specification. */
export const MAX_CONNECTIONS = 256

/** How often a stopping node looks whether it is idle. Ours. */
const LOOK_MS = 20

export interface NodeServerOptions {
  readonly node: StorageNode
  readonly board: ActivityBoard
  readonly door: Door
  /** The folder of its store: what grants are about. */
  readonly directory: string
  /** Whose keys and tokens are good. */
  readonly policy: Policy
  /** Connections at once. Default 256. */
  readonly maxConnections?: number | undefined
  /** Told of connections that were refused or broke. */
  readonly onTrouble: (remote: string, error: unknown) => void
}

export class NodeServer {
  readonly #options: NodeServerOptions
  readonly #listeners = new Set<Listener<unknown>>()
  readonly #connections = new Set<StorageConnection>()
  /** Connections that have not said who they are. */
  readonly #arriving = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #count = 0
  readonly #arrivals = new Arrivals()

  constructor (options: NodeServerOptions) {
    this.#options = options
  }

  /** Serves whoever comes to `listener`, on the wire that is said, until the server is stopped. */
  add (listener: Listener<unknown>, wire: WireOptions): void {
    this.#listeners.add(listener)
    this.#run(this.#accept(listener, wire))
  }

  /** Serves one that came otherwise. Never rejects. */
  async take (connection: Connection, wire: WireOptions): Promise<void> {
    await this.#serve(connection, wire)
  }

  /** Takes nothing new, lets what is under way finish within `graceMs`, then ends every connection. True when all could finish. */
  async stop (graceMs: number = GRACE_MS): Promise<boolean> {
    const { node } = this.#options
    node.paused = true
    for (const listener of this.#listeners) await listener.close()
    this.#arriving.abort(stopped())

    const deadline = AbortSignal.timeout(graceMs)
    // An upload is over when its commit is, which comes on a channel of its own: until then its reservation says so. One that is
    // durable is there after the next start too.
    while (this.#busy() && !deadline.aborted) await sleep(LOOK_MS)
    const clean = !this.#busy()

    await Promise.all(Array.from(this.#connections, async connection => {
      await connection.close({ signal: AbortSignal.timeout(clean ? CLOSE_MS : 0) }).catch(() => {})
      connection.abort(stopped())
    }))
    await Promise.all(this.#running)
    return clean
  }

  #busy (): boolean {
    const open = Array.from(this.#connections).reduce((sum, { size }) => sum + size, 0)
    return open > 0 || (this.#connections.size > 0 && this.#options.node.usage.fleeting > 0)
  }

  async #accept (listener: Listener<unknown>, wire: WireOptions): Promise<void> {
    for await (const connection of listener) this.#run(this.#serve(connection, wire))
  }

  async #serve (connection: Connection, wire: WireOptions): Promise<void> {
    const { node, board, door, directory, policy } = this.#options
    const { address } = connection.remote
    this.#count++
    let end: (() => void) | undefined
    try {
      this.#bound()
      const seen = await door.admit(connection, { protocol: 'mdsftp', muxer: 'mdsftp', resource: directory, otherwise: () => policy.allows(connection.remote) })
      end = seen.end
      policy.assertAllowed(connection.remote, seen.granted)
      const peer = await acceptNode(seen.connection, { ...wire, verifyToken: policy.verifyToken, arrivals: this.#arrivals, signal: this.#arriving.signal })
      seen.muxedBy(peer)
      this.#connections.add(peer)
      try {
        await serve(peer, { node: seen.access === 'write' ? node : readOnly(node), signal: seen.over, onEvent: board.follow({ protocol: 'mdsftp', peer: address, holds: seen.holds }) })
      } finally {
        this.#connections.delete(peer)
        // The peer has ended its direction; this ends ours.
        await peer.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => {})
      }
    } catch (error) {
      connection.abort(error as Error)
      if (!NO_TROUBLE.has(codeOf(error))) this.#options.onTrouble(address, error)
    } finally {
      end?.()
      this.#count--
    }
  }

  #bound (): void {
    const { maxConnections = MAX_CONNECTIONS } = this.#options
    if (this.#count > maxConnections) throw new RopewalkError('ERR_REFUSED', `${this.#count} > ${maxConnections} connections`)
  }

  #run (work: Promise<void>): void {
    const running: Promise<void> = work.catch((error: unknown) => this.#options.onTrouble('listener', error)).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }
}

/** Stopping is ours, and who only wants to see our key leaves without a word. */
const NO_TROUBLE: ReadonlySet<string> = new Set(['ERR_STOPPED', 'ERR_TRUNCATED'])

/** How long the peer may take to notice that a connection with nothing on it ends. Ours. */
const CLOSE_MS = 1000

function stopped (): RopewalkError {
  return new RopewalkError('ERR_STOPPED', 'the node stops')
}
