/** What each peer is told of what we hold, as far as its profile can carry it. Pure. */
import { CHUNK_BYTES, HEADER_BYTES } from './constants.ts'
import type { FileState } from './file-state.ts'
import type { Memory } from './memory-state.ts'
import { AS_IMPLEMENTED, DOCUMENTED, type ChunkRef, type ListedFile } from './message.ts'
import { encodeMessage, listBytes } from './message-codec.ts'
import type { PeerState } from './peer-state.ts'

export class Sharing {
  readonly #memory: Memory

  constructor (memory: Memory) {
    this.#memory = memory
  }

  /** Our list, as this peer may see it; what does not fit or would be damaged is left out, and told. */
  listFor (peer: PeerState): ListedFile[] {
    const list: ListedFile[] = []
    for (const file of this.#memory.files.values()) {
      if (!this.mayShare(peer, file)) continue
      const listed = file.listed(peer.speaks === 'hardened' || this.#memory.options.extension !== false || peer.speaks === 'documented')
      if (peer.speaks === 'hardened') list.push(listed)
      else if (listBytes(peer.speaks === 'documented' ? DOCUMENTED : AS_IMPLEMENTED, [...list, listed]) > CHUNK_BYTES) this.#memory.event({ event: 'withheld', name: file.name, peer: peer.address, why: 'too-many' })
      else list.push(listed)
    }
    return list
  }

  greet (peer: PeerState, action: 'Add' | 'Files', now: number): void {
    peer.greetedAt = now
    peer.untold = false
    if (action === 'Add') peer.doubted = false
    const message = { action, from: this.#memory.options.self, files: this.listFor(peer) }
    this.#memory.effects.push({ type: 'send', to: peer.address, message: this.#memory.options.extension === false || peer.speaks === 'documented' ? message : { ...message, extension: 1 } })
  }

  announce (peer: PeerState, file: FileState, index: number): void {
    if (!this.mayShare(peer, file) || index >= (file.counts.get(peer.key) ?? file.count)) return
    if (peer.speaks !== 'hardened') {
      const chunk = this.refFor(peer, file, index)
      try {
        encodeMessage(peer.speaks === 'documented' ? DOCUMENTED : AS_IMPLEMENTED, { action: 'Have', from: this.#memory.options.self, chunk })
      } catch {
        if (index === 0) this.#memory.event({ event: 'withheld', name: file.name, peer: peer.address, why: 'too-long' })
        return
      }
    }
    peer.announcements.push({ name: file.name, index })
  }

  mayShare (peer: PeerState, file: FileState): boolean {
    if (file.refused) return false
    if (peer.speaks === 'hardened' || this.#memory.options.shareFragile === true || !file.fragile) return file.name.length < HEADER_BYTES || peer.speaks === 'hardened'
    return false
  }

  refFor (peer: PeerState, file: FileState, index: number): ChunkRef {
    const count = peer.speaks === 'hardened' ? file.count : file.counts.get(peer.key) ?? file.count
    const sized = peer.speaks !== 'as-implemented' ? file.size : undefined
    return { name: file.name, count, index, size: sized, sha256: peer.speaks === 'hardened' ? file.hashes[index] : undefined }
  }

  say (peer: PeerState, now: number): void {
    while (peer.announced === undefined) {
      const next = peer.announcements.shift()
      const file = next === undefined ? undefined : this.#memory.files.get(next.name)
      if (next === undefined) return
      // Its count may have become known since (rule T3).
      if (file === undefined || next.index >= (file.counts.get(peer.key) ?? file.count)) continue
      const known = file.holders.get(peer.key)?.has(next.index) === true
      if (!known && peer.speaks !== 'hardened') peer.announced = { ...next, at: now }
      this.#memory.effects.push({ type: 'send', to: peer.address, message: { action: 'Have', from: this.#memory.options.self, chunk: this.refFor(peer, file, next.index) } })
    }
  }
}
