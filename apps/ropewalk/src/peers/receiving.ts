/**
 * Offers that were accepted, until they are whole: each goes on when the connection broke, when its sender is there again, and when a new process
 * finds it.
 *
 * @module
 */
import type { StoredOffer, WarpdriveNode } from '@ropewalk/protocol-warpdrive'
import { escapeName } from '@ropewalk/receive'
import { codeOf, messageOf, RopewalkError, type RopewalkErrorCode } from '../errors.ts'
import { causeOf, type Consent, type Destination, type Inboxes } from './inboxes.ts'
import { isOver } from './offer-line.ts'
import { inWords, silenceIn } from './silence.ts'

/** Waits between two attempts, in milliseconds; the last one repeats. Ours. */
const PAUSES_MS = [250, 1_000, 2_000, 5_000, 15_000, 30_000]

/** How long without a byte before an offer waits for somebody to accept it again, where nobody says otherwise. Ours. */
const PATIENCE_MS = 600_000

/** Codes of a transfer that goes on by itself: the connection, not the offer, is at fault. */
const PASSING: ReadonlySet<string> = new Set(['ERR_INTERRUPTED', 'ERR_TIMEOUT', 'ERR_UNREACHABLE', 'ERR_REFUSED', 'ERR_TRUNCATED'])

export interface ReceivingOptions {
  readonly warpdrive: WarpdriveNode
  readonly inboxes: Inboxes
  readonly inbox: string | undefined
  /** What a peer is called here. */
  readonly nameOf: (peer: string) => string
  /** A peer has kept us waiting in vain. */
  readonly onSilence: (peer: string) => void
  readonly onTrouble: (who: string, error: unknown) => void
}

export interface AcceptOptions extends Consent {
  /** How long attempts may bring nothing new, from now on. Default 10 minutes, or what was said before. */
  readonly retryForMs?: number | undefined
  /** Is told what it waits for, each time that it has to. */
  readonly onWait?: ((error: unknown) => void) | undefined
  /** Is told where it goes. */
  readonly onPlace?: ((place: Destination) => void) | undefined
}

interface Running {
  readonly peer: string
  readonly work: Promise<void>
  readonly stop: AbortController
  readonly dangerous: boolean
  readonly patience: Patience
  readonly waiters: Set<(error: unknown) => void>
  readonly place: Promise<Destination>
}

/** With who brings nothing new since then, in milliseconds since 1970. */
interface Patience {
  ms: number
  since: number
}

export class Receiving {
  readonly #options: ReceivingOptions
  /** By offer. */
  readonly #running = new Map<string, Running>()
  readonly #wakes = new Map<string, Set<() => void>>()
  readonly #closing = new AbortController()

  constructor (options: ReceivingOptions) {
    this.#options = options
  }

  /** Goes on with what the last process has left. */
  async resume (): Promise<void> {
    const { warpdrive, inboxes, onTrouble } = this.#options
    for (const { peer, offer: id, directory } of await inboxes.interrupted()) {
      const offer = warpdrive.offers(1).find(offer => offer.id === id && offer.peer === peer)
      if (offer === undefined || isOver(offer)) await inboxes.end(peer, id, 'discarded')
      else this.accept(offer, directory, undefined).catch((error: unknown) => { onTrouble(`offer ${id.slice(0, 8)}`, causeOf(error)) })
    }
  }

