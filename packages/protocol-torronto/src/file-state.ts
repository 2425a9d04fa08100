/**
 * What is known of one file: who holds which chunk, what is under way, what is missing. Pure.
 *
 * @module
 */
import { CHUNK_BYTES, RAREST_SAMPLE } from './constants.ts'
import { HeldChunks } from './held-chunks-state.ts'
import type { ListedFile } from './message.ts'
import { chunkLength } from './name-codec.ts'

/** One chunk that somebody was asked for. */
export interface Request {
  readonly peer: string
  readonly askedAt: number
  /** It came, and is being checked and written. */
  writing: boolean
  /** What the first holder gave, while a second is asked for the same (rule R5). */
  readonly first?: { readonly peer: string, readonly data: Uint8Array } | undefined
}

/** Who can be asked now, as far as one file goes. */
export interface Askable {
  /** Connected, and not avoided. */
  readonly alive: ReadonlySet<string>
  /** Of those, who can take one more request. */
  readonly ready: ReadonlySet<string>
  /** Of those, who has everything, and is left to give what nobody else can. */
  readonly spared: ReadonlySet<string>
  /** Of those, who is asked only for chunks whose hash is known. */
  readonly exact: ReadonlySet<string>
}

export class FileState {
  readonly name: string
  readonly count: number
  size: number | undefined
  sha256: string | undefined
  /** By chunk. What is there first stays, until nobody is left who says so. */
  readonly hashes: string[] = []
  /** Who said so; nobody else where we did. */
  readonly #hashFrom: Array<string | undefined> = []
  /** Written and checked here. */
  readonly held: HeldChunks = new HeldChunks()
  readonly #holders = new Map<string, Set<number>>()
  readonly #levels = new Map<number, number>()
  /** What each peer counts, where it says so (rule T3). */
  readonly counts: Map<string, number> = new Map<string, number>()
  readonly requests: Map<number, Request> = new Map<number, Request>()
  /** Who failed to give a chunk: asked again only when nobody else is left. */
  readonly failed: Map<number, Set<string>> = new Map<number, Set<string>>()
  /** Who said other hashes than those that we go by. */
  readonly disputes: Set<string> = new Set<string>()
  /** Bytes of the last chunk, once it is here. */
  lastBytes: number | undefined
  /** No exact size is known: NULs at the end may be lost (rule R3). */
  sizeUncertain = false
  finished = false
  /** The store could not take it. */
  refused = false
  /** Begun by an earlier process: others may know better what the file is. */
  resumed = false
  /** Ends in NUL, or is empty: originals would damage it (rule T6). */
  fragile = false

  constructor (name: string, count: number) {
    this.name = name
    this.count = count
  }

  get holders (): ReadonlyMap<string, ReadonlySet<number>> {
    return this.#holders
  }

  /** How many of its bytes are here. */
  get heldBytes (): number {
    const last = this.count - 1
    const lastBytes = this.size === undefined ? this.lastBytes ?? CHUNK_BYTES : chunkLength(this.size, last)
    return this.held.size * CHUNK_BYTES - (this.held.has(last) ? CHUNK_BYTES - lastBytes : 0)
  }

  /** Chunks that are neither here nor asked for. */
  get left (): number {
    return this.refused ? 0 : this.count - this.held.size - this.requests.size
  }

  /** All hashes are known. */
  get hashed (): boolean {
    if (this.hashes.length !== this.count) return false
    for (let index = 0; index < this.count; index++) if (this.hashes[index] === undefined) return false
    return true
  }

  /** Begun by an earlier process, of another length than somebody says now, and nobody has said otherwise. */
  isStale (count: number, size: number | undefined): boolean {
    return this.resumed && !this.finished && this.#levels.size === 0 && (count !== this.count || (size !== undefined && size !== this.size))
  }

