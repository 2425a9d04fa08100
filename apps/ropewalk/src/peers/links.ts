/**
 * Connections between peers: one with each, muxed, known by key, whoever has dialled it. Every query is a channel of its own. A connection that carries other
 * protocols too becomes one when a peer speaks this on it.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AbortOptions, Channel, Connection, Listener, Muxer } from '@ropewalk/interface'
import { HELD_BYTES, mdsftp } from '@ropewalk/muxer-mdsftp'
import { yamux } from '@ropewalk/muxer-yamux'
import { handle, select } from '@ropewalk/negotiate'
import type { Identity } from '@ropewalk/transport-tcp'
import type { MuxerFacts } from '../activity/board.ts'
import { messageOf, RopewalkError } from '../errors.ts'
import type { Admitted, Door } from '../services/door.ts'
import { asConnection, whileOpen, type Carrier } from '../services/muxed.ts'
import { dialAddress } from '../transports.ts'
import { formatPeerAddress, type PeerAddress } from './peer-address.ts'

/** Offers and downloads. Its channels carry sessions of the port `warpdrive`. */
export const WARPDRIVE = '/ropewalk/warpdrive/1'
export const PAIR = '/ropewalk/pair/1'

/** Connections at once; one more is refused. Ours. */
export const MAX_LINKS = 256

/** Connections at once of peers that are not known; one more is refused. Ours: they can only pair. */
export const MAX_STRANGERS = 16

/** How long one of those may stay when nothing is received from it. Ours. */
const STRANGER_MS = 15_000

/** How long one address may take to answer. Ours. */
const DIAL_MS = 5_000

export interface Link {
  readonly fingerprint: string
  /** Of the other end, without its port where it has dialled us. */
  readonly address: string
  readonly muxer: Muxer
  /** Of what is sent a channel of it uses no more than the last so many bytes, and the last array. Unknown: all. */
  readonly heldBytes?: number | undefined
  /** When anything came over it last. Unknown: others speak on it too. */
  readonly heardAt?: (() => number) | undefined
  /** Others speak on it too, and end it. */
  readonly carried?: true | undefined
}

export interface LinksOptions {
  readonly door: Door
  /** The inbox: what grants are about. */
  readonly resource: string | undefined
  readonly identity: Identity
  /** Where a peer may be, the likeliest first. */
  readonly addressesOf: (fingerprint: string) => readonly PeerAddress[]
  /** What whoever has this key may speak now; nothing: it is refused. */
  readonly protocolsFor: (fingerprint: string) => readonly string[]
  readonly isKnown: (fingerprint: string) => boolean
  /** Whether something of whoever has this key was accepted, and comes. */
  readonly receivesFrom: (fingerprint: string) => boolean
  /** How long whoever is not known may stay when nothing is received from it. Default 15 s. */
  readonly strangerMs?: number | undefined
  /** How long a peer may take to say that it speaks a protocol. Default 10 s. */
  readonly replyMs?: number | undefined
  /** Never rejects. */
  readonly serve: (protocol: string, channel: Channel, link: Link) => Promise<void>
  readonly onLink: (link: Link) => void
  /** We have dialled a node that speaks several protocols: tells it that we speak this one. */
  readonly greet: (link: Link) => Promise<void>
  readonly onTrouble: (who: string, error: unknown) => void
}

