/**
 * What is known of one file: who holds which chunk, what is under way, what is missing. Pure.
 *
 * @module
 */
import { RAREST_SAMPLE } from './constants.ts'
import type { ListedFile } from './message.ts'

/** One chunk that somebody was asked for. */
export interface Request {
  readonly peer: string
  readonly askedAt: number
  /** It came, and is being checked and written. */
  writing: boolean
  /** What the first holder gave, while a second is asked for the same (rule R5). */
  readonly first?: { readonly peer: string, readonly data: Uint8Array } | undefined
}

export class FileState {
  readonly name: string
  readonly count: number
  size: number | undefined
  sha256: string | undefined
  /** By chunk. Filled from lists; what is there first stays. */
  readonly hashes: string[] = []
  /** Written and checked here. */
  readonly held: Set<number> = new Set<number>()
  readonly holders: Map<string, Set<number>> = new Map<string, Set<number>>()
  /** What each peer counts, where it says so (rule T3). */
  readonly counts: Map<string, number> = new Map<string, number>()
  readonly requests: Map<number, Request> = new Map<number, Request>()
  /** Who failed to give a chunk: asked again only when nobody else is left. */
  readonly failed: Map<number, Set<string>> = new Map<number, Set<string>>()
  /** Bytes of the last chunk, once it is here. */
  lastBytes: number | undefined
  /** No exact size is known: NULs at the end may be lost (rule R3). */
  sizeUncertain = false
  finished = false
  /** Ends in NUL, or is empty: originals would damage it (rule T6). */
  fragile = false

  constructor (name: string, count: number) {
    this.name = name
    this.count = count
  }

  /** How many hold chunk `index`, ourselves included. */
  level (index: number): number {
    let level = this.held.has(index) ? 1 : 0
    for (const chunks of this.holders.values()) if (chunks.has(index)) level++
    return level
  }

  levels (): number[] {
    return Array.from({ length: this.count }, (_, index) => this.level(index))
  }

  gain (peer: string, index: number): boolean {
    let chunks = this.holders.get(peer)
    if (chunks === undefined) this.holders.set(peer, chunks = new Set())
    if (chunks.has(index)) return false
    chunks.add(index)
    return true
  }

  /** The chunk to ask for next and who may be asked, the rarest first; among equals the order is a matter of `seed`, so that peers ask for different ones. */
  rarest (seed: number, mayAsk: (peer: string) => boolean): { index: number, peers: string[] } | undefined {
    let best: { index: number, peers: string[], level: number } | undefined
    let looked = 0
    const start = seed % Math.max(1, this.count)
    for (let step = 0; step < this.count && looked < RAREST_SAMPLE; step++) {
      const index = (start + step) % this.count
      if (this.held.has(index) || this.requests.has(index)) continue
      looked++
      const peers = this.askable(index, mayAsk)
      if (peers.length === 0) continue
      const level = this.level(index)
      if (best === undefined || level < best.level) best = { index, peers, level }
    }
    return best
  }

  askable (index: number, mayAsk: (peer: string) => boolean): string[] {
    const holders: string[] = []
    for (const [peer, chunks] of this.holders) if (chunks.has(index) && mayAsk(peer)) holders.push(peer)
    const failed = this.failed.get(index)
    const fresh = holders.filter(peer => failed?.has(peer) !== true)
    return fresh.length > 0 ? fresh : holders
  }

  listed (extras: boolean): ListedFile {
    const known = { name: this.name, count: this.count, held: [...this.held].sort((a, b) => a - b) }
    if (!extras) return known
    const hashes = this.hashes.length === this.count && !this.hashes.includes('') ? this.hashes : undefined
    return { ...known, size: this.size, sha256: this.sha256, chunkSha256: hashes }
  }
}
