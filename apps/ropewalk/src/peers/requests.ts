/**
 * What commands ask of the node, one function each.
 *
 * @module
 */
import { parseCode } from '@ropewalk/protocol-pair'
import type { Offer, Peer, StoredOffer } from '@ropewalk/protocol-warpdrive'
import { codeOf, messageOf, RopewalkError } from '../errors.ts'
import { ownAddresses, type Discovery } from './discovery.ts'
import type { Destination } from './inboxes.ts'
import type { Line } from './control.ts'
import { isContent, offerLine, withMissing, type OfferLine } from './offer-line.ts'
import { formatPeerAddress, parsePeerAddress } from './peer-address.ts'
import { findOffer, findPeer, noPeer } from './peer-names.ts'
import { LAST_WORD_MS, type PeerNode } from './peer-node.ts'
import { withdrawn } from './receiving.ts'

type Tell = (line: Line) => void

/** Where an offer goes that is accepted, and what of it. */
interface Where {
  readonly directory?: string | undefined
  readonly otherwise: string
  readonly dangerous: boolean
  readonly links: boolean
  /** How long attempts may bring nothing new. */
  readonly retryForMs: number | undefined
}

/** Nodes that a code is tried with which say that they have it out. Ours: each could be somebody who only says so. */
const MAX_TRIED = 3

/** How long the local network is asked for whoever has a code out. Ours. */
const FIND_MS = 5_000

export class Requests {
  readonly #node: PeerNode
  readonly #discovery: Discovery
  /** By offer, what takes it back, or forgets its peer. */
  readonly #withdrawing = new Map<string, Promise<unknown>>()

  constructor (node: PeerNode, discovery: Discovery) {
    this.#node = node
    this.#discovery = discovery
  }

  /** Every offer, the oldest first. */
  offers (): OfferLine[] {
    return this.#node.warpdrive.offers(0).map(offer => this.lineOf(offer))
  }