export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<string, Set<Link>>()
  readonly #listeners = new Set<Listener<unknown>>()
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()
  /** Channels of peers that are answered. */
  readonly #answering = new Set<Promise<void>>()
  /** By the muxer of the connection that carries them. */
  readonly #carried = new WeakMap<Muxer, Link>()
  #count = 0
  #strangers = 0

  constructor (options: LinksOptions) {
    this.#options = options
  }

  /** Takes whoever comes to `listener`. */
  listen (listener: Listener<unknown>): void {
    this.#listeners.add(listener)
    this.#run((async () => {
      for await (const connection of listener) this.#run(this.#accept(connection))
    })())
  }

  isConnected (fingerprint: string): boolean {
    return this.#links.has(fingerprint)
  }

  /** A channel to a peer, over the connection that there is, or a new one. */
  async query (fingerprint: string, protocol: string, { signal }: AbortOptions = {}): Promise<Channel> {
    const link = this.#newest(fingerprint) ?? await this.#reach(fingerprint, signal)
    const channel = await link.muxer.open({ signal })
    return (await select(channel, [protocol], { lazy: true, deadlineMs: this.#options.replyMs, signal })).channel
  }

  /** Connects to whoever is at `address`, or to the one whose fingerprint it names. */
  async dial (address: PeerAddress, { signal }: AbortOptions = {}): Promise<Link> {
    const { identity } = this.#options
    const tls = address.fingerprint === undefined ? { identity, verify: () => true } : { identity }
    const connection = await dialAddress(address, { signal, timeoutMs: DIAL_MS, tls })
    const seen = await this.#options.door.admit(connection, { protocol: 'warpdrive', muxer: address.mux ?? 'mdsftp', ours: true }).catch((error: unknown) => {
      connection.abort(error as Error)
      throw error
    })
    if (address.mux === undefined) return this.#adopt(seen, mdsftp(seen.connection, { role: 'dialer' }), formatPeerAddress(address), HELD_BYTES)
    const link = this.#adopt(seen, yamux(seen.connection, { role: 'client' }), formatPeerAddress(address))
    this.#run(this.#options.greet(link).catch((error: unknown) => { link.muxer.abort(error as Error) }))
    return link
  }

  /** Serves a channel of a connection that carries more than this; from then on it is a link. */
  async take (protocol: string, connection: Connection, carrier: Carrier): Promise<void> {
    const { signal } = this.#closing
    signal.throwIfAborted()
    const stop = (): void => { connection.abort(signal.reason as Error) }
    signal.addEventListener('abort', stop)
    const served = this.#take(protocol, connection, carrier).finally(() => { signal.removeEventListener('abort', stop) })
    const running: Promise<void> = served.catch(() => {}).finally(() => { this.#running.delete(running) })
    this.#running.add(running)
    await served
  }

  async #take (protocol: string, connection: Connection, { muxer, remote, ended }: Carrier): Promise<void> {
    const { door, resource } = this.#options
    const { fingerprint, address } = remote
    if (fingerprint === undefined) throw new RopewalkError('ERR_REFUSED', 'it has shown no key')
    if (!this.#options.protocolsFor(fingerprint).includes(protocol)) throw new RopewalkError('ERR_REFUSED', `its key sha256=${fingerprint} is not that of a peer`)
    const seen = await door.admit(connection, { protocol: 'warpdrive', muxer: 'yamux', resource })
    try {
      if (seen.access === 'read') throw new RopewalkError('ERR_REFUSED', 'its grant is to read, and peers bring')
      const link = this.#carried.get(muxer) ?? this.#join({ fingerprint, address, muxer: this.#admitting(muxer, remote), carried: true }, muxer, ended)
      await this.#options.serve(protocol, seen.connection, link)
    } finally {
      seen.end()
    }
  }

  /** Connects to a peer, unless it is connected. */
  async connect (fingerprint: string, { signal }: AbortOptions = {}): Promise<void> {
    if (!this.isConnected(fingerprint)) await this.#reach(fingerprint, signal)
  }

  /** Breaks off every connection with a peer. */
  drop (fingerprint: string, reason: Error): void {
    for (const { muxer } of this.#links.get(fingerprint) ?? []) muxer.abort(reason)
  }

  /**
   * Breaks off connections with a peer over which nothing came for `ms`, so that the next query finds another: its machine may be gone without a word,
   * and the connection would be believed in for as long as TCP repeats itself.
   */
  dropSilent (fingerprint: string, ms: number): void {
    for (const { muxer, heardAt } of this.#links.get(fingerprint) ?? []) {
      if (heardAt !== undefined && Date.now() - heardAt() >= ms) muxer.abort(new RopewalkError('ERR_TIMEOUT', `nothing came within ${ms} ms`))
    }
  }

  /** What peers have asked for comes to its end, if it does so within `graceMs`: what they say last is what became of an offer. */
  async finish (graceMs: number): Promise<void> {
    if (this.#answering.size === 0) return
    const over = new AbortController()
    await Promise.race([Promise.all(this.#answering), sleep(graceMs, undefined, { signal: over.signal }).catch(() => {})])
    over.abort()
  }

  async close (): Promise<void> {
    for (const listener of this.#listeners) await listener.close()
    const stopped = new RopewalkError('ERR_STOPPED', 'the node stops')
    this.#closing.abort(stopped)
    await Promise.all(Array.from(this.#links.values(), links => Promise.all(Array.from(links, async ({ muxer, carried }) => {
      if (carried === true) return
      await muxer.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => {})
      muxer.abort(stopped)
    }))))
    await Promise.all(this.#running)
  }

  #newest (fingerprint: string): Link | undefined {
    return [...this.#links.get(fingerprint) ?? []].at(-1)
  }

  async #reach (fingerprint: string, signal: AbortSignal | undefined): Promise<Link> {
    const tried: string[] = []
    for (const address of this.#options.addressesOf(fingerprint)) {
      try {
        return await this.dial({ ...address, fingerprint }, { signal })
      } catch (error) {
        signal?.throwIfAborted()
        tried.push(`${formatPeerAddress(address)}: ${messageOf(error)}`)
      }
    }
    throw new RopewalkError('ERR_UNREACHABLE', 'the peer cannot be reached', {
      advice: tried.length > 0 ? tried : ['It has told no address, and is not connected. It has to connect here: with "ropewalk ping", for instance.']
    })
  }

  async #accept (connection: Connection): Promise<void> {
    const { fingerprint, address } = connection.remote
    try {
      if (fingerprint === undefined) throw new RopewalkError('ERR_REFUSED', 'it has shown no key')
      if (this.#count >= MAX_LINKS) throw new RopewalkError('ERR_REFUSED', `${this.#count + 1} > ${MAX_LINKS} connections`)
      if (this.#options.protocolsFor(fingerprint).length === 0) throw new RopewalkError('ERR_REFUSED', `its key sha256=${fingerprint} is not that of a peer`)
      const { door, resource } = this.#options
      const seen = await door.admit(connection, { protocol: 'warpdrive', muxer: 'mdsftp', resource })
      if (seen.access === 'read') {
        seen.end()
        throw new RopewalkError('ERR_REFUSED', 'its grant is to read, and peers bring')
      }
      const link = this.#adopt(seen, mdsftp(seen.connection, { role: 'acceptor' }), address, HELD_BYTES)
      if (!this.#options.isKnown(fingerprint)) this.#bound(link)
    } catch (error) {
      connection.abort(error as Error)
      if (!this.#closing.signal.aborted) this.#options.onTrouble(address, error)
    }
  }

  /** Whoever is not known may pair, and then is known, or may send what was accepted, and then goes. */
  #bound (link: Link): void {
    const { fingerprint, muxer } = link
    const { isKnown, receivesFrom, strangerMs = STRANGER_MS } = this.#options
    if (this.#strangers >= MAX_STRANGERS) throw new RopewalkError('ERR_REFUSED', `${this.#strangers + 1} > ${MAX_STRANGERS} connections of strangers`)
    this.#strangers++
    const look = (): void => {
      if (!isKnown(fingerprint) && receivesFrom(fingerprint) && this.#links.get(fingerprint)?.has(link) === true) return wait()
      this.#strangers--
      if (!isKnown(fingerprint)) muxer.abort(new RopewalkError('ERR_REFUSED', 'it has not paired'))
    }
    const wait = (): void => { setTimeout(look, strangerMs).unref() }
    wait()
  }

  #adopt (seen: Admitted, muxer: Muxer & MuxerFacts, address: string, heldBytes?: number): Link {
    const { fingerprint = '' } = seen.connection.remote
    const link: Link = { fingerprint, address, muxer, heldBytes, heardAt: seen.heardAt }
    const { signal } = this.#closing
    // The node may have stopped while the other end was let in.
    if (signal.aborted) {
      seen.end()
      muxer.abort(signal.reason as Error)
      throw signal.reason as Error
    }
    seen.muxedBy(muxer)
    seen.over.addEventListener('abort', () => { muxer.abort(seen.over.reason as Error) }, { once: true })
    this.#count++
    const forget = this.#add(link)
    this.#run(this.#serve(link).finally(() => {
      seen.end()
      this.#count--
      forget()
    }))
    this.#options.onLink(link)
    return link
  }

  #join (link: Link, muxer: Muxer, ended: Promise<void>): Link {
    const forget = this.#add(link)
    this.#carried.set(muxer, link)
    void ended.then(forget)
    this.#options.onLink(link)
    return link
  }

  /** Returns what takes it away again. */
  #add (link: Link): () => void {
    const { fingerprint } = link
    const links = this.#links.get(fingerprint) ?? new Set()
    links.add(link)
    this.#links.set(fingerprint, links)
    return () => {
      links.delete(link)
      if (links.size === 0 && this.#links.get(fingerprint) === links) this.#links.delete(fingerprint)
    }
  }

  /** Channels that we open are counted and held to the limits like those of the peer: nobody does it for the whole connection. */
  #admitting (muxer: Muxer, remote: Connection['remote']): Muxer {
    const { door } = this.#options
    return {
      open: async options => {
        const channel = await muxer.open(options)
        const seen = await door.admit(asConnection(channel, remote), { protocol: 'warpdrive', muxer: 'yamux', ours: true }).catch((error: unknown) => {
          channel.abort(error as Error)
          throw error
        })
        return whileOpen(seen.connection, seen.end)
      },
      close: async options => { await muxer.close(options) },
      abort: reason => { muxer.abort(reason) },
      [Symbol.asyncIterator]: () => muxer[Symbol.asyncIterator]()
    }
  }

  async #serve (link: Link): Promise<void> {
    try {
      for await (const channel of link.muxer) {
        const answering = this.#answer(channel, link).finally(() => { this.#answering.delete(answering) })
        this.#answering.add(answering)
        this.#run(answering)
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#options.onTrouble(link.address, error)
    } finally {
      // The other end has ended its direction, and this ends ours.
      await link.muxer.close({ signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => {})
      link.muxer.abort(new RopewalkError('ERR_STOPPED', 'the connection is over'))
    }
  }

  async #answer (channel: Channel, link: Link): Promise<void> {
    try {
      const spoken = this.#options.protocolsFor(link.fingerprint)
      const { protocol, channel: agreed } = await handle(channel, spoken, { signal: this.#closing.signal })
      await this.#options.serve(protocol, agreed, link)
    } catch {
      // The channel is broken off by now, and the other end knows why.
    }
  }

  #run (work: Promise<void>): void {
    const running: Promise<void> = work.catch((error: unknown) => { this.#options.onTrouble('peers', error) }).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }
}

/** How long the other end may take to agree to an end. Ours. */
const CLOSE_MS = 1000
