/**
 * What each peer of our own kind is told of chunks that have come here: the first at once, and what comes soon after it together.
 *
 * @module
 */
import type { Clock } from './clock.ts'
import { ANNOUNCE_GATHER_MS } from './constants.ts'
import { peerKey, type ChunkRef, type PeerAddress } from './message.ts'

interface Told {
  waiting: ChunkRef[]
  /** When it was told last. */
  at: number
  /** Sees to it now what waits. */
  say: () => void
  cancel: () => void
}

export class Announcements {
  readonly #clock: Clock
  readonly #say: (to: PeerAddress) => void
  readonly #told = new Map<string, Told>()

  /** `say` is called when there is something for a peer; it calls `take` once the peer can be told. */
  constructor (clock: Clock, say: (to: PeerAddress) => void) {
    this.#clock = clock
    this.#say = say
  }

  add (to: PeerAddress, chunk: ChunkRef): void {
    const key = peerKey(to)
    let told = this.#told.get(key)
    if (told === undefined) this.#told.set(key, told = { waiting: [], at: -Infinity, say: () => { this.#say(to) }, cancel: () => {} })
    told.waiting.push(chunk)
    if (told.waiting.length > 1) return
    const left = told.at + ANNOUNCE_GATHER_MS - this.#clock.now()
    if (left <= 0) told.say()
    else told.cancel = this.#clock.after(left, told.say)
  }

  /** All that waits for a peer; it counts as told. */
  take (to: PeerAddress): ChunkRef[] {
    const told = this.#told.get(peerKey(to))
    if (told === undefined) return []
    const { waiting } = told
    told.cancel()
    told.waiting = []
    told.at = this.#clock.now()
    return waiting
  }

  /** Waits no longer for more. */
  flush (): void {
    for (const { waiting, say, cancel } of this.#told.values()) {
      cancel()
      if (waiting.length > 0) say()
    }
  }
}
