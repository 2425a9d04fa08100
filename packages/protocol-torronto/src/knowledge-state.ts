/** What peers say of files: who holds which chunk, and what its hash is. Pure: time is a number. */
import { ANNOUNCE_TIMEOUT_MS, MAX_CHUNKS, MAX_FILES, MAX_HARDENED_CHUNKS } from './constants.ts'
import { FileState } from './file-state.ts'
import type { Memory } from './memory-state.ts'
import type { ChunkRef, ListedFile } from './message.ts'
import { chunkCount } from './name-codec.ts'
import type { PeerState } from './peer-state.ts'
import type { Sharing } from './sharing-state.ts'

export class Knowledge {
  readonly #memory: Memory
  readonly #sharing: Sharing

  constructor (memory: Memory, sharing: Sharing) {
    this.#memory = memory
    this.#sharing = sharing
  }

  have (peer: PeerState, chunk: ChunkRef, now: number): void {
    this.connect(peer, 'Add', now)
    const file = peer.avoided ? undefined : this.#fileOf(chunk, peer)
    if (file === undefined) return
    file.counts.set(peer.key, Math.max(chunk.count, file.counts.get(peer.key) ?? 0))
    if (chunk.size !== undefined && file.size === undefined && chunkCount(chunk.size) === file.count) file.size = chunk.size
    if (chunk.index < file.count) {
      if (file.claim(peer.key, chunk.index, chunk.sha256)) this.#gain(peer, file, chunk.index)
      else this.#dispute(peer, file, chunk.index)
    }
    if (peer.announced?.name === chunk.name && peer.announced.index === chunk.index) peer.announced = undefined
    // Without its hashes a chunk of a peer of our own kind cannot be checked: its list has them.
    if (peer.speaks === 'hardened' && file.hashes[chunk.index] === undefined && peer.greetedAt + ANNOUNCE_TIMEOUT_MS <= now) this.#sharing.greet(peer, 'Add', now)
  }

  /** An entry of its list. */
  learn (peer: PeerState, listed: ListedFile): void {
    if (listed.count === undefined) {
      const known = this.#memory.files.get(listed.name)
      if (known !== undefined) for (const index of listed.held) if (index < known.count) this.#gain(peer, known, index)
      return
    }
    const file = this.#fileOf({ ...listed, count: listed.count }, peer)
    if (file === undefined) return
    file.counts.set(peer.key, listed.count)
    if (listed.size !== undefined && file.size === undefined && chunkCount(listed.size) === file.count) file.size = listed.size
    file.sha256 ??= listed.sha256
    const offset = listed.offset ?? 0
    const disputed = new Set<number>()
    for (const [at, sha256] of (listed.chunkSha256 ?? []).entries()) if (!file.claim(peer.key, offset + at, sha256)) disputed.add(offset + at)
    file.know(peer.key)
    for (const index of listed.held) if (index < file.count && !disputed.has(index)) this.#gain(peer, file, index)
    for (const index of disputed) this.#dispute(peer, file, index)
    if (peer.speaks !== 'hardened' && listed.held.length < listed.count) for (const index of file.held) if (!listed.held.includes(index)) this.#sharing.announce(peer, file, index)
  }

  #gain (peer: PeerState, file: FileState, index: number): void {
    if (file.gain(peer.key, index) && file.isWholeAt(peer.key)) this.#memory.event({ event: 'replicated', name: file.name, peer: peer.address })
  }

  /** An original's own two formulas differ: the larger count of one peer is a new life of the file, unless it is whole here. */
  #fileOf ({ name, count, size }: Pick<ChunkRef, 'name' | 'count' | 'size'>, peer: PeerState): FileState | undefined {
    const before = this.#memory.files.get(name)
    // What an earlier process has begun, and is another file by now.
    const known = before?.isStale(count, size) === true ? undefined : before
    if (known !== undefined && (known.finished || known.count >= count)) return known
    if (before === undefined && this.#memory.files.size >= (this.#memory.options.maxFiles ?? MAX_FILES)) return undefined
    if (count > (peer.speaks === 'hardened' ? MAX_HARDENED_CHUNKS : MAX_CHUNKS)) return undefined
    const file = new FileState(name, count)
    if (known !== undefined) {
      for (const [key, chunks] of known.holders) for (const index of chunks) file.gain(key, index)
      for (const [key, counted] of known.counts) file.counts.set(key, counted)
      for (const [index, request] of known.requests) file.requests.set(index, request)
      // What was the last chunk may have been cut: it is asked for again.
      for (const index of known.held) if (index < known.count - 1) file.held.add(index)
    }
    this.#memory.files.set(name, file)
    return file
  }

  /** It has other bytes under the same name and number: for us it does not hold the chunk. Who is right is not known, so nobody is avoided. */
  #dispute (peer: PeerState, file: FileState, index: number): void {
    file.lose(peer.key, index)
    if (file.disputes.has(peer.key)) return
    file.disputes.add(peer.key)
    this.#memory.event({ event: 'conflict', name: file.name, index, peer: peer.address })
  }

  /** What it alone has said of chunks that are not here is forgotten; where others had said otherwise, they are asked again. */
  disbelieve (peer: PeerState, now: number): void {
    let disputed = false
    for (const file of this.#memory.files.values()) if (file.forget(peer.key)) disputed = true
    if (!disputed) return
    for (const other of this.#memory.peers.values()) if (other !== peer && other.presence === 'connected') this.#sharing.greet(other, 'Add', now)
  }

  /** It has spoken. `greeting` is how it is told what it has missed: with `Add` where its own list did not come, and may be forgotten here. */
  connect (peer: PeerState, greeting: 'Add' | 'Files', now: number): void {
    if (peer.presence === 'connected') return
    peer.presence = 'connected'
    this.#memory.event({ event: 'connected', peer: peer.address })
    if (peer.untold) this.#sharing.greet(peer, greeting, now)
  }
}
