/**
 * The live state of a node, in one place: services report to it, and whoever looks in reads it.
 *
 *      const transfer = board.begin({ protocol: 'ipc', direction: 'in', name, size })    // report one transfer …
 *      transfer.moved(4096); transfer.waiting('the disk'); transfer.done()
 *      serve(peer, { onEvent: board.follow({ protocol: 'mdsftp', peer: '192.0.2.7' }) }) // … or let the library's events do it
 *      const seen = board.connect(connection, { protocol: 'mdsftp', muxer: 'mdsftp' })   // use seen.connection instead; seen.end() at the end
 *
 *      board.list()                                                                      // all there is, now
 *      for await (const change of board.changes({ signal })) …                           // what becomes of it
 *
 * Everything is bounded: of transfers those that ended longest ago go first; a reader of changes that sleeps holds one entry a transfer,
 * and is told `lost` above `MAX_CHANGES`. Nothing is kept on disk here: the journal listens, and does that.
 *
 * @module
 */
import type { AbortOptions, Connection, TransferEvent } from '@ropewalk/interface'
import { codeOf, messageOf } from '../errors.ts'
import type { Activity, ActivityChange, ChannelActivity, ConnectionActivity, TransferActivity } from './activity.ts'
import { Changes } from './changes.ts'
import { metered, type Gate } from './metered.ts'

/** Transfers that are remembered, under way and ended together. Ours. */
export const MAX_TRANSFERS = 1024

/** Connections that are shown; those beyond work like any other. Ours: listeners refuse long before. */
export const MAX_SHOWN_CONNECTIONS = 1024

/** Channels of one connection that are listed. Ours. */
export const MAX_SHOWN_CHANNELS = 256

/** Who may listen to changes at once. Ours. */
export const MAX_LISTENERS = 64

/** Characters of a name that are kept: the rest of a longer one is replaced by `…`. Ours. */
export const MAX_NAME_CHARACTERS = 1024

/** How long a transfer may move nothing before it counts as waiting. Ours. */
export const STILL_MS = 2000

export interface BoardOptions {
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

export interface BeginOptions {
  readonly protocol: string
  readonly direction: 'in' | 'out'
  readonly name: string
  readonly size?: number | undefined
  readonly peer?: string | undefined
  readonly group?: string | undefined
  /** Bytes that were there before: it goes on. */
  readonly bytes?: number | undefined
  /** Holds the connection back for a reason of ours: asked when nothing moves. */
  readonly holds?: (() => string | undefined) | undefined
}

export interface ConnectOptions {
  readonly protocol: string
  readonly muxer?: string | undefined
  /** What the bytes of this connection have to wait for: shared limits. */
  readonly gate?: Gate | undefined
}

/** What a muxer tells of itself. */
export interface MuxerFacts {
  readonly size?: number | undefined
  channels? (): Iterable<ChannelActivity>
}

/** A transfer as its service reports it. After `done` or `failed` it says nothing more. */
export interface Reporting {
  readonly id: string
  /** So many bytes in all. */
  moved (bytes: number): void
  /** What it waits for, until something moves. */
  waiting (reason: string): void
  done (): void
  failed (error: unknown): void
}

/** A connection as the board sees it. */
export interface Seen {
  /** Counted: use it instead of the one that was given. */
  readonly connection: Connection
  /** Whom to ask about channels, once there is a muxer. */
  readonly muxedBy: (muxer: MuxerFacts) => void
  /** When anything came over it last; when it began, where nothing has. */
  readonly heardAt: () => number
  readonly end: () => void
}

export class ActivityBoard {
  readonly #now: () => number
  readonly #run: string
  readonly #transfers = new Map<string, Entry>()
  /** Of those that have ended, in that order. */
  readonly #ended = new Set<string>()
  readonly #connections = new Map<string, () => ConnectionActivity>()
  readonly #listeners = new Set<Changes>()
  #count = 0

  constructor ({ now = Date.now }: BoardOptions = {}) {
    this.#now = now
    this.#run = Math.floor(now() / 1000).toString(36)
  }

