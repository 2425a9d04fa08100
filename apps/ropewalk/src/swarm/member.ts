/**
 * A peer of a swarm as a process: its listener, its folder, and the socket by which the commands of this user reach it.
 *
 * @module
 */
import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Connection, Dial, Listen, Listener } from '@ropewalk/interface'
import { joinSwarm, type FileStatus, type PeerAddress, type Swarm, type SwarmEvent } from '@ropewalk/protocol-torronto'
import { dial, listen, type Address } from '@ropewalk/transport-tcp'
import { answer, type Line } from '../peers/control.ts'
import { fileError, messageOf, RopewalkError } from '../errors.ts'
import { makeStateDirectory } from '../state-directory.ts'
import { FolderSwarmStore } from './folder-store.ts'
import type { SwarmSetup } from './setup.ts'
import { swarmSocket } from './socket.ts'

export interface MemberOptions extends SwarmSetup {
  readonly state: string
  /** Sees every connection, and gives the one to use instead; rejects where there is to be none. Default: each is as it is. */
  readonly meet?: ((connection: Connection, ours: boolean) => Promise<Connection>) | undefined
  /** Ends it at once, without a good-bye. */
  readonly signal?: AbortSignal | undefined
  readonly onEvent: (event: SwarmEvent) => void
  readonly onTrouble: (error: unknown) => void
}

/** How long after a change who watches is told again, at the soonest. Ours. */
const WATCH_MS = 200

export class Member {
  readonly #options: MemberOptions
  readonly #store: FolderSwarmStore
  readonly #control: Listener<Address>
  readonly #watchers = new Set<() => void>()
  readonly #left = Promise.withResolvers<void>()
  readonly #counter = { sent: 0 }
  #swarm: Swarm | undefined

  /** Joins; resolves when the peers have been greeted. */
  static async join (options: MemberOptions): Promise<Member> {
    await makeStateDirectory(options.state)
    const control = await listenAlone(swarmSocket(options.state))
    let store: FolderSwarmStore | undefined
    try {
      store = await FolderSwarmStore.open(options.directory)
      const member = new Member(options, store, control)
      await member.#start()
      return member
    } catch (error) {
      await control.close()
      await store?.close()
      throw error
    }
  }

  private constructor (options: MemberOptions, store: FolderSwarmStore, control: Listener<Address>) {
    this.#options = options
    this.#store = store
    this.#control = control
  }

  /** Resolves when somebody has asked this peer to leave, and it has. */
  get left (): Promise<void> {
    return this.#left.promise
  }

  /** Bytes sent to other peers so far. */
  get bytesSent (): number {
    return this.#counter.sent
  }

  query (): readonly FileStatus[] {
    return this.#swarm?.query() ?? []
  }

  /** Pushes what only we hold, says good-bye, and closes. Idempotent. */
  async leave (): Promise<void> {
    await this.#control.close()
    await this.#swarm?.leave()
    await this.#store.close()
    this.#left.resolve()
  }

  async #start (): Promise<void> {
    const { self, peers, profile, key, signal, onTrouble } = this.#options
    this.#swarm = await joinSwarm({
      self, peers, profile, key, signal,
      store: this.#store,
      dial: this.#dial,
      listen: this.#listen,
      hasher: (_digest, bytes) => hash('sha256', bytes, 'buffer'),
      onEvent: event => {
        this.#options.onEvent(event)
        for (const wake of this.#watchers) wake()
      }
    })
    void (async () => {
      for await (const connection of this.#control) void answer(connection, async (request, tell, signal) => { await this.#command(request, tell, signal) })
    })().catch(onTrouble)
  }

  readonly #dial: Dial<PeerAddress> = async (to, options) => await this.#meet(await dial({ transport: 'tcp', ...to }, options), true)

  readonly #listen: Listen<PeerAddress> = async (self, options) => {
    const listener = await listen({ transport: 'tcp', ...self }, options).catch((error: unknown) => {
      throw new RopewalkError('ERR_LISTEN', `cannot listen on ${self.host} ${self.port}: ${messageOf(error)}`, { cause: error })
    })
    const { onTrouble } = this.#options
    const meet = async (connection: Connection): Promise<Connection | undefined> => await this.#meet(connection, false).catch(onTrouble) ?? undefined
    return {
      address: self,
      close: async () => { await listener.close() },
      [Symbol.asyncDispose]: async () => { await listener.close() },
      async * [Symbol.asyncIterator] () {
        for await (const connection of listener) {
          const met = await meet(connection)
          if (met !== undefined) yield met
        }
      }
    }
  }

  async #meet (connection: Connection, ours: boolean): Promise<Connection> {
    try {
      return counting(await this.#options.meet?.(connection, ours) ?? connection, this.#counter)
    } catch (error) {
      connection.abort(error as Error)
      throw error
    }
  }

  async #command (request: Line, tell: (line: Line) => void, signal: AbortSignal): Promise<void> {
    switch (request['ask']) {
      case 'insert': return await this.#insert(String(request['path']), String(request['name']))
      case 'query': return await this.#report(request['watch'] === true, tell, signal)
      case 'leave': return await this.leave()
      default: throw new RopewalkError('ERR_USAGE', 'the peer does not know this request: is it of another version?')
    }
  }

  async #insert (path: string, name: string): Promise<void> {
    await this.#swarm?.insert(`files/${name}`, createReadStream(path, { highWaterMark: 1024 * 1024 })).catch((error: unknown) => { throw error instanceof Error && 'errno' in error ? fileError(error) : error })
    for (const wake of this.#watchers) wake()
  }

  async #report (watch: boolean, tell: (line: Line) => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      tell({ files: this.query(), peers: this.#options.peers.length })
      if (!watch || signal.aborted) return
      await this.#changed(signal)
    }
  }

  /** Resolves after the next change, or when nobody waits any more. */
  async #changed (signal: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const wake = (): void => {
        this.#watchers.delete(wake)
        signal.removeEventListener('abort', wake)
        setTimeout(resolve, WATCH_MS)
      }
      this.#watchers.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}

/** Refuses where another process of this user is a peer already. */
async function listenAlone (path: string): Promise<Listener<Address>> {
  const taken = await dial({ transport: 'unix', path }).then(connection => { connection.abort(new RopewalkError('ERR_STOPPED', 'only asked')); return true }, () => false)
  if (taken) throw new RopewalkError('ERR_STATE', 'a peer of yours is running already', { text: path, advice: ['ROPEWALK_STATE=DIRECTORY gives another one a place of its own.'] })
  await rm(path, { force: true })
  return await listen({ transport: 'unix', path }).catch((error: unknown) => { throw new RopewalkError('ERR_STATE', `cannot listen for commands: ${messageOf(error)}`, { text: path, cause: error }) })
}

interface Counter { sent: number }

/** `connection`, with what it sends counted. */
function counting (connection: Connection, counter: Counter): Connection {
  return {
    remote: connection.remote,
    source: connection.source,
    abort: reason => { connection.abort(reason) },
    [Symbol.asyncDispose]: async () => { await connection[Symbol.asyncDispose]() },
    sink: async (source, options) => {
      await connection.sink((async function * () {
        for await (const bytes of source) {
          counter.sent += bytes.byteLength
          yield bytes
        }
      })(), options)
    }
  }
}
