/**
 * What was offered to whom, what was consented to, and how far it came. Pure: time is a number.
 *
 *      awaiting -> accepted -> updated -> completed | failed        any -> accepted        any that is not over -> withdrawn
 *
 * @module
 */
import { MAX_PEER_OFFERS } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import type { FileInfo, OfferStatusName } from './json-codec.ts'
import type { StoredOffer } from './ports.ts'

interface Entry {
  offer: StoredOffer
  readonly done: Set<number>
  /** Entries that have content. */
  readonly contents: number
  readonly parts: Map<number, number>
  readonly failures: Map<number, readonly [code: string, message: string]>
  running: boolean
}

export interface NewOffer {
  readonly id: string
  readonly incoming: boolean
  readonly peer: string
  readonly files: readonly FileInfo[]
  readonly digest: string
}

export class OffersState {
  readonly #entries = new Map<string, Entry>()
  readonly #counts = new Map<string, number>()
  readonly #maxPeerOffers: number
  readonly #gone: (incoming: boolean, id: string) => void

  /** `gone` is told of each offer that went for a new one. */
  constructor (options: { maxPeerOffers?: number | undefined, gone?: ((incoming: boolean, id: string) => void) | undefined } = {}) {
    this.#maxPeerOffers = options.maxPeerOffers ?? MAX_PEER_OFFERS
    this.#gone = options.gone ?? (() => {})
  }

  /** Puts back what a store has kept. What was running when it was written is not any more. */
  restore (stored: StoredOffer): void {
    const status = stored.status === 'accepted' || stored.status === 'updated' ? 'failed' : stored.status
    this.#set({ offer: { ...stored, status }, contents: contentsOf(stored.files), done: new Set(stored.done), parts: new Map(stored.parts), failures: failuresOf(stored), running: false })
  }

  /** An id that exists is taken again only from the same peer; with another manifest it is a new offer, and nobody has consented to it. */
  add (offer: NewOffer, now: number): StoredOffer {
    const before = this.#entries.get(keyOf(offer.incoming, offer.id))
    if (before !== undefined && before.offer.peer !== offer.peer) throw new WarpdriveError('ERR_FOREIGN_OFFER', 'the id belongs to an offer of another peer')
    if (before !== undefined && before.offer.digest === offer.digest && before.offer.status !== 'withdrawn') return this.#snapshot(before)
    if (before?.running === true) throw new WarpdriveError('ERR_CONSENT', 'the offer is being transferred: it cannot change now')
    if (before === undefined) this.#makeRoom(offer)
    const entry: Entry = {
      offer: { ...offer, status: 'awaiting', index: -1, progress: 0, updatedAt: now, createdAt: now, done: [], parts: [] },
      contents: contentsOf(offer.files), done: new Set(), parts: new Map(), failures: new Map(), running: false
    }
    this.#set(entry)
    return entry.offer
  }

  /** An offer without what is done of it: cheap, however many entries it has. */
  peek (incoming: boolean, id: string): NewOffer & Pick<StoredOffer, 'status'> | undefined {
    return this.#entries.get(keyOf(incoming, id))?.offer
  }

  get (incoming: boolean, id: string): StoredOffer | undefined {
    const entry = this.#entries.get(keyOf(incoming, id))
    return entry === undefined ? undefined : this.#snapshot(entry)
  }

  remove (incoming: boolean, id: string): void {
    const entry = this.#entries.get(keyOf(incoming, id))
    if (entry === undefined) return
    this.#entries.delete(keyOf(incoming, id))
    const key = `${incoming} ${entry.offer.peer}`
    this.#counts.set(key, (this.#counts.get(key) ?? 1) - 1)
  }

