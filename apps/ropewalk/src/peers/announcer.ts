/**
 * Tells whoever has a node before him what peers offer and withdraw, and what has arrived.
 *
 * @module
 */
import { TokenBucket } from '@ropewalk/flow'
import type { Offer, StoredOffer, WarpdriveNode } from '@ropewalk/protocol-warpdrive'
import { encodeLine } from '../progress/ndjson.ts'
import type { Host } from '../services/service.ts'
import type { OfferLine } from './offer-line.ts'
import type { Requests } from './requests.ts'
import { aliasOf, namesOf, offerResult, sizeOf } from './show.ts'

/** Lines a second, and how many may come at once. Ours: a peer must not fill a screen with his offers. */
const LINES = { ratePerSecond: 1, burst: 20 }

export class Announcer {
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  readonly #host: Pick<Host, 'context' | 'json' | 'note'>
  readonly #bucket = new TokenBucket(LINES)

  constructor (host: Pick<Host, 'context' | 'json' | 'note'>, warpdrive: WarpdriveNode, requests: Requests) {
    this.#host = host
    this.#running = this.#run(warpdrive, requests)
  }

  async close (): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run (warpdrive: WarpdriveNode, requests: Requests): Promise<void> {
    const { signal } = this.#closing
    const told = new Map(warpdrive.offers(1).map(({ id, status }) => [id, status]))
    do {
      try {
        for await (const change of warpdrive.listen('status', 1, { signal }) as AsyncIterable<Offer>) {
          if (told.get(change.id) === change.status) continue
          told.set(change.id, change.status)
          if (change.status !== 'awaiting' && change.status !== 'completed' && change.status !== 'withdrawn') continue
          this.#tell(requests.lineOf(change as StoredOffer))
        }
      } catch {
        // Too many at once: those are not told.
      }
    } while (!signal.aborted)
  }

  #tell (offer: OfferLine): void {
    const { context, json, note } = this.#host
    if (this.#bucket.take(1, context.now()) > 0) return
    const size = sizeOf(offer)
    if (json) context.stdout.write(encodeLine(offerResult(offer).record))
    else if (offer.status === 'awaiting') note(`${aliasOf(offer)} offers ${namesOf(offer)} (${size}): ropewalk accept ${offer.id.slice(0, 8)}`)
    else if (offer.status === 'withdrawn') note(`Withdrawn by ${aliasOf(offer)}: ${namesOf(offer)} (${size})`)
    else note(`Arrived from ${aliasOf(offer)}: ${namesOf(offer)} (${size})`)
  }
}