  list (): Activity {
    const now = this.#now()
    return { transfers: Array.from(this.#transfers.values(), entry => entry.at(now)), connections: Array.from(this.#connections.values(), facts => facts()) }
  }

  /** One transfer, if it is remembered. */
  transfer (id: string): TransferActivity | undefined {
    return this.#transfers.get(id)?.at(this.#now())
  }

  /** What changes from now on, until the signal is aborted; then the iteration ends without an error. */
  changes ({ signal }: AbortOptions = {}): AsyncIterableIterator<ActivityChange> {
    if (this.#listeners.size >= MAX_LISTENERS) throw new RangeError(`${this.#listeners.size + 1} > ${MAX_LISTENERS} listeners`)
    const changes = new Changes(() => { this.#listeners.delete(changes) }, signal)
    if (signal?.aborted !== true) this.#listeners.add(changes)
    return changes
  }

  begin (options: BeginOptions): Reporting {
    const entry = new Entry(`${this.#run}-${(++this.#count).toString(36)}`, options, this.#now())
    this.#transfers.set(entry.id, entry)
    if (this.#transfers.size > MAX_TRANSFERS) this.#forget()
    const tell = (change: (now: number) => boolean) => {
      const now = this.#now()
      if (change(now)) this.#tell({ change: 'transfer', transfer: entry.at(now) })
    }
    tell(() => true)
    const end = (...args: Parameters<Entry['end']>): boolean => {
      const ended = entry.end(...args)
      if (ended && this.#transfers.has(entry.id)) this.#ended.add(entry.id)
      return ended
    }
    return {
      id: entry.id,
      moved: bytes => { tell(now => entry.moved(bytes, now)) },
      waiting: reason => { tell(now => entry.waiting(reason, now)) },
      done: () => { tell(now => end('done', undefined, now)) },
      failed: error => { tell(now => end('failed', { code: codeOf(error), message: messageOf(error) }, now)) }
    }
  }

  /** A listener for the events of a library, which keeps apart what they tell apart. */
  follow (facts: Omit<BeginOptions, 'direction' | 'name' | 'size' | 'bytes'> & { readonly name?: ((event: TransferEvent) => string) | undefined }): (event: TransferEvent) => void {
    const running = new Map<string, Reporting>()
    return event => {
      const { transfer } = event
      let reporting = running.get(transfer)
      if (reporting === undefined) {
        if (event.event === 'finished' || event.event === 'failed') return
        const size = 'size' in event ? event.size : undefined
        reporting = this.begin({ ...facts, direction: event.direction === 'send' ? 'out' : 'in', name: facts.name?.(event) ?? event.name, size })
        running.set(transfer, reporting)
      }
      if ('bytes' in event) reporting.moved(event.bytes)
      if (event.event === 'progress' || event.event === 'started') return
      running.delete(transfer)
      if (event.event === 'finished') reporting.done()
      else reporting.failed(Object.assign(new Error(event.message), { code: event.code }))
    }
  }

  /** Shows a connection, until `end` is called. */
  connect (connection: Connection, { protocol, muxer, gate }: ConnectOptions): Seen {
    const id = `c${(++this.#count).toString(36)}`
    const { address, fingerprint } = connection.remote
    const openedAt = this.#now()
    let [heardAt, bytesIn, bytesOut] = [openedAt, 0, 0]
    let asked: MuxerFacts = {}
    const facts = (): ConnectionActivity => ({ id, protocol, muxer, address, fingerprint, openedAt, heardAt, bytesIn, bytesOut, open: asked.size, channels: channelsOf(asked) })
    if (this.#connections.size < MAX_SHOWN_CONNECTIONS) {
      this.#connections.set(id, facts)
      this.#tell({ change: 'connected', connection: facts() })
    }
    return {
      connection: metered(connection, {
        received: bytes => {
          bytesIn += bytes
          heardAt = this.#now()
        },
        sent: bytes => { bytesOut += bytes },
        gate
      }),
      muxedBy: muxer => { asked = muxer },
      heardAt: () => heardAt,
      end: () => {
        if (this.#connections.delete(id)) this.#tell({ change: 'disconnected', connection: facts() })
        asked = {}
      }
    }
  }

  #tell (change: ActivityChange): void {
    for (const listener of this.#listeners) listener.put(change)
  }

  /** The one that ended first, or if none has, began first. */
  #forget (): void {
    const oldest = this.#ended.values().next().value ?? this.#transfers.keys().next().value
    if (oldest === undefined) return
    this.#ended.delete(oldest)
    this.#transfers.delete(oldest)
  }
}

function channelsOf (muxer: MuxerFacts): readonly ChannelActivity[] {
  if (muxer.channels === undefined) return []
  const listed: ChannelActivity[] = []
  for (const channel of muxer.channels()) if (listed.push(channel) === MAX_SHOWN_CHANNELS) break
  return listed
}

class Entry {
  readonly id: string
  readonly #options: BeginOptions
  readonly #startedAt: number
  readonly #name: string
  #bytes: number
  #changedAt: number
  #waits: { readonly reason: string, readonly since: number } | undefined
  #ended: { readonly state: 'done' | 'failed', readonly at: number, readonly error: TransferActivity['error'] } | undefined

  constructor (id: string, options: BeginOptions, now: number) {
    this.id = id
    this.#options = options
    this.#name = options.name.length > MAX_NAME_CHARACTERS ? `${options.name.slice(0, MAX_NAME_CHARACTERS - 1)}…` : options.name
    this.#bytes = options.bytes ?? 0
    this.#startedAt = this.#changedAt = now
  }

  moved (bytes: number, now: number): boolean {
    if (this.#ended !== undefined || bytes <= this.#bytes) return false
    this.#bytes = bytes
    this.#changedAt = now
    this.#waits = undefined
    return true
  }

  waiting (reason: string, now: number): boolean {
    if (this.#ended !== undefined || this.#waits?.reason === reason) return false
    this.#waits = { reason, since: now }
    this.#changedAt = now
    return true
  }

  end (state: 'done' | 'failed', error: TransferActivity['error'], now: number): boolean {
    if (this.#ended !== undefined) return false
    this.#ended = { state, at: now, error }
    this.#changedAt = now
    return true
  }

  at (now: number): TransferActivity {
    const { protocol, direction, peer, group, size } = this.#options
    const waits = this.#ended === undefined ? this.#waits ?? this.#still(now) : undefined
    return {
      id: this.id, protocol, direction, peer, name: this.#name, group, size, bytes: this.#bytes,
      state: this.#ended?.state ?? (waits === undefined ? 'running' : 'waiting'),
      waitsFor: waits?.reason, waitsSince: waits?.since, startedAt: this.#startedAt, changedAt: this.#changedAt, endedAt: this.#ended?.at, error: this.#ended?.error
    }
  }

  /** Nobody has said that it waits, and still nothing moves. What we send is acknowledged by the peer as it takes it, and else its window is full. */
  #still (now: number): { readonly reason: string, readonly since: number } | undefined {
    if (now - this.#changedAt < STILL_MS) return undefined
    const reason = this.#options.holds?.() ?? (this.#options.direction === 'out' ? 'the peer\'s window' : 'bytes from the peer')
    return { reason, since: this.#changedAt }
  }
}
