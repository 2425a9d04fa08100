import type { Peer } from './json-codec.ts'
import type { StateStore, StoredOffer } from './ports.ts'

/** Keeps the state as long as the process lives, or the object: a second node on the same goes on where the first stopped. */
export class MemoryState implements StateStore {
  readonly #offers = new Map<string, StoredOffer>()
  readonly #peers = new Map<string, Peer>()

  async load (): Promise<{ readonly offers: readonly StoredOffer[], readonly peers: readonly Peer[] }> {
    return { offers: [...this.#offers.values()], peers: [...this.#peers.values()] }
  }

  async putOffer (offer: StoredOffer): Promise<void> {
    this.#offers.set(`${offer.incoming} ${offer.id}`, offer)
  }

  async removeOffer (incoming: boolean, id: string): Promise<void> {
    this.#offers.delete(`${incoming} ${id}`)
  }

  async putPeer (peer: Peer): Promise<void> {
    this.#peers.set(peer.id, peer)
  }

  async removePeer (id: string): Promise<void> {
    this.#peers.delete(id)
  }
}
