/**
 * The node that offers, receives and pairs, for one user: the protocol over links to its peers, with files and inboxes on disk.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Channel, TransferEvent } from '@ropewalk/interface'
import { answerPair, CodeState, codeFrom, EXCHANGE_TIMEOUT_MS, formatCode, pair, PairError, parseCode, type Paired } from '@ropewalk/protocol-pair'
import { openNode, ping, PROGRESS_TIMEOUT_MS, REPLY_TIMEOUT_MS, Session, WarpdriveError, type Peer, type StoredOffer, type WarpdriveNode } from '@ropewalk/protocol-warpdrive'
import type { SqliteState } from '@ropewalk/protocol-warpdrive/node'
import type { Identity } from '@ropewalk/transport-tcp'
import type { ActivityBoard } from '../activity/board.ts'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import type { Door } from '../services/door.ts'
import type { Policy } from '../services/policy.ts'
import { EventHub } from './event-hub.ts'
import { causeOf, Inboxes } from './inboxes.ts'
import { Links, PAIR, WARPDRIVE, type Link } from './links.ts'
import { Outbox } from './outbox.ts'
import { formatPeerAddress, parsePeerAddress, type PeerAddress } from './peer-address.ts'
import type { PeerBook } from './peer-book.ts'
import { Presence } from './presence.ts'
import { linksOf, Receiving } from './receiving.ts'
import { sha256By } from './sha256.ts'
import { silenceIn, unanswered } from './silence.ts'
import { Sources, type DraftOptions } from './sources.ts'

export interface PeerNodeOptions {
  readonly board: ActivityBoard
  readonly door: Door
  readonly state: string
  readonly identity: Identity
  readonly store: SqliteState
  readonly book: PeerBook
  /** By what this machine introduces itself when it pairs. */
  readonly name: string
  /** Where received files go, unless an acceptance says otherwise. */
  readonly inbox: string | undefined
  /** Whether it accepts by itself, and whom it takes offers of. */
  readonly policy: Pick<Policy, 'autoAccept' | 'anyone'>
  /** How long a peer may take to answer, and how long nothing may come of what is received. Default: those of the protocol. */
  readonly replyMs?: number | undefined
  readonly progressMs?: number | undefined
  /** Peers that the local network tells of, by fingerprint. Hints only. */
  readonly nearby: (fingerprint: string) => readonly PeerAddress[]
  readonly onTrouble: (who: string, error: unknown) => void
}

/** Files that are received at a time. Ours: behind each, others are being made to last. */
const PARALLEL_FILES = 4

/** How long a peer may take to say what became of an offer, once it has all of it. Ours. */
export const LAST_WORD_MS = 500

/** How long a node that speaks several protocols may take to answer that it speaks this one. Ours. */
const GREET_MS = 10_000

const sha512 = (message: Uint8Array): Uint8Array => new Uint8Array(createHash('sha512').update(message).digest())

export class PeerNode {
  readonly events: EventHub = new EventHub()
  readonly codes: CodeState = new CodeState()
  readonly links: Links
  readonly warpdrive: WarpdriveNode
  readonly receiving: Receiving
  readonly sources: Sources
  /** At which port peers reach it; 0 where they cannot. */
  port = 0
  /** Where it listens; all addresses of the machine where that is none of them. */
  host: string | undefined
  /** The peers that were paired since somebody began to wait for it. */
  #paired = Promise.withResolvers<Paired>()
  #presence: Presence | undefined
  readonly #outbox: Outbox
  readonly #options: PeerNodeOptions