  /** Whether an offer of `peer` was accepted and is not whole yet. */
  receivesFrom (peer: string): boolean {
    return Array.from(this.#running.values()).some(running => running.peer === peer)
  }

  /** Receives exactly what `offer` lists. Resolves when everything is whole; rejects when it will not go on by itself. */
  async accept (offer: StoredOffer, directory: string | undefined, otherwise: string | undefined, { dangerous = false, links = false, retryForMs, onWait, onPlace }: AcceptOptions = {}): Promise<void> {
    // Whoever wants it twice has it offered twice.
    if (offer.status === 'completed') return
    if (offer.status === 'withdrawn') throw withdrawn()
    if (!links && linksOf(offer).length > 0) await this.assertLinks(offer)
    const running = this.#running.get(offer.id)
    // Consent is to all that follows, and not to what runs without it.
    if (running !== undefined && dangerous && !running.dangerous) {
      await running.work.catch(() => {})
      return await this.accept(this.#options.warpdrive.offers(1).find(({ id }) => id === offer.id) ?? offer, directory, otherwise, { dangerous, links, retryForMs, onWait, onPlace })
    }
    if (running !== undefined) {
      if (retryForMs !== undefined) Object.assign(running.patience, { ms: retryForMs, since: Date.now() })
      if (onWait !== undefined) running.waiters.add(onWait)
      if (onPlace !== undefined) running.place.then(onPlace, () => {})
      return await running.work.finally(() => { if (onWait !== undefined) running.waiters.delete(onWait) })
    }
    const where = directory ?? this.#options.inbox ?? otherwise
    if (where === undefined) throw new RopewalkError('ERR_USAGE', 'nobody has said where to', { advice: ['Say -o DIRECTORY, or start the node with --inbox DIRECTORY.'] })
    const stop = new AbortController()
    const waiters = new Set(onWait === undefined ? [] : [onWait])
    const place = this.#options.inboxes.begin(offer, where, { dangerous, links })
    if (onPlace !== undefined) place.then(onPlace, () => {})
    const patience: Patience = { ms: retryForMs ?? PATIENCE_MS, since: Date.now() }
    const work = this.#receive(offer, place, patience, stop.signal, error => { for (const tell of waiters) tell(error) }).finally(() => this.#running.delete(offer.id))
    this.#running.set(offer.id, { peer: offer.peer, work, stop, waiters, dangerous, patience, place })
    await work
  }

  /** Of an offer with symbolic links somebody has said, when it was begun, that he takes them. */
  async assertLinks ({ peer, id, files }: StoredOffer): Promise<void> {
    const [first, ...others] = linksOf({ files })
    if (first === undefined || (await this.#options.inboxes.keptOf(peer, id))?.links === true) return
    throw new RopewalkError('ERR_SYMLINK', `the offer has symbolic links: "${escapeName(first)}"${others.length === 0 ? '' : ` and ${others.length} more`}`, {
      advice: [`"ropewalk accept ${id.slice(0, 8)} --links" takes those that stay inside of their folder.`]
    })
  }

  /** Goes on with an offer that was accepted and broke off. */
  async goOn (offer: StoredOffer): Promise<void> {
    const kept = await this.#options.inboxes.keptOf(offer.peer, offer.id)
    if (kept !== undefined) await this.accept(offer, kept.directory, undefined)
  }

  /** Somebody is there again. */
  wake (peer: string): void {
    for (const wake of this.#wakes.get(peer) ?? []) wake()
  }

  /** Says no, and removes what is not whole. */
  async decline (offer: StoredOffer, signal: AbortSignal): Promise<void> {
    const { warpdrive } = this.#options
    if (offer.status === 'withdrawn') throw withdrawn()
    // What broke off by this must not go on by itself before the offer is said to be declined.
    await this.#stop(offer.id, new RopewalkError('ERR_REFUSED', 'the offer was declined'))
    if (warpdrive.offers(1).some(({ id, status }) => id === offer.id && status === 'completed')) throw new RopewalkError('ERR_USAGE', 'it has arrived: there is nothing to decline', { text: offer.id })
    await warpdrive.decline(offer.id, { signal })
    await this.#options.inboxes.end(offer.peer, offer.id, 'discarded')
  }

  /** Its sender has taken it back: what is not whole is removed. */
  async withdrawn (offer: StoredOffer): Promise<void> {
    await this.discard(offer, withdrawn())
  }

  /** Ends it because of `reason`, and removes what is not whole. */
  async discard ({ peer, id }: StoredOffer, reason: Error): Promise<void> {
    await this.#stop(id, reason)
    await this.#options.inboxes.end(peer, id, 'discarded')
  }

  async #stop (id: string, reason: Error): Promise<void> {
    const running = this.#running.get(id)
    running?.stop.abort(reason)
    await running?.work.catch(() => {})
  }

  /** What is under way is broken off, and kept for the next process. */
  async close (): Promise<void> {
    this.#closing.abort(new RopewalkError('ERR_STOPPED', 'the node stops'))
    await Promise.allSettled(Array.from(this.#running.values(), ({ work }) => work))
    await this.#options.inboxes.close()
  }

  async #receive (offer: StoredOffer, place: Promise<unknown>, patience: Patience, declined: AbortSignal, onWait: (error: unknown) => void): Promise<void> {
    const { warpdrive, inboxes, onSilence } = this.#options
    const signal = AbortSignal.any([this.#closing.signal, declined])
    await place
    for (let attempt = 0; ; attempt++) {
      const before = progressOf(warpdrive, offer.id)
      try {
        const transfer = await warpdrive.accept(offer.id, offer.digest, { signal })
        await transfer?.finished
        await inboxes.end(offer.peer, offer.id, 'whole')
        return
      } catch (cause) {
        declined.throwIfAborted()
        // A channel that was given up because nothing came says so only behind what it says itself.
        const silence = silenceIn(cause)
        const error = silence ?? cause
        if (silence !== undefined) onSilence(offer.peer)
        const status = warpdrive.offers(1).find(({ id }) => id === offer.id)?.status
        // What is not whole of it is removed when it has ended.
        if (status === 'withdrawn') throw withdrawn()
        if (progressOf(warpdrive, offer.id) !== before) [patience.since, attempt] = [Date.now(), 0]
        if (signal.aborted || status === 'rejected') throw error
        const passes = PASSING.has(codeOf(error))
        if (!passes || Date.now() - patience.since >= patience.ms) {
          await inboxes.pause(offer.peer, offer.id)
          throw passes ? this.#gaveUp(offer, patience.ms, error) : error
        }
        onWait(error)
      }
      await this.#pause(offer.peer, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] as number, signal)
    }
  }

  #gaveUp ({ id, peer }: StoredOffer, ms: number, error: unknown): RopewalkError {
    const { advice = [], cause } = error instanceof RopewalkError ? error : { cause: error }
    return new RopewalkError(codeOf(error) as RopewalkErrorCode, `${this.#options.nameOf(peer)} has sent nothing new within ${inWords(ms)}: ${messageOf(error)}`, {
      cause, advice: [...advice, `What has come is kept: "ropewalk retry ${id.slice(0, 8)}" goes on with it; --retry-for SECONDS has more patience.`]
    })
  }

  /** Ends early when the peer comes. */
  async #pause (peer: string, ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    const wakes = this.#wakes.get(peer) ?? new Set()
    this.#wakes.set(peer, wakes.add(resolve))
    signal.addEventListener('abort', () => { resolve() }, { once: true })
    try {
      await promise
    } finally {
      clearTimeout(timer)
      wakes.delete(resolve)
      if (wakes.size === 0) this.#wakes.delete(peer)
    }
  }
}

/** The names of those of its entries that are symbolic links. */
export function linksOf ({ files }: Pick<StoredOffer, 'files'>): string[] {
  return files.filter(({ link }) => link !== undefined).map(({ uri }) => uri)
}

export function withdrawn (): RopewalkError {
  return new RopewalkError('ERR_WITHDRAWN', 'the sender has withdrawn the offer')
}

function progressOf (warpdrive: WarpdriveNode, id: string): string {
  const offer = warpdrive.offers(1).find(offer => offer.id === id)
  return `${offer?.done.length} ${offer?.index} ${offer?.progress} ${offer?.parts.length}`
}
