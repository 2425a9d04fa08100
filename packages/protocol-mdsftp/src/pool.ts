/**
 * Connections to other nodes, by their ids: dialled when there is none, by whoever needs one first; gone when they are
 * dead; and served, whoever dialled (findings 14 to 17).
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import type { Id } from '@ropewalk/muxer-mdsftp'
import { Deadline, pause, systemClock, type Clock } from './clock.ts'
import type { StorageConnection } from './connection.ts'
import { BACKOFF_FIRST_MS, BACKOFF_MOST_MS, CONNECTION_CHANNELS, DEAD_AFTER_MS, DIAL_TIMEOUT_MS, IDLE_CONNECTION_MS, MAX_NODE_CONNECTIONS } from './constants.ts'
import { StorageError } from './errors.ts'
import { Backoff } from './pool-state.ts'

export interface PoolOptions {
  /** Opens a connection to the node and introduces us: `connectNode` over a transport. */
  dial: (nodeId: Id, options: AbortOptions) => Promise<StorageConnection>
  /** Serves the channels that the node opens, until the connection ends. By default they are refused. */
  serve?: ((connection: StorageConnection, nodeId: Id) => Promise<void>) | undefined
  /** Connections of one node, dialled and accepted. Default 8. */
  maxConnections?: number | undefined
  /** Channels on every connection of a node, above which one more is dialled. Default 64. */
  maxChannels?: number | undefined
  /** How long dialling may take. Default 10 s. */
  dialMs?: number | undefined
  /** Wait after a failed attempt, doubled with each, and the longest. Default 0.5 s and 30 s. */
  backoffFirstMs?: number | undefined
  backoffMostMs?: number | undefined
  /** Connections to our own kind without a channel are closed after this. Default 5 min. Those to the original never are. */
  idleMs?: number | undefined
  /** A request that timed out breaks its connection off, if nothing was read from it for so long. Default 30 s. */
  deadAfterMs?: number | undefined
  /** At least 0 and below 1. For tests. */
  random?: (() => number) | undefined
  clock?: Clock | undefined
}

export interface PickOptions extends AbortOptions {
  /** For much content: prefers one that we dialled, which the original is less likely to choose for its own requests (finding 5a). */
  bulk?: boolean | undefined
}

interface Member {
  readonly connection: StorageConnection
  readonly dialled: boolean
  /** Operations that were given the connection and are not over. */
  users: number
  idleSince: number
}

interface Peer {
  readonly id: Id
  readonly members: Set<Member>
  readonly backoff: Backoff
  dialling: Promise<Member> | undefined
}

export class Pool implements AsyncDisposable {
  readonly #options: PoolOptions
  readonly #clock: Clock
  readonly #peers = new Map<Id, Peer>()
  readonly #running = new Set<Promise<void>>()
  readonly #over = new AbortController()
  #looking: (() => void) | undefined

