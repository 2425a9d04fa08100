/**
 * Offers of ours that were taken back: the wire knows no word for it, so the peer is sent an empty list under the same id.
 *
 * @module
 */
import { offerAlone } from './client.ts'
import { WarpdriveError } from './errors.ts'
import type { OffersState } from './offers-state.ts'
import type { StateStore, StoredOffer } from './ports.ts'
import type { Session } from './session.ts'

export class Withdrawals {
  readonly #offers: OffersState
  readonly #open: (peer: string) => Promise<Session>
  readonly #state: StateStore
  readonly #telling = new Map<string, Promise<boolean>>()

  constructor (offers: OffersState, open: (peer: string) => Promise<Session>, state: StateStore) {
    this.#offers = offers
    this.#open = open
    this.#state = state
  }

  /** Of one that is withdrawn now; resolves as `tell`. As a whole it survives loss of power, which a new status alone does not. */
  async begin (offer: StoredOffer): Promise<boolean> {
    await this.#state.removeOffer(false, offer.id)
    await this.#state.putOffer(this.#offers.get(false, offer.id) ?? offer)
    return await this.tell(offer)
  }

  /** Resolves to whether the peer knows. Never rejects. */
  tell ({ id, peer }: Pick<StoredOffer, 'id' | 'peer'>): Promise<boolean> {
    const telling = this.#telling.get(id) ?? this.#tell(id, peer).finally(() => { this.#telling.delete(id) })
    this.#telling.set(id, telling)
    return telling
  }

  async tellPeer (peer: string): Promise<void> {
    await Promise.all(this.#offers.list(2).filter(offer => offer.peer === peer && offer.untold === true).map(offer => this.tell(offer)))
  }

  /** Of an offer that is withdrawn: whoever asks does not know it yet, and is told why nothing comes before nothing does. */
  refuse (id: string): Promise<never> | undefined {
    const offer = this.#offers.peek(false, id)
    // It is forgotten since it was asked for.
    if (offer === undefined) return Promise.reject(new WarpdriveError('ERR_UNKNOWN_OFFER', 'there is no such offer any more', { remote: false }))
    return offer.status === 'withdrawn' ? this.#refuse(offer) : undefined
  }

  async #refuse (offer: Pick<StoredOffer, 'id' | 'peer'>): Promise<never> {
    await this.tell(offer)
    throw new WarpdriveError('ERR_WITHDRAWN', 'the offer was withdrawn', { remote: false })
  }

  async #tell (id: string, peer: string): Promise<boolean> {
    try {
      await offerAlone(await this.#open(peer), id, [])
    } catch {
      return false
    }
    const told = this.#offers.told(id)
    // A store that fails costs one more word to the peer.
    if (told !== undefined) await this.#state.putOffer(told).catch(() => {})
    return true
  }
}

/** By what a download of an offer ends that its peer has taken back. */
export function takenBack (): WarpdriveError {
  return new WarpdriveError('ERR_WITHDRAWN', 'the peer has withdrawn the offer')
}