  /** What is told of an offer. */
  lineOf (offer: StoredOffer): OfferLine {
    return offerLine(offer, this.#node.peer(offer.peer)?.alias ?? '')
  }

  /** Peers, and who else is on the local network. */
  peers (): Line[] {
    const lines: Line[] = []
    this.#peers(line => { lines.push(line) })
    return lines
  }

  async perform (request: Line, tell: Tell, signal: AbortSignal): Promise<void> {
    const text = (field: string): string => {
      const value = request[field]
      if (typeof value !== 'string') throw new RopewalkError('ERR_USAGE', `${field} is wanted`)
      return value
    }
    const optional = (field: string): string | undefined => request[field] === undefined ? undefined : text(field)
    const patience = (): number | undefined => request['retry_for'] === undefined ? undefined : Number(request['retry_for']) * 1000
    switch (request['do']) {
      case 'peers': return this.#peers(tell)
      case 'set': return await this.#set(text('peer'), text('attribute'), text('value'), tell)
      case 'forget': return await this.#forget(text('peer'), tell)
      case 'ping': return await this.#ping(text('peer'), tell, signal)
      case 'pair': return await this.#pair(tell, signal)
      case 'pair-with': return await this.#pairWith(text('code'), optional('address'), tell, signal)
      case 'send': return await this.#send(text('peer'), request['paths'] as string[], request['wait'] === true, request['links'] === true, tell, signal)
      case 'offers': return await this.#offers(Number(request['filter'] ?? 0), request['watch'] === true, tell, signal)
      case 'accept': return await this.#receive(this.#incoming(text('offer')), { directory: optional('directory'), otherwise: text('otherwise'), dangerous: request['dangerous'] === true, links: request['links'] === true, retryForMs: patience() }, tell, signal)
      case 'decline': return await this.#decline(text('offer'), tell, signal)
      case 'withdraw': return await this.#withdraw(this.#outgoing(text('offer')), tell)
      case 'retry': return await this.#retry(this.#find(text('offer')), { otherwise: text('otherwise'), dangerous: request['dangerous'] === true, links: false, retryForMs: patience() }, tell, signal)
      case 'status': return void tell({ ...this.#detailed(this.#find(text('offer'))) })
      default: throw new RopewalkError('ERR_USAGE', 'the node that runs does not know this command', { advice: ['It is another version of ropewalk: stop it, and start it anew.'] })
    }
  }

  #peers (tell: Tell): void {
    const { warpdrive, links } = this.#node
    const nearby = this.#discovery.nearby()
    const known = warpdrive.peers()
    for (const { id, alias, mod } of known) {
      tell({ peer: id, alias, mode: mod === '' ? 'ask' : mod, connected: links.isConnected(id), addresses: this.#node.addressesOf(id), nearby: nearby.some(({ fingerprint }) => fingerprint === id) })
    }
    for (const { fingerprint, name, host, port } of nearby.filter(({ fingerprint }) => !known.some(({ id }) => id === fingerprint))) {
      tell({ peer: fingerprint, claims: name, mode: 'unknown', connected: false, addresses: [formatPeerAddress({ transport: 'tls', host, port })], nearby: true })
    }
  }

  async #set (peer: string, attribute: string, value: string, tell: Tell): Promise<void> {
    const { warpdrive } = this.#node
    const id = findPeer(warpdrive.peers(), peer)
    if (attribute === 'alias' && warpdrive.peers().some(other => other.alias === value && other.id !== id)) throw new RopewalkError('ERR_EXISTS', 'another peer has that name', { text: value })
    if (attribute === 'mod' && value === 'block') await this.#node.block(id)
    else await warpdrive.updatePeer(id, attribute, value)
    tell(this.#peer(id))
  }

  async #forget (text: string, tell: Tell): Promise<void> {
    const { warpdrive } = this.#node
    const peer = findPeer(warpdrive.peers(), text)
    const offers = warpdrive.offers(0).filter(offer => offer.peer === peer)
    const known = this.#peer(peer)
    if (this.#node.peer(peer) === undefined && offers.length === 0) throw noPeer(text)
    const work = this.#node.forget(peer)
    for (const { id } of offers) this.#withdrawing.set(id, work.catch(() => {}))
    try {
      await work
      tell({ ...known, offers: offers.length })
    } finally {
      for (const { id } of offers) this.#withdrawing.delete(id)
    }
  }

  async #ping (text: string, tell: Tell, signal: AbortSignal): Promise<void> {
    const id = await this.#reachable(text, signal)
    const ms = await this.#node.ping(id, signal)
    tell({ ...this.#peer(id), ms })
  }

  async #pair (tell: Tell, signal: AbortSignal): Promise<void> {
    const { codes } = this.#node
    if (this.#node.port === 0) throw new RopewalkError('ERR_LISTEN', 'this node does not listen, so nobody could reach it')
    const code = this.#node.issueCode()
    const { host } = this.#node
    const hosts = host === undefined || host === '::' || host === '0.0.0.0' ? ownAddresses() : [host]
    if (hosts.length === 0) hosts.push('127.0.0.1')
    const paired = this.#node.paired()
    tell({ code, addresses: hosts.map(host => formatPeerAddress({ transport: 'tls', host, port: this.#node.port })), port: this.#node.port })
    this.#discovery.tell()
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => { reject(new RopewalkError('ERR_TIMEOUT', 'nobody has used the code within 2 minutes')) }, CODE_MS)
    const stop = (): void => { reject(signal.reason) }
    signal.addEventListener('abort', stop)
    try {
      const { fingerprint } = await Promise.race([paired, late])
      tell({ paired: this.#peer(fingerprint) })
    } catch (error) {
      codes.revoke()
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      this.#discovery.tell()
    }
  }

  async #pairWith (code: string, address: string | undefined, tell: Tell, signal: AbortSignal): Promise<void> {
    const { plate } = parseCode(code)
    const addresses = address !== undefined ? [parsePeerAddress(address)] : (await this.#discovery.waiting(plate, AbortSignal.any([signal, AbortSignal.timeout(FIND_MS)])))
      .slice(0, MAX_TRIED).map(({ host, port, fingerprint }) => ({ transport: 'tls' as const, host, port, fingerprint }))
    signal.throwIfAborted()
    if (addresses.length === 0) {
      throw new RopewalkError('ERR_UNREACHABLE', 'nobody on the local network says that it has this code out', { advice: ['The other machine has printed an address with the code: ropewalk pair CODE ADDRESS'] })
    }
    let failure: unknown
    for (const address of addresses) {
      try {
        const { fingerprint } = await this.#node.pairWith(code, address, signal)
        tell({ paired: this.#peer(fingerprint) })
        return
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async #send (text: string, paths: readonly string[], wait: boolean, links: boolean, tell: Tell, signal: AbortSignal): Promise<void> {
    const peer = await this.#reachable(text, signal)
    const id = await this.#node.offer(peer, paths, signal, { links, onReading: reading => { tell({ reading }) } })
    const offer = this.#known(id, false)
    tell({ offer: this.lineOf(offer), followed: wait })
    if (wait) await this.#follow(offer, tell, signal)
  }

  async #offers (filter: number, watch: boolean, tell: Tell, signal: AbortSignal): Promise<void> {
    const { warpdrive } = this.#node
    const changes = warpdrive.listen('status', filter, { signal })
    for (const offer of warpdrive.offers(filter)) tell({ offer: this.lineOf(offer) })
    if (!watch) return
    tell({ watching: true })
    const told = new Map<string, string>()
    for await (const change of changes as AsyncIterable<Offer>) {
      const key = `${change.incoming} ${change.id}`
      if (told.get(key) === change.status) continue
      told.set(key, change.status)
      tell({ offer: this.lineOf(change as StoredOffer) })
    }
  }

  async #receive (offer: StoredOffer, { directory, otherwise, dangerous, links, retryForMs }: Where, tell: Tell, signal: AbortSignal): Promise<void> {
    if (offer.status === 'completed') return void tell({ settled: this.lineOf(offer), before: true })
    if (offer.status === 'withdrawn') throw withdrawn()
    if (!links) await this.#node.receiving.assertLinks(offer)
    tell({ offer: this.lineOf(offer) })
    const stop = this.#node.events.listen([offer.id], event => { tell({ transfer: event }) })
    let place: Destination | undefined
    const gone = new Promise<never>((_, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }, { once: true }) })
    try {
      // Who has accepted may leave: the node goes on.
      const onWait = (error: unknown): void => { tell({ waiting: { code: codeOf(error), message: messageOf(error) } }) }
      await Promise.race([this.#node.receiving.accept(offer, directory, otherwise, { dangerous, links, retryForMs, onWait, onPlace: at => { place = at } }), gone])
    } catch (error) {
      await this.#withdrawing.get(offer.id)
      signal.throwIfAborted()
      const after = this.#node.warpdrive.offers(1).find(({ id }) => id === offer.id)
      if (after === undefined || after.status === 'rejected' || after.status === 'withdrawn' || (after.failures ?? []).length === 0) throw error
    } finally {
      stop()
    }
    tell({ settled: { ...this.lineOf(this.#known(offer.id, true)), directory: place?.directory, renamed: place?.renamed } })
  }

  async #decline (text: string, tell: Tell, signal: AbortSignal): Promise<void> {
    const offer = this.#incoming(text)
    await this.#node.receiving.decline(offer, signal)
    tell({ offer: this.lineOf(this.#known(offer.id, true)) })
  }

  /** Takes back what was offered. */
  async #withdraw (offer: StoredOffer, tell: Tell): Promise<void> {
    const { warpdrive } = this.#node
    if (offer.status === 'completed' || offer.status === 'rejected') throw new RopewalkError('ERR_USAGE', `${offer.status === 'completed' ? 'it has arrived there' : 'it was declined'}: there is nothing to withdraw`, { text: offer.id })
    const work = warpdrive.withdraw(offer.id)
    this.#withdrawing.set(offer.id, work.catch(() => {}))
    try {
      await work
      tell({ offer: this.lineOf(this.#known(offer.id, false)) })
    } finally {
      this.#withdrawing.delete(offer.id)
    }
  }

  /** What failed, and nothing else: whoever receives knows what is whole. */
  async #retry (offer: StoredOffer, where: Where, tell: Tell, signal: AbortSignal): Promise<void> {
    if (offer.incoming) return await this.#receive(offer, where, tell, signal)
    if (where.retryForMs !== undefined) throw new RopewalkError('ERR_USAGE', '--retry-for is for what you receive: of an offer of yours the other side says how long')
    // Who has it all, or wants none of it, would not answer.
    if (offer.status === 'completed' || offer.status === 'rejected' || offer.status === 'withdrawn') return void tell({ settled: this.lineOf(offer), before: true })
    tell({ offer: this.lineOf(offer), followed: true })
    await this.#follow(offer, tell, signal, () => this.#node.offerAgain(offer, signal))
  }

  /** Tells of an offer of ours until it is over; with `again`, until it is once more. */
  async #follow (offer: StoredOffer, tell: Tell, signal: AbortSignal, again?: () => Promise<void>): Promise<void> {
    const { warpdrive, events } = this.#node
    const names = new Map(offer.files.filter(({ isDir }) => !isDir).map(({ uri, path }) => [uri, path]))
    const stop = events.listen([...names.keys()], event => { tell({ transfer: { ...event, name: names.get(event.name) ?? event.name } }) })
    const ended = new AbortController()
    let lastWord: NodeJS.Timeout | undefined
    let last = offer
    try {
      const changes = warpdrive.listen('status', 2, { signal: AbortSignal.any([signal, ended.signal]) })
      await again?.()
      if (again !== undefined || !isOver(this.#known(offer.id, false))) {
        let whole = false
        for await (const change of changes as AsyncIterable<Offer>) {
          if (change.id !== offer.id || !isOver(change)) continue
          last = change as StoredOffer
          // All of it was confirmed; the peer says so once more, and whoever left before that would seem to have broken off.
          if (whole || change.status !== 'completed') break
          whole = true
          lastWord = setTimeout(() => { ended.abort() }, LAST_WORD_MS)
        }
      }
      // The node may be one that ends with this: first the peer is told, and whoever withdraws.
      await this.#withdrawing.get(offer.id)
      signal.throwIfAborted()
    } finally {
      clearTimeout(lastWord)
      ended.abort()
      stop()
    }
    // With its peer it may be forgotten by now.
    const after = warpdrive.offers(2).find(({ id }) => id === offer.id) ?? last
    // Of a file without bytes nothing is read: nobody has told of it.
    if (after.status === 'completed') for (const file of offer.files) if (isContent(file) && file.size === 0) tell({ transfer: { event: 'finished', transfer: file.path, name: file.path, direction: 'send', bytes: 0 } })
    tell({ settled: this.#detailed(after) })
  }

  /** A peer, of whom an address with a key may only now be told. */
  async #reachable (text: string, signal: AbortSignal): Promise<string> {
    const peers = this.#node.warpdrive.peers()
    if (!text.includes('#') && !peers.some(({ alias }) => alias === text) && /[.:]/.test(text)) {
      const address = formatPeerAddress(parsePeerAddress(text))
      const found = peers.find(({ id }) => this.#node.addressesOf(id).includes(address))
      if (found !== undefined) return found.id
      throw new RopewalkError('ERR_UNTRUSTED', 'whose key must be shown there is not known', { text, advice: ['Pair with it first: ropewalk pair', 'or name its key: HOST:PORT#sha256=… ("ropewalk identity" prints it there)'] })
    }
    const id = findPeer(peers, text)
    if (this.#node.peer(id)?.mod === 'block') throw new RopewalkError('ERR_REFUSED', 'the peer is blocked here', { text, advice: ['"ropewalk ask PEER" ends that.'] })
    if (text.includes('#')) await this.#node.meet(parsePeerAddress(text), id, signal)
    return id
  }

  #detailed (offer: StoredOffer): OfferLine {
    return withMissing(offer, this.lineOf(offer))
  }

  #incoming (text: string): StoredOffer {
    try {
      return this.#find(text, true)
    } catch (error) {
      const { warpdrive } = this.#node
      if (codeOf(error) !== 'ERR_NOT_FOUND' || !warpdrive.offers(2).some(({ id }) => text.length >= 4 && id.startsWith(text.toLowerCase()))) throw error
      throw new RopewalkError('ERR_USAGE', 'that is an offer of yours: whoever it was made to accepts or declines it', { text })
    }
  }

  #outgoing (text: string): StoredOffer {
    const { warpdrive } = this.#node
    try {
      return findOffer(warpdrive.offers(2), warpdrive.peers(), text, true)
    } catch (error) {
      if (codeOf(error) !== 'ERR_NOT_FOUND' || !warpdrive.offers(1).some(({ id }) => text.length >= 4 && id.startsWith(text.toLowerCase()))) throw error
      throw new RopewalkError('ERR_USAGE', 'that was offered to you: only who offers it withdraws it', { text, advice: ['"ropewalk decline" says no to it.'] })
    }
  }

  #find (text: string, incoming?: boolean): StoredOffer {
    const { warpdrive } = this.#node
    return findOffer(warpdrive.offers(incoming === undefined ? 0 : incoming ? 1 : 2), warpdrive.peers(), text)
  }

  #known (id: string, incoming: boolean): StoredOffer {
    const offer = this.#node.warpdrive.offers(incoming ? 1 : 2).find(offer => offer.id === id)
    if (offer === undefined) throw new RopewalkError('ERR_NOT_FOUND', 'the offer is gone', { text: id })
    return offer
  }

  #peer (id: string): Line {
    const peer: Peer = this.#node.peer(id) ?? { id, alias: '', mod: '' }
    return { peer: peer.id, alias: peer.alias, mode: peer.mod === '' ? 'ask' : peer.mod }
  }
}

function isOver ({ status }: Offer): boolean {
  return status === 'completed' || status === 'rejected' || status === 'withdrawn' || status === 'failed'
}

/** As long as a code is good for. */
const CODE_MS = 120_000
