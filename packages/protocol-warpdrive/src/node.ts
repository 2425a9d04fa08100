/**
 * A node: what it offers, what it was offered, whom it trusts, and its answers to both.
 *
 * @module
 */
import { toHex } from '@ropewalk/framing'
import type { AbortOptions, Channel } from '@ropewalk/interface'
import { offerAlone } from './client.ts'
import { pause, systemClock, type Clock } from './clock.ts'
import { AUTO_ACCEPT_DELAY_MS, MAX_PEER_SESSIONS, Outcome, PARALLEL_FILES, PROGRESS_TIMEOUT_MS } from './constants.ts'
import { checkBlocks } from './content-digest.ts'
import { describeFiles } from './describing.ts'
import { codeOf, messageOf, WarpdriveError } from './errors.ts'
import type { FileInfo, Offer, OfferStatus, Peer } from './json-codec.ts'
import { Listeners } from './listeners.ts'
import { checkId, checkManifest, isExtended, manifestBytes } from './manifest-codec.ts'
import { MemoryState } from './memory-store.ts'
import { OffersState, type NewOffer } from './offers-state.ts'
import { PeersState } from './peers-state.ts'
import type { NodeOptions } from './node-options.ts'
import type { OfferedFile, ReadOptions, StateStore, StoredOffer } from './ports.ts'
import { GO_838779E, portOf, type Profile } from './profile-codec.ts'
import { recall, receiveOffer, tellOutcome } from './receiving.ts'
import { sendEntries, sendEntry, type Pieces, type Sending } from './sending.ts'
import { serveSession, type Answers, type ServeOptions } from './server.ts'
import { Session, type SessionOptions } from './session.ts'
import { takenBack, Withdrawals } from './withdrawals.ts'

/** A download that runs. */
export interface Transfer {
  /** Resolves when every file is whole; rejects with what stopped it. Accept again to go on. */
  readonly finished: Promise<void>
}

/** Makes a node from its state. */
export async function openNode (options: NodeOptions): Promise<WarpdriveNode> {
  const state = options.state ?? new MemoryState()
  const { offers, peers } = await state.load()
  return new WarpdriveNode(options, state, offers, peers)
}

export class WarpdriveNode implements Answers {
  readonly identity: string
  readonly #options: NodeOptions
  readonly #state: StateStore
  readonly #profile: Profile
  readonly #clock: Clock
  readonly #offers: OffersState
  readonly #peers = new PeersState()
  readonly #listeners = new Listeners()
  readonly #sources = new Map<string, readonly OfferedFile[]>()
  readonly #answeredAt = new Map<string, number>()
  readonly #sessions = new Map<string, number>()
  readonly #closing = new AbortController()
  readonly #withdrawals: Withdrawals
  /** Downloads by offer, and what stops each. */
  readonly #running = new Map<string, { readonly finished: Promise<void>, readonly stop: AbortController }>()

  constructor (options: NodeOptions, state: StateStore, offers: readonly StoredOffer[], peers: readonly Peer[]) {
    this.identity = options.identity
    this.#options = options
    this.#state = state
    this.#profile = options.profile ?? GO_838779E
    this.#clock = options.clock ?? systemClock
    this.#offers = new OffersState({ ...options, gone: (incoming, id) => { void this.forget(incoming, id).catch(() => {}) } })
    this.#withdrawals = new Withdrawals(this.#offers, peer => this.#open(peer, 'sendOffer', this.#closing.signal), state)
    for (const offer of offers) {
      this.#offers.restore(offer)
      if (!offer.incoming) this.#sources.set(offer.id, offer.files.map(file => ({ ...file, source: file.uri })))
    }
    for (const peer of peers) this.#peers.restore(peer)
  }