  /** Incoming ones first, then outgoing ones, each by age. Filters that do not exist list nothing. */
  list (filter: number): StoredOffer[] {
    const all = [...this.#entries.values()].map(entry => this.#snapshot(entry)).sort((a, b) => a.createdAt - b.createdAt)
    return [...filter <= 1 ? all.filter(offer => offer.incoming) : [], ...filter === 0 || filter === 2 ? all.filter(offer => !offer.incoming) : []]
  }

  /**
   * Begins a transfer of what has this digest: `false` when one runs already, `ERR_CONSENT` when the offer has become another.
   * Without a digest, whoever asks takes it as it is now.
   */
  begin (incoming: boolean, id: string, digest: string | undefined, now: number): boolean {
    const entry = this.#known(incoming, id)
    if (digest !== undefined && digest !== entry.offer.digest) throw new WarpdriveError('ERR_CONSENT', 'the offer is not the one that was consented to')
    if (entry.offer.status === 'withdrawn') throw new WarpdriveError('ERR_WITHDRAWN', 'the offer was withdrawn')
    if (entry.running) return false
    entry.running = true
    entry.offer = { ...entry.offer, status: 'accepted', updatedAt: now }
    return true
  }

  progress (incoming: boolean, id: string, index: number, progress: number, now: number): void {
    const entry = this.#known(incoming, id)
    if (entry.offer.status === 'withdrawn') return
    entry.offer = { ...entry.offer, status: 'updated', index, progress, updatedAt: now }
  }

  /** So many bytes of an entry are kept; all of them when it is `whole`. */
  keep (id: string, index: number, bytes: number, whole: boolean): void {
    const entry = this.#known(true, id)
    if (whole) entry.failures.delete(index)
    if (whole) entry.done.add(index)
    if (whole || bytes === 0) entry.parts.delete(index)
    else entry.parts.set(index, bytes)
  }

  /** An entry failed alone. */
  fail (incoming: boolean, id: string, index: number, code: string, message: string): void {
    this.#known(incoming, id).failures.set(index, [code, message])
  }

  /** The peer has one entry of ours, whole. True when that was the last one. */
  confirm (id: string, index: number): boolean {
    const { contents, done, failures } = this.#known(false, id)
    done.add(index)
    failures.delete(index)
    return done.size === contents
  }

  /** Whoever made an offer takes it back. Undefined where it is over, which it stays. */
  withdraw (incoming: boolean, id: string, now: number): StoredOffer | undefined {
    const entry = this.#known(incoming, id)
    if (isOver(entry.offer)) return undefined
    if (!incoming) entry.running = false
    entry.offer = { ...entry.offer, status: 'withdrawn', updatedAt: now, ...incoming ? {} : { untold: true } }
    return this.#snapshot(entry)
  }

  /** The peer knows that an offer of ours is withdrawn. Undefined where it was known before. */
  told (id: string): StoredOffer | undefined {
    const entry = this.#entries.get(keyOf(false, id))
    if (entry?.offer.untold !== true) return undefined
    const { untold: _, ...offer } = entry.offer
    entry.offer = offer
    return this.#snapshot(entry)
  }

  /** What became of an offer, by the word of who decides it. */
  settle (incoming: boolean, id: string, status: Extract<OfferStatusName, 'completed' | 'failed' | 'rejected'>, now: number): StoredOffer | undefined {
    const entry = this.#known(incoming, id)
    if (!incoming) entry.running = false
    // All of it may be there by now, and nothing else can come after that.
    if (entry.offer.status === 'withdrawn' && status !== 'completed') return undefined
    if (status === 'completed') {
      entry.failures.clear()
      // Of those that it had before it was killed the peer tells nothing by itself.
      for (const [index, file] of entry.offer.files.entries()) if (isContent(file)) entry.done.add(index)
    }
    entry.offer = { ...entry.offer, status, updatedAt: now, ...status === 'completed' ? { index: entry.offer.files.length, progress: 0 } : {} }
    return this.#snapshot(entry)
  }

  isDone (id: string, index: number): boolean {
    return this.#known(true, id).done.has(index)
  }

  keptOf (id: string, index: number): number {
    return this.#known(true, id).parts.get(index) ?? 0
  }

  end (incoming: boolean, id: string, status: Extract<OfferStatusName, 'completed' | 'failed'>, now: number): StoredOffer | undefined {
    const entry = this.#entries.get(keyOf(incoming, id))
    if (entry === undefined) return undefined
    entry.running = false
    if (entry.offer.status === 'withdrawn' && status !== 'completed') return undefined
    const over = status === 'completed' ? { index: entry.offer.files.length, progress: 0 } : {}
    entry.offer = { ...entry.offer, status, ...over, updatedAt: now }
    return this.#snapshot(entry)
  }

  #known (incoming: boolean, id: string): Entry {
    const entry = this.#entries.get(keyOf(incoming, id))
    if (entry === undefined) throw new WarpdriveError('ERR_UNKNOWN_OFFER', 'there is no such offer')
    return entry
  }

  /** Of as many offers of one peer as are kept, the oldest that is over goes. */
  #makeRoom ({ incoming, peer }: NewOffer): void {
    const count = this.#counts.get(`${incoming} ${peer}`) ?? 0
    if (count < this.#maxPeerOffers) return
    let oldest: StoredOffer | undefined
    for (const { offer, running } of this.#entries.values()) {
      if (offer.incoming !== incoming || offer.peer !== peer || running || !isOver(offer)) continue
      if (oldest === undefined || offer.updatedAt < oldest.updatedAt) oldest = offer
    }
    if (oldest === undefined) throw new WarpdriveError('ERR_TOO_MANY', `too many offers of one peer: ${count + 1} > ${this.#maxPeerOffers}`)
    this.remove(incoming, oldest.id)
    this.#gone(incoming, oldest.id)
  }

  #set (entry: Entry): void {
    const key = keyOf(entry.offer.incoming, entry.offer.id)
    if (!this.#entries.has(key)) {
      const owner = `${entry.offer.incoming} ${entry.offer.peer}`
      this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + 1)
    }
    this.#entries.set(key, entry)
  }

  #snapshot (entry: Entry): StoredOffer {
    return { ...entry.offer, done: [...entry.done], parts: [...entry.parts], failures: Array.from(entry.failures, ([index, [code, message]]) => [index, code, message]) }
  }
}

function isOver ({ status }: StoredOffer): boolean {
  return status === 'completed' || status === 'rejected' || status === 'withdrawn'
}

function isContent ({ isDir, link }: FileInfo): boolean {
  return !isDir && link === undefined
}

function contentsOf (files: readonly FileInfo[]): number {
  return files.filter(isContent).length
}

function failuresOf (stored: StoredOffer): Map<number, readonly [string, string]> {
  return new Map(stored.failures?.map(([index, code, message]) => [index, [code, message]]))
}

function keyOf (incoming: boolean, id: string): string {
  return `${incoming} ${id}`
}
