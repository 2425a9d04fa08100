/**
 * Peers and offers in a file of JSON, replaced as a whole: what was put before a `kill -9` is there after it.
 *
 * @module
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Peer, StateStore, StoredOffer } from '@ropewalk/protocol-warpdrive'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'

export class StateFile implements StateStore {
  readonly #path: string
  readonly #offers = new Map<string, StoredOffer>()
  readonly #peers = new Map<string, Peer>()
  /** The write that is under way, and the one that will tell what has changed since. */
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor (state: string) {
    this.#path = join(state, 'offers.json')
  }

  async load (): Promise<{ readonly offers: readonly StoredOffer[], readonly peers: readonly Peer[] }> {
    try {
      const { offers, peers } = JSON.parse(await readFile(this.#path, 'utf8')) as { offers: StoredOffer[], peers: Peer[] }
      for (const offer of offers) this.#offers.set(keyOf(offer.incoming, offer.id), offer)
      for (const peer of peers) this.#peers.set(peer.id, peer)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw new RopewalkError('ERR_STATE', `${this.#path}: ${messageOf(error)}`, { cause: error })
    }
    return { offers: [...this.#offers.values()], peers: [...this.#peers.values()] }
  }

  async putOffer (offer: StoredOffer): Promise<void> {
    this.#offers.set(keyOf(offer.incoming, offer.id), offer)
    await this.#write()
  }

  async removeOffer (incoming: boolean, id: string): Promise<void> {
    this.#offers.delete(keyOf(incoming, id))
    await this.#write()
  }

  async putPeer (peer: Peer): Promise<void> {
    this.#peers.set(peer.id, peer)
    await this.#write()
  }

  /** Those who come while it writes share the next write. */
  async #write (): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#replace().finally(() => { this.#writing = undefined })
      return await this.#writing
    }
    this.#next ??= this.#writing.catch(() => {}).then(async () => {
      this.#next = undefined
      await this.#write()
    })
    await this.#next
  }

  async #replace (): Promise<void> {
    try {
      await writeFile(`${this.#path}.new`, JSON.stringify({ offers: [...this.#offers.values()], peers: [...this.#peers.values()] }), { mode: 0o600, flush: true })
      await rename(`${this.#path}.new`, this.#path)
    } catch (error) {
      throw new RopewalkError('ERR_STATE', `${this.#path}: ${fileError(error).message}`, { cause: error })
    }
  }
}

function keyOf (incoming: boolean, id: string): string {
  return `${incoming} ${id}`
}
