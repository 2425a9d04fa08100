/**
 * Whom we trust, whom we block, and whom we call what. Whoever is not known is asked about. Pure.
 *
 * @module
 */
import { MAX_PEERS } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import type { Peer } from './json-codec.ts'

export class PeersState {
  readonly #peers = new Map<string, Peer>()
  readonly #maxPeers: number

  constructor (options: { maxPeers?: number | undefined } = {}) {
    this.#maxPeers = options.maxPeers ?? MAX_PEERS
  }

  /** Other attributes than `mod` and `alias` are acknowledged and change nothing, as in the original. */
  update (id: string, attribute: string, value: string): Peer {
    const key = id.toLowerCase()
    const before = this.#peers.get(key) ?? { id: key, alias: '', mod: '' }
    if (!this.#peers.has(key) && this.#peers.size >= this.#maxPeers) throw new WarpdriveError('ERR_TOO_MANY', `too many peers: ${this.#peers.size + 1} > ${this.#maxPeers}`)
    const peer = attribute === 'mod' ? { ...before, mod: value } : attribute === 'alias' ? { ...before, alias: value } : before
    this.#peers.set(key, peer)
    return peer
  }

  remove (id: string): Peer | undefined {
    const peer = this.#peers.get(id.toLowerCase())
    this.#peers.delete(id.toLowerCase())
    return peer
  }

  restore (peer: Peer): void {
    this.#peers.set(peer.id.toLowerCase(), peer)
  }

  /** `ask` for everybody of whom nothing else was said. */
  modeOf (id: string): 'ask' | 'trust' | 'block' {
    const mod = this.#peers.get(id.toLowerCase())?.mod
    return mod === 'trust' || mod === 'block' ? mod : 'ask'
  }

  list (): Peer[] {
    return [...this.#peers.values()]
  }
}
