/**
 * Listeners on which each channel says what it speaks: services offer protocols here, and whoever comes picks one for every channel.
 *
 * @module
 */
import type { Channel, Connection, Listener, Muxer } from '@ropewalk/interface'
import { yamux } from '@ropewalk/muxer-yamux'
import { handle } from '@ropewalk/negotiate'
import { codeOf, RopewalkError } from '../errors.ts'

/** The connection that a channel is one of. */
export interface Carrier {
  /** For channels the other way. */
  readonly muxer: Muxer
  readonly remote: Connection['remote']
  /** Resolves when it is over. */
  readonly ended: Promise<void>
}

/** Serves a channel, as a connection with whoever is at the other end of all of them. */
export type ServeChannel = (connection: Connection, carrier: Carrier) => Promise<void>

/** Connections of these listeners, and channels of one; one more is refused. Ours. */
const MAX_CONNECTIONS = 256
const MAX_CHANNELS = 256

export class Muxed {
  readonly #offers = new Map<string, ServeChannel>()
  readonly #listeners = new Set<Listener<unknown>>()
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #onTrouble: (who: string, error: unknown) => void
  #count = 0

  constructor (onTrouble: (who: string, error: unknown) => void = () => {}) {
    this.#onTrouble = onTrouble
  }

  /** What channels that ask for `protocol` are served by. */
  offer (protocol: string, serve: ServeChannel): void {
    this.#offers.set(protocol, serve)
  }

  /** Whoever comes waits until `start`. */
  add (listener: Listener<unknown>): void {
    this.#listeners.add(listener)
  }

  /** Every service has said by now what it speaks: before, a client would hear that nobody does. */
  start (): void {
    for (const listener of this.#listeners) this.#run('listener', this.#accept(listener))
  }

  /** Takes nothing new. Channels belong to their services, which end them. */
  async refuse (): Promise<void> {
    for (const listener of this.#listeners) await listener.close()
  }

  /** After the services have stopped. */
  async stop (): Promise<void> {
    await this.refuse()
    this.#stopping.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #accept (listener: Listener<unknown>): Promise<void> {
    for await (const connection of listener) this.#run(connection.remote.address, this.#connection(connection))
  }

  async #connection (connection: Connection): Promise<void> {
    this.#count++
    try {
      if (this.#count > MAX_CONNECTIONS) throw new RopewalkError('ERR_REFUSED', `${this.#count} > ${MAX_CONNECTIONS} connections`)
      const muxer = yamux(connection, { role: 'server' })
      const stop = (): void => { muxer.abort(this.#stopping.signal.reason as Error) }
      this.#stopping.signal.addEventListener('abort', stop)
      const open = new Set<Promise<void>>()
      const over = Promise.withResolvers<void>()
      const carrier = { muxer, remote: connection.remote, ended: over.promise }
      try {
        for await (const channel of muxer) {
          if (open.size >= MAX_CHANNELS) {
            channel.abort(new RopewalkError('ERR_REFUSED', `${open.size + 1} > ${MAX_CHANNELS} channels`))
            continue
          }
          const served: Promise<void> = this.#channel(channel, carrier).finally(() => { open.delete(served) })
          open.add(served)
        }
      } finally {
        over.resolve()
        await Promise.all(open)
        this.#stopping.signal.removeEventListener('abort', stop)
      }
    } catch (error) {
      connection.abort(error as Error)
      throw error
    } finally {
      this.#count--
    }
  }

  async #channel (raw: Channel, carrier: Carrier): Promise<void> {
    const { remote } = carrier
    try {
      const { protocol, channel } = await handle(raw, [...this.#offers.keys()], { signal: this.#stopping.signal })
      await this.#offers.get(protocol)?.(asConnection(channel, remote), carrier)
    } catch (error) {
      raw.abort(error as Error)
      if (!NO_TROUBLE.has(codeOf(error))) this.#onTrouble(remote.address, error)
    }
  }

  #run (who: string, work: Promise<void>): void {
    const running: Promise<void> = work
      .catch((error: unknown) => { if (!NO_TROUBLE.has(codeOf(error))) this.#onTrouble(who, error) })
      .finally(() => { this.#running.delete(running) })
    this.#running.add(running)
  }
}

/** Stopping is ours, and a client may go. */
const NO_TROUBLE: ReadonlySet<string> = new Set(['ERR_STOPPED', 'ERR_CONNECTION_RESET', 'ERR_CONNECTION_LOST', 'ERR_CHANNEL_RESET'])

/** The same channel; `over` is called once, when both of its directions have ended, or it was broken off or let go of. */
export function whileOpen (connection: Connection, over: () => void): Connection {
  let open = 2
  const ended = (): void => { if (--open === 0) over() }
  const gone = (): void => {
    if (open <= 0) return
    open = 0
    over()
  }
  return {
    ...connection,
    source: (async function * () {
      try {
        yield * connection.source
      } finally {
        ended()
      }
    })(),
    sink: async (source, options) => {
      try {
        await connection.sink(source, options)
      } finally {
        ended()
      }
    },
    abort: reason => {
      connection.abort(reason)
      gone()
    },
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]()
      gone()
    }
  }
}

/** A channel that knows who is at its other end. */
export function asConnection (channel: Channel, remote: Connection['remote']): Connection {
  return {
    remote,
    source: channel.source,
    sink: (source, options) => channel.sink(source, options),
    abort: reason => { channel.abort(reason) },
    [Symbol.asyncDispose]: async () => { await channel[Symbol.asyncDispose]() }
  }
}