  /**
   * Answers one session. `caller` is who the transport says it is; the node itself, and only it, may give local commands. `heldBytes`: of what it is given
   * the channel still uses no more than the last so many bytes, and the last array. By default it may use all.
   */
  async serve (channel: Channel, caller: string, port: string, { signal, heldBytes }: Pick<ServeOptions, 'signal' | 'heldBytes'> = {}): Promise<Error | undefined> {
    const count = this.#sessions.get(caller) ?? 0
    const most = this.#options.maxPeerSessions ?? MAX_PEER_SESSIONS
    if (count >= most) {
      const error = new WarpdriveError('ERR_TOO_MANY', `too many sessions of one peer: ${count + 1} > ${most}`)
      channel.abort(error)
      return error
    }
    this.#sessions.set(caller, count + 1)
    try {
      const both = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal])
      return await serveSession(channel, this, { ...this.#sessionOptions(), port, caller, local: caller === this.identity, signal: both, heldBytes })
    } finally {
      const left = (this.#sessions.get(caller) ?? 1) - 1
      if (left === 0) this.#sessions.delete(caller)
      else this.#sessions.set(caller, left)
    }
  }

  peers (): Peer[] {
    return this.#peers.list()
  }

  async updatePeer (peer: string, attribute: string, value: string): Promise<void> {
    await this.#state.putPeer(this.#peers.update(peer, attribute, value))
  }

  /** From then on it is anybody; offers of it and to it stay. */
  async removePeer (peer: string): Promise<void> {
    const removed = this.#peers.remove(peer)
    if (removed !== undefined) await this.#state.removePeer(removed.id)
  }

  offers (filter: number): StoredOffer[] {
    return this.#offers.list(filter)
  }

  listen (what: 'offers' | 'status', filter: number, options: AbortOptions = {}): AsyncIterable<Offer | OfferStatus> {
    const wanted = (offer: Offer): boolean => filter === 1 ? offer.incoming : filter === 2 ? !offer.incoming : true
    return this.#listeners.listen(offer => wanted(offer) && (what === 'status' || offer.status === 'awaiting'), options)
  }

  /** Offers what is at `path`. The offer is there before the peer hears of it, so that it may download while it answers. */
  async createOffer (peer: string, path: string, { signal }: AbortOptions = {}): Promise<{ readonly id: string, readonly accepted: boolean }> {
    const sources = await describeFiles(this.#options, path, signal)
    const sent = sources.map(({ source: _, ...info }): FileInfo => info)
    checkManifest(sent, this.#options)
    const id = (this.#options.randomId ?? (() => crypto.randomUUID()))()
    const stored = this.#offers.add({ id, incoming: false, peer, files: sources.map((info, i) => ({ ...sent[i] as FileInfo, uri: info.source })), digest: await this.#digest(sent) }, this.#clock.now())
    this.#sources.set(id, sources)
    try {
      await this.#state.putOffer(stored)
      const accepted = await offerAlone(await this.#open(peer, 'sendOffer', signal), id, sent)
      this.#listeners.publish(stored)
      return { id, accepted }
    } catch (error) {
      this.#offers.remove(false, id)
      this.#sources.delete(id)
      await this.#state.removeOffer(false, id)
      throw error
    }
  }

  /** As `accept`, for the command: whoever gives it takes the offer as it is. */
  async acceptOffer (id: string, options: AbortOptions = {}): Promise<void> {
    await this.accept(id, undefined, options)
  }

  /**
   * Downloads an offer, or goes on where it was broken off. `digest` is that of the manifest that somebody has seen and consented to:
   * `ERR_CONSENT` when the peer has changed it since. Resolves when the peer has confirmed; undefined when it runs already.
   */
  async accept (id: string, digest: string | undefined, { signal }: AbortOptions = {}): Promise<Transfer | undefined> {
    if (!this.#offers.begin(true, id, digest, this.#clock.now())) return undefined
    const offer = this.#offers.get(true, id) as StoredOffer
    const stop = new AbortController()
    const both = AbortSignal.any([stop.signal, this.#closing.signal, ...signal === undefined ? [] : [signal]])
    const begun = Promise.withResolvers<void>()
    const finished = this.#receive(offer, both, begun.resolve)
    this.#running.set(id, { finished, stop })
    finished.then(begun.resolve, begun.reject).finally(() => { this.#running.delete(id) })
    await begun.promise
    return { finished }
  }

  admit (caller: string): void {
    if (this.#peers.modeOf(caller) === 'block') throw new WarpdriveError('ERR_BLOCKED', 'the peer is blocked')
  }

  async sendOffer (caller: string, id: string, files: readonly FileInfo[]): Promise<{ readonly accepted: boolean, answered (): void }> {
    this.admit(caller)
    checkId(id)
    if (files.length === 0) return await this.#takenBack(caller, id)
    checkManifest(files, this.#options)
    await checkBlocks(files, this.#options.sha256)
    const offer = this.#offers.add({ id, incoming: true, peer: caller, files, digest: await this.#digest(files) }, this.#clock.now())
    await this.#state.putOffer(offer)
    this.#listeners.publish(offer)
    this.#options.onOffered?.(offer)
    const accepted = this.#options.autoAccept !== false && this.#peers.modeOf(caller) === 'trust'
    return {
      accepted,
      answered: () => {
        this.#answeredAt.set(id, this.#clock.now())
        if (accepted) void this.accept(id, offer.digest).catch(() => {})
      }
    }
  }

  /** Says no: the offer is kept as `rejected`, and the peer is told where it understands that. */
  async decline (id: string, options: AbortOptions = {}): Promise<void> {
    const running = this.#running.get(id)
    running?.stop.abort(new WarpdriveError('ERR_INTERRUPTED', 'the offer was declined', { remote: false }))
    await running?.finished.catch(() => {})
    const offer = this.#offers.settle(true, id, 'rejected', this.#clock.now())
    this.#changed(offer)
    await this.#settle(offer, Outcome.declined, options.signal)
  }

  /**
   * Takes back what was offered: from now on the peer gets nothing of it, and what runs is broken off. Resolves to whether the peer has been told, which otherwise happens
   * when it asks, or by `tellWithdrawn`. `ERR_SETTLED` when it has arrived or was declined.
   */
  async withdraw (id: string): Promise<boolean> {
    const offer = this.#offers.withdraw(false, id, this.#clock.now()) ?? this.#offers.get(false, id)
    if (offer?.status !== 'withdrawn') throw new WarpdriveError('ERR_SETTLED', `the offer is ${offer?.status ?? 'gone'}: there is nothing to withdraw`, { remote: false })
    this.#listeners.publish(offer)
    return await this.#withdrawals.begin(offer)
  }

  /** Tells a peer, who is there now, of what was withdrawn while it was not. Never rejects. */
  async tellWithdrawn (peer: string): Promise<void> {
    await this.#withdrawals.tellPeer(peer)
  }

  /** Offers again what was offered before: the peer takes it for the same offer. */
  async offerAgain (id: string, { signal }: AbortOptions = {}): Promise<void> {
    const offer = this.#offers.get(false, id)
    if (offer === undefined) throw new WarpdriveError('ERR_UNKNOWN_OFFER', 'there is no such offer', { remote: false })
    if (offer.status === 'withdrawn') throw new WarpdriveError('ERR_WITHDRAWN', 'the offer was withdrawn', { remote: false })
    // A state that was read again has the source where the peer was told the relative path.
    const sent = (this.#sources.get(id) ?? []).map(({ source, ...info }): FileInfo => info.uri === source ? { ...info, uri: info.path } : info)
    await offerAlone(await this.#open(offer.peer, 'sendOffer', signal), id, sent)
  }

  /** Forgets an offer, whatever became of it. */
  async forget (incoming: boolean, id: string): Promise<void> {
    this.#offers.remove(incoming, id)
    if (!incoming) this.#sources.delete(id)
    await this.#state.removeOffer(incoming, id)
  }

  confirmed (caller: string, id: string, index: number): void {
    const offer = this.#offers.peek(false, id)
    if (offer?.peer !== caller || index < 0 || index >= offer.files.length) return
    this.#offers.progress(false, id, index, offer.files[index]?.size ?? 0, this.#clock.now())
    if (this.#offers.confirm(id, index)) this.#changed(this.#offers.settle(false, id, 'completed', this.#clock.now()))
  }

  async settleOffer (caller: string, id: string, outcome: number): Promise<void> {
    this.admit(caller)
    if (this.#offers.get(false, id)?.peer !== caller) throw new WarpdriveError('ERR_UNKNOWN_OFFER', 'there is no such offer for this peer')
    this.#changed(this.#offers.settle(false, id, outcome === Outcome.completed ? 'completed' : outcome === Outcome.declined ? 'rejected' : 'failed', this.#clock.now()))
  }

  download (caller: string, id: string, index: bigint, offset: bigint, one: boolean, options: ReadOptions = {}): AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>> {
    const offer = this.#offerTo(caller, id)
    return this.#withdrawals.refuse(id) ?? this.#send(offer, index, offset, one, options)
  }

  downloadMany (caller: string, id: string, indices: readonly number[], pieces: Pieces, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    this.#offerTo(caller, id)
    return sendEntries(this.#sending(id), indices, pieces, options)
  }

  /** Ends every session and download. */
  async close (): Promise<void> {
    this.#closing.abort(new WarpdriveError('ERR_INTERRUPTED', 'the node is closed', { remote: false }))
    await Promise.allSettled(Array.from(this.#running.values(), ({ finished }) => finished))
  }

  /** The same answer for what is not there and what is not yours. */
  #offerTo (caller: string, id: string): NewOffer {
    this.admit(caller)
    const offer = this.#offers.peek(false, id)
    if (offer?.peer !== caller) throw new WarpdriveError('ERR_UNKNOWN_OFFER', 'there is no such offer for this peer')
    return offer
  }

  async * #send ({ id }: { readonly id: string }, index: bigint, offset: bigint, one: boolean, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    if (offset < 0n || (one && index < 0n)) throw new WarpdriveError('ERR_BAD_VALUE', `a download from ${index}, ${offset}`)
    const first = index < 0n ? 0 : Number(index)
    const sending = this.#sending(id)
    if (one) return yield * sendEntry(sending, first, Number(offset), options)
    let failed = true
    try {
      for (let at = first; at < sending.sources.length; at++) yield * sendEntry(sending, at, at === first ? Number(offset) : 0, options)
      failed = false
    } finally {
      // Of single entries their confirmations tell, and at the end the word of the peer.
      this.#changed(this.#offers.end(false, id, failed ? 'failed' : 'completed', this.#clock.now()))
    }
  }

  #sending (id: string): Sending {
    // Of one that is withdrawn the first byte is refused.
    if (this.#offers.peek(false, id)?.status !== 'withdrawn' && this.#offers.begin(false, id, undefined, this.#clock.now())) this.#changed(this.#offers.get(false, id))
    return {
      files: this.#options.files,
      sources: this.#sources.get(id) ?? [],
      progress: (index, bytes) => { this.#offers.progress(false, id, index, bytes, this.#clock.now()) },
      withdrawn: () => this.#withdrawals.refuse(id),
      fail: (index, error) => { if (codeOf(error) !== 'ERR_WITHDRAWN') this.#offers.fail(false, id, index, codeOf(error), messageOf(error)) }
    }
  }

  async #receive (offer: StoredOffer, signal: AbortSignal, begun: () => void): Promise<void> {
    const { id } = offer
    let done = false
    let toldAt = -Infinity
    try {
      // Ours are there as soon as they are offered.
      const wait = isExtended(offer.files) ? 0 : (this.#answeredAt.get(id) ?? -Infinity) + AUTO_ACCEPT_DELAY_MS - this.#clock.now()
      if (wait > 0) await pause(this.#clock, wait, signal)
      this.#answeredAt.delete(id)
      const { inbox, sha256, parallel = PARALLEL_FILES, progressMs = PROGRESS_TIMEOUT_MS } = this.#options
      recall(offer, inbox, (index, bytes, whole) => { this.#offers.keep(id, index, bytes, whole) })
      await receiveOffer({
        offer, inbox, sha256, parallel, progressMs, signal,
        now: () => this.#clock.now(),
        open: () => this.#open(offer.peer, 'download', signal),
        isDone: index => this.#offers.isDone(id, index),
        keptOf: index => this.#offers.keptOf(id, index),
        keep: (index, bytes, whole) => {
          this.#offers.keep(id, index, bytes, whole)
          this.#offers.progress(true, id, index, whole ? 0 : bytes, this.#clock.now())
        },
        fail: (index, error) => { this.#offers.fail(true, id, index, codeOf(error.cause ?? error), messageOf(error.cause ?? error)) },
        progress: (index, bytes) => {
          if (this.#clock.now() - toldAt < 1000) return
          toldAt = this.#clock.now()
          this.#offers.progress(true, id, index, bytes, toldAt)
          this.#listeners.publish(this.#offers.get(true, id) as Offer)
        }
      }, () => { this.#changed(this.#offers.get(true, id)); begun() })
      done = true
      await this.#settle(offer, Outcome.completed, signal)
    } catch (error) {
      if (this.#offers.peek(true, id)?.status === 'withdrawn') throw takenBack()
      if (error instanceof WarpdriveError && error.scope === 'transfer') await this.#settle(offer, Outcome.failed, signal)
      throw error
    } finally {
      this.#changed(this.#offers.end(true, id, done ? 'completed' : 'failed', this.#clock.now()))
    }
  }

  /** An empty list takes back the offer that has this id, where its peer says so, and is none itself. */
  async #takenBack (caller: string, id: string): Promise<{ readonly accepted: false, answered (): void }> {
    const offer = this.#offers.peek(true, id)?.peer === caller ? this.#offers.withdraw(true, id, this.#clock.now()) : undefined
    if (offer !== undefined) {
      this.#running.get(id)?.stop.abort(takenBack())
      this.#listeners.publish(offer)
      await this.#state.putOffer(offer)
      this.#options.onWithdrawn?.(offer)
    }
    return { accepted: false, answered: () => {} }
  }

  #changed (offer: StoredOffer | undefined): void {
    if (offer === undefined) return
    this.#listeners.publish(offer)
    // A store that fails costs what it would have saved, not the transfer.
    this.#state.putOffer(offer).catch(() => {})
  }

  async #digest (files: readonly FileInfo[]): Promise<string> {
    const hash = this.#options.sha256()
    hash.update(manifestBytes(files))
    return toHex(await hash.digest())
  }

  async #settle (offer: StoredOffer | undefined, outcome: Outcome, signal: AbortSignal | undefined): Promise<void> {
    if (offer !== undefined) await tellOutcome(() => this.#open(offer.peer, 'download', signal), offer, outcome)
  }

  async #open (peer: string, type: 'sendOffer' | 'download', signal: AbortSignal | undefined): Promise<Session> {
    return new Session(await this.#options.query(peer, portOf(this.#profile, type), { signal }), { ...this.#sessionOptions(), signal })
  }

  #sessionOptions (): SessionOptions {
    const { replyMs, maxJsonBytes, maxEntries } = this.#options
    return { profile: this.#profile, clock: this.#clock, replyMs, maxJsonBytes, maxEntries }
  }
}