  /** How many hold chunk `index`, ourselves included. */
  level (index: number): number {
    return (this.#levels.get(index) ?? 0) + (this.held.has(index) ? 1 : 0)
  }

  levels (): number[] {
    return Array.from({ length: this.count }, (_, index) => this.level(index))
  }

  /** Who knows the file, though it may hold nothing of it. */
  know (peer: string): void {
    if (!this.#holders.has(peer)) this.#holders.set(peer, new Set())
  }

  gain (peer: string, index: number): boolean {
    this.know(peer)
    const chunks = this.#holders.get(peer) as Set<number>
    if (chunks.has(index)) return false
    chunks.add(index)
    this.#levels.set(index, (this.#levels.get(index) ?? 0) + 1)
    return true
  }

  /** It has said that it holds every chunk. */
  isWholeAt (peer: string): boolean {
    return this.#holders.get(peer)?.size === this.count
  }

  lose (peer: string, index: number): void {
    if (this.#holders.get(peer)?.delete(index) !== true) return
    const level = (this.#levels.get(index) as number) - 1
    if (level === 0) this.#levels.delete(index)
    else this.#levels.set(index, level)
  }

  /** What it held, and what it alone has said of chunks that are not here. True where somebody else may say otherwise. */
  forget (peer: string): boolean {
    for (const index of this.#holders.get(peer) ?? []) this.lose(peer, index)
    this.#holders.delete(peer)
    this.disputes.delete(peer)
    if (this.disputes.size === 0) return false
    for (const [index, from] of this.#hashFrom.entries()) {
      if (from !== peer || this.held.has(index) || this.#levels.has(index)) continue
      delete this.hashes[index]
      this.#hashFrom[index] = undefined
    }
    return true
  }

  /** A peer says what the hash of a chunk is. False when others have said otherwise, and still do. */
  claim (peer: string, index: number, sha256: string | undefined): boolean {
    const known = this.hashes[index]
    if (sha256 === undefined || sha256 === known) return true
    if (known !== undefined) {
      // What an earlier process of ours knew, and nobody else says any more.
      if (!this.resumed || this.finished || this.#hashFrom[index] !== undefined || this.#levels.has(index)) return false
      this.held.delete(index)
    }
    this.hashes[index] = sha256
    this.#hashFrom[index] = peer
    return true
  }

  /** The chunk to ask for next and who may be asked: the rarest, of those that come first from `start` on. */
  rarest (start: number, askable: Askable): { index: number, peers: string[] } | undefined {
    if (this.left <= 0 || askable.ready.size === 0) return undefined
    let best: { index: number, peers: string[], level: number } | undefined
    // What is asked of somebody who has parts is held by all that have everything, too.
    const lowest = [...askable.spared].some(peer => askable.ready.has(peer)) ? 1 : 1 + askable.spared.size
    let looked = 0
    for (const index of this.#missing(start)) {
      if (looked++ === RAREST_SAMPLE) break
      const level = this.#levels.get(index) ?? 0
      // What has fewer holders is held by nobody, or by those alone who are left and busy.
      if (level < lowest || (best !== undefined && level >= best.level)) continue
      const peers = this.#whoGives(index, askable)
      if (peers.length === 0) continue
      best = { index, peers, level }
      if (level === lowest) break
    }
    return best
  }

  /** Who holds a chunk and fits; who has failed to give it only where nobody else is left. */
  askable (index: number, mayAsk: (peer: string) => boolean): string[] {
    const holders: string[] = []
    for (const [peer, chunks] of this.#holders) if (chunks.has(index) && mayAsk(peer)) holders.push(peer)
    const failed = this.failed.get(index)
    const fresh = holders.filter(peer => failed?.has(peer) !== true)
    return fresh.length > 0 ? fresh : holders
  }

  listed (extras: boolean): ListedFile {
    const known = { name: this.name, count: this.count, held: [...this.held].sort((a, b) => a - b) }
    return extras ? { ...known, size: this.size, sha256: this.sha256, chunkSha256: this.hashed ? this.hashes : undefined } : known
  }

  /** Chunks that are neither here nor asked for, from `start` on and around. */
  * #missing (start: number): Generator<number, void, undefined> {
    for (const [from, to] of [[start, this.count], [0, start]] as const) {
      for (let index = this.held.missingFrom(from); index < to; index = this.held.missingFrom(index + 1)) {
        if (!this.requests.has(index)) yield index
      }
    }
  }

  /** Who has parts is asked before who has everything, and waited for. */
  #whoGives (index: number, { alive, ready, spared, exact }: Askable): string[] {
    const hashed = this.hashes[index] !== undefined
    const holders = this.askable(index, peer => alive.has(peer) && (hashed || !exact.has(peer)))
    const others = holders.filter(peer => !spared.has(peer))
    return (others.length > 0 ? others : holders).filter(peer => ready.has(peer))
  }
}
