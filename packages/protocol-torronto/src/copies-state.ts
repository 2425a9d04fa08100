/**
 * Copies at originals, which damage them without noticing: what we gave is asked for once it is announced, and compared (rule T9). Pure.
 *
 *      served -> announced by whom it was served -> asked for -> compared
 *
 * @module
 */
import { MAX_FORWARDS } from './constants.ts'
import type { FileState } from './file-state.ts'
import type { Memory } from './memory-state.ts'
import type { PeerState } from './peer-state.ts'
import type { Sharing } from './sharing-state.ts'

export class Copies {
  readonly #memory: Memory
  readonly #sharing: Sharing
  /** In the order of serving; the oldest is forgotten where there are too many. */
  readonly #served = new Set<string>()
  readonly #asked = new Set<string>()

  constructor (memory: Memory, sharing: Sharing) {
    this.#memory = memory
    this.#sharing = sharing
  }

  served (peer: PeerState, name: string, index: number): void {
    if (this.#memory.options.checkCopies === true && peer.speaks !== 'hardened') remember(this.#served, keyOf(peer, name, index))
  }

  announced (peer: PeerState, file: FileState | undefined, index: number): void {
    if (file === undefined || !file.held.has(index) || !this.#served.delete(keyOf(peer, file.name, index))) return
    remember(this.#asked, keyOf(peer, file.name, index))
    this.#memory.effects.push({ type: 'send', to: peer.address, message: { action: 'Download', from: this.#memory.options.self, chunk: this.#sharing.refFor(peer, file, index) } })
  }

  /** Whether a chunk that comes is one of those. */
  take (peer: PeerState, file: FileState, index: number, data: Uint8Array): boolean {
    if (!file.held.has(index) || !this.#asked.delete(keyOf(peer, file.name, index))) return false
    this.#memory.effects.push({ type: 'compare', from: peer.address, chunk: { name: file.name, count: file.count, index }, data })
    return true
  }
}

function keyOf (peer: PeerState, name: string, index: number): string {
  return `${peer.key} ${index} ${name}`
}

function remember (keys: Set<string>, key: string): void {
  keys.delete(key)
  keys.add(key)
  if (keys.size > MAX_FORWARDS) keys.delete(keys.values().next().value as string)
}