  private constructor (options: PeerNodeOptions, sources: Sources, inboxes: Inboxes, events: EventHub, warpdrive: WarpdriveNode, links: Links) {
    this.#options = options
    this.sources = sources
    this.events = events
    this.warpdrive = warpdrive
    this.links = links
    this.#outbox = new Outbox(options.state, warpdrive)
    this.receiving = new Receiving({
      warpdrive, inboxes, inbox: options.inbox, onTrouble: options.onTrouble, nameOf: peer => this.nameOf(peer),
      onSilence: peer => { this.#doubt(peer) }
    })
  }

  static async open (options: PeerNodeOptions): Promise<PeerNode> {
    const { board, door, identity, store, book, nearby, replyMs = REPLY_TIMEOUT_MS, progressMs, onTrouble } = options
    const events = new EventHub(reporter(board, peer => node.nameOf(peer)))
    const sources = new Sources(events.emit)
    const inboxes = new Inboxes(options.state, events.emit)
    const links = new Links({
      door, resource: options.inbox, identity, replyMs,
      addressesOf: fingerprint => [...book.of(fingerprint).map(parsePeerAddress), ...nearby(fingerprint)],
      isKnown: fingerprint => node.isKnown(fingerprint),
      receivesFrom: fingerprint => node.receiving.receivesFrom(fingerprint),
      protocolsFor: fingerprint => node.#protocolsFor(fingerprint),
      serve: (protocol, channel, link) => node.#serve(protocol, channel, link),
      onLink: ({ fingerprint }) => {
        node.receiving.wake(fingerprint)
        void node.warpdrive.tellWithdrawn(fingerprint)
      },
      greet: async ({ fingerprint }) => { await node.ping(fingerprint, AbortSignal.timeout(GREET_MS)) },
      onTrouble
    })
    const warpdrive = await openNode({
      identity: identity.fingerprint, state: store, files: sources, inbox: inboxes, sha256: sha256By(() => store.sha256()), autoAccept: false, symlinks: true, parallel: PARALLEL_FILES, replyMs, progressMs,
      onOffered: offer => { node.#offered(offer) },
      onWithdrawn: offer => { node.receiving.withdrawn(offer).catch((error: unknown) => { onTrouble(`offer ${offer.id.slice(0, 8)}`, error) }) },
      query: async (peer, _, { signal }) => {
        if (node.peer(peer)?.mod === 'block') throw new RopewalkError('ERR_REFUSED', 'the peer is blocked')
        return await links.query(peer, WARPDRIVE, { signal })
      }
    })
    const node: PeerNode = new PeerNode(options, sources, inboxes, events, warpdrive, links)
    await node.receiving.resume()
    node.#presence = new Presence(warpdrive, links)
    return node
  }

  get #replyMs (): number {
    return this.#options.replyMs ?? REPLY_TIMEOUT_MS
  }

  get identity (): string {
    return this.warpdrive.identity
  }

  get name (): string {
    return this.#options.name
  }

  peer (fingerprint: string): Peer | undefined {
    return this.warpdrive.peers().find(({ id }) => id === fingerprint)
  }

  /** The name that a peer has here; its key where it has none. */
  nameOf (fingerprint: string): string {
    return this.peer(fingerprint)?.alias || fingerprint
  }

  isKnown (fingerprint: string): boolean {
    const peer = this.peer(fingerprint)
    return peer !== undefined && peer.mod !== 'block'
  }

  addressesOf (fingerprint: string): readonly string[] {
    return this.#options.book.of(fingerprint)
  }

  /** Puts a code out. What was out before is void. */
  issueCode (): string {
    const code = codeFrom(crypto.getRandomValues(new Uint8Array(9)))
    this.codes.issue(code, Date.now())
    this.#paired = Promise.withResolvers()
    this.#paired.promise.catch(() => {})
    return formatCode(code)
  }

  /** Who knew the code that is out. Rejects when its guess was wrong. */
  paired (): Promise<Paired> {
    return this.#paired.promise
  }

  /** Pairs with whoever has put `code` out at `address`. */
  async pairWith (code: string, address: PeerAddress, signal: AbortSignal): Promise<Paired> {
    parseCode(code)
    const link = await this.links.dial(address, { signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw new RopewalkError('ERR_UNREACHABLE', 'the other machine cannot be reached', { cause: error, advice: [messageOf(error)] })
    })
    const timeoutMs = Math.min(this.#replyMs, EXCHANGE_TIMEOUT_MS)
    const options = { ours: this.identity, theirs: link.fingerprint, introduction: this.#introduction(), sha512, timeoutMs, signal }
    const paired = await this.links.query(link.fingerprint, PAIR, { signal }).then(channel => pair(channel, code, options)).catch((error: unknown) => {
      signal.throwIfAborted()
      if (silenceIn(error) !== undefined) {
        this.#doubt(link.fingerprint)
        throw unanswered('the other machine', 'the code', timeoutMs, error)
      }
      // Who has no code out speaks with no stranger.
      throw error instanceof PairError && error.code !== 'ERR_INTERRUPTED' ? error : new RopewalkError('ERR_NO_CODE', 'the other side has no code out: it is used up, or more than 2 minutes old', { cause: error })
    })
    await this.#keep(paired, formatPeerAddress(address))
    return paired
  }

  /** Makes a peer of one whose key and address somebody has said, where whoever is there has that key. */
  async meet (address: PeerAddress, fingerprint: string, signal: AbortSignal): Promise<void> {
    if (!this.links.isConnected(fingerprint)) {
      await this.links.dial({ ...address, fingerprint }, { signal }).catch((error: unknown) => {
        signal.throwIfAborted()
        throw new RopewalkError('ERR_UNREACHABLE', 'the peer cannot be reached', { cause: error, advice: [messageOf(error)] })
      })
    }
    if (this.peer(fingerprint) === undefined) await this.warpdrive.updatePeer(fingerprint, 'mod', '')
    await this.#options.book.remember(fingerprint, formatPeerAddress(address))
  }

  /** Offers what is at `paths`. `onReading` hears how far it is read. */
  async offer (peer: string, paths: readonly string[], signal: AbortSignal, options?: DraftOptions): Promise<string> {
    const { id } = await this.warpdrive.createOffer(peer, this.sources.draft(paths, options), { signal })
      .catch(this.#failed(peer, signal, 'the offer', ['"ropewalk send" offers it anew; nothing of this offer is left.']))
    return id
  }

  /** Offers again what was offered before. */
  async offerAgain ({ id, peer }: StoredOffer, signal: AbortSignal): Promise<void> {
    await this.warpdrive.offerAgain(id, { signal }).catch(this.#failed(peer, signal, 'the offer', [`"ropewalk retry ${id.slice(0, 8)}" offers it once more.`]))
  }

  /** Milliseconds that a signal takes there and back. */
  async ping (peer: string, signal: AbortSignal): Promise<number> {
    const session = new Session(await this.links.query(peer, WARPDRIVE, { signal }), { signal, replyMs: this.#replyMs })
    const began = performance.now()
    try {
      await ping(session, [1])
    } catch (error) {
      session.abort(error as Error)
      return this.#failed(peer, signal, 'the ping')(error)
    }
    return performance.now() - began
  }

  async block (peer: string): Promise<void> {
    await this.warpdrive.updatePeer(peer, 'mod', 'block')
    this.links.drop(peer, new RopewalkError('ERR_REFUSED', 'the peer is blocked'))
  }

  /** Takes back what was offered to a peer, ends what it has offered, and makes it a stranger. */
  async forget (peer: string): Promise<void> {
    const { warpdrive } = this
    const [incoming, outgoing] = [1, 2].map(filter => warpdrive.offers(filter).filter(offer => offer.peer === peer)) as [StoredOffer[], StoredOffer[]]
    // One that has come to its end by now is forgotten like the others.
    await Promise.all(outgoing.filter(isOpen).map(({ id }) => warpdrive.withdraw(id).catch(() => false)))
    const forgotten = new RopewalkError('ERR_REFUSED', 'the peer was forgotten')
    for (const offer of incoming.filter(isOpen)) await this.receiving.discard(offer, forgotten)
    await warpdrive.removePeer(peer)
    this.links.drop(peer, forgotten)
    for (const { incoming: theirs, id } of warpdrive.offers(0).filter(offer => offer.peer === peer)) await warpdrive.forget(theirs, id)
    await this.#options.book.forget(peer)
  }

  /** What peers have asked for may come to its end within `graceMs`. */
  async close (graceMs: number): Promise<void> {
    await this.#presence?.close()
    await this.receiving.close()
    await this.links.finish(graceMs)
    await this.warpdrive.close()
    await this.#outbox.close()
    await this.links.close()
  }

  /** Tells who has asked a peer for something what became of that. */
  #failed (peer: string, signal: AbortSignal, asked: string, advice: readonly string[] = []): (error: unknown) => never {
    return error => {
      signal.throwIfAborted()
      if (silenceIn(error) !== undefined) {
        this.#doubt(peer)
        throw unanswered(this.nameOf(peer), asked, this.#replyMs, error, [...advice, 'peers.reply_timeout, a setting of "ropewalk serve", gives it longer.'])
      }
      // What a connection says of itself that the other end has ended means nothing to who has asked for something.
      if (!(error instanceof WarpdriveError) || error.code !== 'ERR_INTERRUPTED') throw error
      throw new RopewalkError('ERR_UNREACHABLE', 'the peer has ended the connection', {
        cause: error, advice: ['It does not know this machine, has blocked it, or has no room: its own terminal says which.']
      })
    }
  }

  /** A peer has kept somebody waiting. What came in the first half of that time says nothing of its end. */
  #doubt (peer: string): void {
    this.links.dropSilent(peer, Math.min(this.#replyMs, this.#options.progressMs ?? PROGRESS_TIMEOUT_MS) / 2)
  }

  #introduction (): { name: string, port: number } {
    return { name: this.#options.name, port: this.port }
  }

  #protocolsFor (fingerprint: string): string[] {
    if (this.peer(fingerprint)?.mod === 'block') return []
    const known = this.isKnown(fingerprint) || this.#options.policy.anyone
    return [...known ? [WARPDRIVE] : [], ...this.codes.plate(Date.now()) === undefined ? [] : [PAIR]]
  }

  async #serve (protocol: string, channel: Channel, link: Link): Promise<void> {
    if (protocol === WARPDRIVE) {
      await this.warpdrive.serve(channel, link.fingerprint, 'warpdrive', { heldBytes: link.heldBytes })
      return
    }
    const waiting = this.#paired
    try {
      waiting.resolve(await answerPair(channel, {
        ours: this.identity, theirs: link.fingerprint, introduction: this.#introduction(), sha512, codes: this.codes, now: Date.now,
        keep: paired => this.#keep(paired, paired.port === 0 ? undefined : withPort(link.address, paired.port))
      }))
    } catch (error) {
      this.#options.onTrouble(link.address, error)
      // A code is used up by its guess; whoever left before that has spent nothing.
      if (this.codes.plate(Date.now()) === undefined) waiting.reject(codeOf(error) === 'ERR_INTERRUPTED' ? wrongCode(error) : error)
    }
  }

  async #keep ({ fingerprint, name }: Paired, address: string | undefined): Promise<void> {
    if (this.peer(fingerprint)?.mod === 'block') await this.warpdrive.updatePeer(fingerprint, 'mod', '')
    if ((this.peer(fingerprint)?.alias ?? '') === '') await this.warpdrive.updatePeer(fingerprint, 'alias', this.#freeAlias(name, fingerprint))
    if (address !== undefined) await this.#options.book.remember(fingerprint, address)
  }

  /** The name that the peer has given itself, unless another has it: then the first digits of its key come behind it. */
  #freeAlias (name: string, fingerprint: string): string {
    const wanted = name.trim() === '' ? fingerprint.slice(0, 8) : name.trim()
    return this.warpdrive.peers().some(({ alias }) => alias === wanted) ? `${wanted}-${fingerprint.slice(0, 4)}` : wanted
  }

  /** What a trusted peer offers is accepted where that is switched on; what was accepted before, and offered again, goes on: nobody changed it. */
  #offered (offer: StoredOffer): void {
    // Links are consented to by somebody, or not at all.
    const trusted = this.#options.policy.autoAccept && offer.status === 'awaiting' && this.peer(offer.peer)?.mod === 'trust' && linksOf(offer).length === 0
    if (!trusted && offer.status !== 'failed') return
    const work = trusted ? this.receiving.accept(offer, undefined, undefined) : this.receiving.goOn(offer)
    work.catch((error: unknown) => { this.#options.onTrouble(`offer ${offer.id.slice(0, 8)}`, causeOf(error)) })
  }
}

function isOpen ({ status }: StoredOffer): boolean {
  return status !== 'completed' && status !== 'rejected'
}

/** Reports what moves to the board. Of an offer that is received the key is its id; of a file that is sent, its path. */
function reporter (board: ActivityBoard, nameOf: (peer: string) => string): (key: string, event: TransferEvent, peer?: string) => void {
  const follow = new Map<string, (event: TransferEvent) => void>()
  return (key, event, peer) => {
    const { transfer } = event
    const tell = follow.get(transfer) ?? board.follow({ protocol: 'warpdrive', peer: peer === undefined ? undefined : nameOf(peer), group: event.direction === 'receive' ? key : undefined })
    if (event.event === 'finished' || event.event === 'failed') follow.delete(transfer)
    else follow.set(transfer, tell)
    tell(event)
  }
}

function wrongCode (cause: unknown): RopewalkError {
  return new RopewalkError('ERR_UNTRUSTED', 'somebody has tried another code; this one is used up', { cause, advice: ['Pair again, with a new code.'] })
}

/** Where a peer listens that has dialled us from `address`. */
function withPort (address: string, port: number): string {
  return formatPeerAddress({ ...parsePeerAddress(address.replace(/^\[?::ffff:([\d.]+)\]?/, '$1')), port })
}
