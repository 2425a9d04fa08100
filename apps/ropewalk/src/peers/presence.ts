/**
 * Is there for those who have not fetched yet what was offered to them: a peer may not know where this node is now, but this node knows the peer.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredOffer, WarpdriveNode } from '@ropewalk/protocol-warpdrive'
import type { Links } from './links.ts'

/** How often it looks. Ours. */
const LOOK_MS = 1_000

/** Longest wait between two attempts to reach a peer. Ours. */
const MAX_PAUSE_MS = 30_000

/** How long an offer is worth a connection. Ours. */
const OFFER_MS = 7 * 24 * 3600 * 1000

export class Presence {
  readonly #closing = new AbortController()
  readonly #looking: Promise<void>
  readonly #waits = new Map<string, { readonly pauseMs: number, readonly since: number }>()

  readonly #lookMs: number

  constructor (warpdrive: WarpdriveNode, links: Links, lookMs: number = LOOK_MS) {
    this.#lookMs = lookMs
    this.#looking = this.#look(warpdrive, links)
  }

  async close (): Promise<void> {
    this.#closing.abort()
    await this.#looking
  }

  async #look (warpdrive: WarpdriveNode, links: Links): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const blocked = new Set(warpdrive.peers().filter(({ mod }) => mod === 'block').map(({ id }) => id))
      /** Peers, and when they were last told or fetched something. */
      const peers = new Map<string, number>()
      for (const { peer, updatedAt } of warpdrive.offers(2).filter(isUnfinished)) if (!blocked.has(peer)) peers.set(peer, Math.max(updatedAt, peers.get(peer) ?? 0))
      await Promise.all(Array.from(peers, async ([peer, movedAt]) => {
        const connected = links.isConnected(peer)
        const wait = this.#waits.get(peer)
        // Who has fetched something since was there, though he may have gone before the next look.
        if (connected || (wait !== undefined && movedAt > wait.since)) this.#waits.delete(peer)
        const { since = 0, pauseMs = 0 } = this.#waits.get(peer) ?? {}
        if (!connected && since + pauseMs <= Date.now()) await this.#reach(links, peer, signal)
      }))
      await sleep(this.#lookMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async #reach (links: Links, peer: string, signal: AbortSignal): Promise<void> {
    await links.connect(peer, { signal }).catch(() => {})
    // Whoever lets nobody in ends the connection at once: it counts when it is there at the next look.
    const pauseMs = Math.min(MAX_PAUSE_MS, 2 * (this.#waits.get(peer)?.pauseMs ?? this.#lookMs / 2))
    this.#waits.set(peer, { pauseMs, since: Date.now() })
  }
}

/** What is withdrawn, until that was told, too. */
function isUnfinished ({ status, untold, createdAt }: StoredOffer): boolean {
  return status !== 'completed' && status !== 'rejected' && (status !== 'withdrawn' || untold === true) && Date.now() - createdAt < OFFER_MS
}