  constructor (options: PoolOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Connections to the node, or to all. */
  size (nodeId?: Id): number {
    if (nodeId !== undefined) return this.#peers.get(nodeId)?.members.size ?? 0
    return Array.from(this.#peers.values(), ({ members }) => members.size).reduce((all, each) => all + each, 0)
  }

  /** Takes in a connection that was accepted, and serves it. `ERR_MAX_CONNECTIONS`, which breaks it off, when the node has as many as it may. */
  add (connection: StorageConnection): void {
    const { peerId } = connection
    if (peerId === undefined) throw new TypeError('a connection that was not accepted, or does not say of whom')
    const error = this.#over.signal.aborted ? closed() : this.size(peerId) >= this.#maxConnections ? tooMany(peerId, this.#maxConnections) : undefined
    if (error !== undefined) {
      connection.abort(error)
      throw error
    }
    this.#join(this.#peer(peerId), connection, false)
  }

  /**
   * Runs `operation` on the least busy connection to the node, after dialling if there is none. Whatever it throws is passed
   * on; a time-out on a connection that shows no life breaks it off, so that the next operation gets another.
   */
  async use<T> (nodeId: Id, operation: (connection: StorageConnection) => Promise<T>, options: PickOptions = {}): Promise<T> {
    const member = await this.#pick(nodeId, options)
    member.users++
    try {
      return await operation(member.connection)
    } catch (error) {
      const { readAt = -Infinity } = member.connection
      const quietMs = this.#clock.now() - readAt
      if (isTimeout(error) && quietMs >= (this.#options.deadAfterMs ?? DEAD_AFTER_MS)) {
        member.connection.abort(new StorageError('ERR_TIMEOUT', 'connection', `nothing was read from node ${nodeId} for ${quietMs} ms`))
        this.#leave(this.#peer(nodeId), member)
      }
      throw error
    } finally {
      member.users--
      member.idleSince = this.#clock.now()
    }
  }

  /** Closes every connection, letting what runs finish; with a signal, until it is aborted. */
  async close (options: AbortOptions = {}): Promise<void> {
    this.#over.abort(closed())
    this.#looking?.()
    const members = Array.from(this.#peers.values(), ({ members }) => [...members]).flat()
    await Promise.all(members.map(async ({ connection }) => await connection.close(options).catch(() => connection.abort(closed()))))
    await Promise.all(this.#running)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  async #pick (nodeId: Id, { signal, bulk = false }: PickOptions): Promise<Member> {
    signal?.throwIfAborted()
    this.#over.signal.throwIfAborted()
    const peer = this.#peer(nodeId)
    const best = leastBusy(peer.members, bulk)
    const { maxChannels = CONNECTION_CHANNELS } = this.#options
    if (best !== undefined) {
      // One more for those who come later: nobody waits for it while there is one that works.
      if (load(best) >= maxChannels && peer.members.size < this.#maxConnections && peer.backoff.wait(this.#clock.now()) === 0) this.#dial(peer).catch(() => {})
      return best
    }
    // Whoever gives up waiting does not end the attempt: others wait for it too.
    return await unless(this.#dial(peer), signal)
  }

  /** One attempt a node at a time, shared by all who wait for it; no node waits for another (finding 17). */
  #dial (peer: Peer): Promise<Member> {
    peer.dialling ??= this.#attempt(peer).finally(() => { peer.dialling = undefined })
    peer.dialling.catch(() => {})
    return peer.dialling
  }

  async #attempt (peer: Peer): Promise<Member> {
    const { backoff } = peer
    const { dial, dialMs = DIAL_TIMEOUT_MS, random = Math.random } = this.#options
    const over = new AbortController()
    const ended = (): void => over.abort(this.#over.signal.reason)
    this.#over.signal.addEventListener('abort', ended)
    const deadline = new Deadline(this.#clock, (what, ms) => over.abort(new StorageError('ERR_TIMEOUT', 'connection', `no ${what} within ${ms} ms`)))
    try {
      const wait = backoff.wait(this.#clock.now())
      if (wait > 0) await pause(this.#clock, wait, over.signal)
      deadline.set(dialMs, `connection to node ${peer.id}`)
      const dialled = dial(peer.id, { signal: over.signal })
      // A dial that does not heed its signal must not leave a connection behind that nobody knows of.
      dialled.then(connection => { if (over.signal.aborted) connection.abort(over.signal.reason as Error) }, () => {})
      const connection = await unless(dialled, over.signal)
      backoff.succeeded()
      return this.#join(peer, connection, true)
    } catch (error) {
      backoff.failed(this.#clock.now(), random())
      this.#tidy(peer)
      throw error
    } finally {
      deadline.stop()
      this.#over.signal.removeEventListener('abort', ended)
    }
  }

  #join (peer: Peer, connection: StorageConnection, dialled: boolean): Member {
    const member: Member = { connection, dialled, users: 0, idleSince: this.#clock.now() }
    peer.members.add(member)
    // Serving it is also what notices its end. A connection that only dials must still answer (section 2.3).
    const serving: Promise<void> = (this.#options.serve ?? refuse)(connection, peer.id).catch(() => {}).finally(() => {
      this.#leave(peer, member)
      this.#running.delete(serving)
    })
    this.#running.add(serving)
    this.#look()
    return member
  }

  #leave (peer: Peer, member: Member): void {
    peer.members.delete(member)
    this.#tidy(peer)
  }

  /** A node that nobody is connected to is forgotten, once it need not be spared any more. */
  #tidy (peer: Peer): void {
    if (peer.members.size === 0 && peer.dialling === undefined && peer.backoff.wait(this.#clock.now()) === 0) this.#peers.delete(peer.id)
  }

  #peer (id: Id): Peer {
    let peer = this.#peers.get(id)
    if (peer === undefined) {
      const { backoffFirstMs: firstMs = BACKOFF_FIRST_MS, backoffMostMs: mostMs = BACKOFF_MOST_MS } = this.#options
      peer = { id, members: new Set(), backoff: new Backoff({ firstMs, mostMs }), dialling: undefined }
      this.#peers.set(id, peer)
    }
    return peer
  }

  get #maxConnections (): number {
    return this.#options.maxConnections ?? MAX_NODE_CONNECTIONS
  }

  /** Looks now and then for connections that nobody uses. One to the original is precious: it cannot call us without (section 3.8). */
  #look (): void {
    const { idleMs = IDLE_CONNECTION_MS } = this.#options
    if (this.#looking !== undefined || idleMs === Infinity) return
    this.#looking = this.#clock.after(idleMs / 2, () => {
      this.#looking = undefined
      const now = this.#clock.now()
      for (const peer of [...this.#peers.values()]) {
        this.#tidy(peer)
        for (const member of peer.members) {
          const { connection, users, idleSince } = member
          if (users > 0 || connection.size > 0) member.idleSince = now
          else if (connection.courtesy === undefined && now - idleSince >= idleMs) {
            peer.members.delete(member)
            connection.close().catch(() => {})
          }
        }
      }
      if (this.#peers.size > 0) this.#look()
    })
  }
}

/** Counted from the channels that are open, not from a sum that could leak (finding 15). */
function load ({ connection, users }: Member): number {
  return Math.max(connection.size, users)
}

function leastBusy (members: Iterable<Member>, bulk: boolean): Member | undefined {
  let best: Member | undefined
  for (const member of members) {
    if (best === undefined || (bulk && member.dialled && !best.dialled) || ((!bulk || member.dialled === best.dialled) && load(member) < load(best))) best = member
  }
  return best
}

async function refuse (connection: StorageConnection): Promise<void> {
  for await (const channel of connection) channel.close()
}

function isTimeout (error: unknown): boolean {
  return error instanceof StorageError && error.code === 'ERR_TIMEOUT'
}

function unless<T> (wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

function closed (): StorageError {
  return new StorageError('ERR_CLOSED', 'connection', 'the pool is closed', { remote: false })
}

function tooMany (nodeId: Id, most: number): StorageError {
  return new StorageError('ERR_MAX_CONNECTIONS', 'connection', `${most + 1} > ${most} connections of node ${nodeId}`)
}
