/** Requests under way: at most one a chunk, of whom, and what becomes of those that fail. Pure: time is a number. */
import { MAX_PEER_REQUESTS, MAX_REQUESTS } from './constants.ts'
import type { Askable, FileState } from './file-state.ts'
import type { Memory } from './memory-state.ts'
import type { ChunkRef } from './message.ts'
import { lengthWithoutNuls } from './name-codec.ts'
import type { PeerState } from './peer-state.ts'
import type { Sharing } from './sharing-state.ts'

export class Requests {
  readonly #memory: Memory
  readonly #sharing: Sharing
  /** Undefined: in order. */
  #dice: number | undefined

  constructor (memory: Memory, sharing: Sharing) {
    this.#memory = memory
    this.#sharing = sharing
    // Nought would stay nought.
    this.#dice = memory.options.seed === undefined ? undefined : memory.options.seed | 1 << 30
  }

  /** Asks for what the fewest hold, of who is least busy, as far as the bounds allow. */
  askRarest (now: number): void {
    let room = this.#room()
    for (const file of this.#memory.files.values()) {
      while (room > 0 && file.left > 0) {
        const askable = this.#askable(file)
        const next = askable === undefined ? undefined : file.rarest(this.#anywhere(file.count), askable)
        if (next === undefined) break
        const [peer] = next.peers.map(key => this.#memory.peers.get(key) as PeerState).sort((a, b) => a.asked - b.asked || a.total - b.total)
        this.ask(file, next.index, (peer as PeerState).key, now)
        room--
      }
    }
  }

  /**
   * Whether one more chunk that this peer has changes nothing of what may be asked for: most announcements are of what is here, or asked for, already,
   * and to look for the rarest at each of them cost more than all else. False where the peer may have all of the file by it: then it is asked otherwise.
   */
  cannotAsk (peer: PeerState, { name, index, count }: ChunkRef): boolean {
    const file = this.#memory.files.get(name)
    if (file === undefined || file.count !== count || (file.resumed && !file.finished) || peer.presence !== 'connected' || peer.speaks !== 'hardened') return false
    const has = file.holders.get(peer.key)?.size ?? 0
    if (has === 0 || has >= file.count - 1) return false
    return file.finished || file.held.has(index) || file.requests.has(index) || peer.asked >= MAX_PEER_REQUESTS || this.#room() <= 0
  }

  ask (file: FileState, index: number, key: string, now: number, first?: { peer: string, data: Uint8Array }): void {
    const peer = this.#memory.peers.get(key) as PeerState
    peer.asked++
    peer.total++
    file.requests.set(index, { peer: key, askedAt: now, writing: false, first })
    this.#memory.effects.push({ type: 'send', to: peer.address, message: { action: 'Download', from: this.#memory.options.self, chunk: this.#sharing.refFor(peer, file, index) } })
  }

  /** Chunks that may be asked for still. */
  #room (): number {
    let room = MAX_REQUESTS
    for (const file of this.#memory.files.values()) room -= file.requests.size
    return room
  }

  /**
   * Who has everything is asked for one chunk at a time as long as others have parts, and only for what none of them has. Undefined where nobody can
   * be asked: that is so at most times.
   */
  #askable (file: FileState): Askable | undefined {
    const alive: PeerState[] = []
    let parts = false
    for (const [key, { size }] of file.holders) {
      const peer = this.#memory.peers.get(key)
      if (peer === undefined || peer.presence !== 'connected' || peer.avoided) continue
      alive.push(peer)
      if (size > 0 && size < file.count) parts = true
    }
    const spares = (peer: PeerState): boolean => peer.speaks === 'hardened' && file.holders.get(peer.key)?.size === file.count
    const ready = alive.filter(peer => peer.asked < (peer.speaks !== 'hardened' || (parts && spares(peer)) ? 1 : MAX_PEER_REQUESTS))
    if (ready.length === 0) return undefined
    const exact = this.#memory.options.verify === true ? alive.filter(({ speaks }) => speaks === 'hardened') : []
    return { alive: keysOf(alive), ready: keysOf(ready), spared: keysOf(alive.filter(spares)), exact: keysOf(exact) }
  }

  /** Where to begin to look: peers that begin in different places ask for different chunks. */
  #anywhere (count: number): number {
    if (this.#dice === undefined) return 0
    // xorshift32, from a seed that is given.
    this.#dice ^= this.#dice << 13
    this.#dice ^= this.#dice >>> 17
    this.#dice ^= this.#dice << 5
    return (this.#dice >>> 0) % Math.max(1, count)
  }

  /** Rule R5: damage is a true prefix and then zeros. What looks like it is asked for once more, of somebody else. */
  compare (file: FileState, index: number, request: { readonly first?: { peer: string, data: Uint8Array } | undefined }, bytes: Uint8Array, peer: PeerState, last: boolean, now: number): Uint8Array | undefined {
    if (request.first === undefined) {
      if (!last && bytes.at(-1) !== 0) return bytes
      if (last && file.size !== undefined && bytes.at(-1) !== 0) return bytes
      const second = file.askable(index, key => key !== peer.key && this.#memory.peers.get(key)?.presence === 'connected' && this.#memory.peers.get(key)?.avoided === false)[0]
      if (second === undefined || second === peer.key) return bytes
      this.settle(file, index)
      this.ask(file, index, second, now, { peer: peer.key, data: bytes.slice() })
      return undefined
    }
    const [shorter, longer] = [request.first.data, bytes].map(data => data.subarray(0, lengthWithoutNuls(data))).sort((a, b) => a.length - b.length) as [Uint8Array, Uint8Array]
    if (shorter.every((byte, at) => byte === longer[at])) return lengthWithoutNuls(bytes) >= lengthWithoutNuls(request.first.data) ? bytes : request.first.data
    const other = this.#memory.peers.get(request.first.peer) as PeerState
    const chunk = { name: file.name, count: file.count, index }
    this.#memory.effects.push({ type: 'aside', from: other.address, chunk, data: request.first.data }, { type: 'aside', from: peer.address, chunk, data: bytes.slice() })
    this.#memory.event({ event: 'conflict', name: file.name, index, peer: peer.address })
    this.fail(file, index)
    for (const key of [peer.key, other.key]) file.lose(key, index)
    return undefined
  }

  timeout (file: FileState, index: number, request: { readonly peer: string, readonly first?: { peer: string, data: Uint8Array } | undefined }): void {
    const first = request.first
    const from = first === undefined ? undefined : this.#memory.peers.get(first.peer)
    if (first === undefined || from === undefined) return this.fail(file, index)
    // The second opinion never came: the first has to do.
    this.settle(file, index)
    file.requests.set(index, { peer: first.peer, askedAt: 0, writing: true })
    this.#memory.effects.push({ type: 'write', from: from.address, chunk: { name: file.name, count: file.count, index, size: file.size, sha256: file.hashes[index] }, data: first.data })
  }

  fail (file: FileState, index: number): void {
    const request = file.requests.get(index)
    if (request === undefined) return
    let failed = file.failed.get(index)
    if (failed === undefined) file.failed.set(index, failed = new Set())
    failed.add(request.peer)
    this.settle(file, index)
  }

  settle (file: FileState, index: number): void {
    const request = file.requests.get(index)
    const peer = request === undefined ? undefined : this.#memory.peers.get(request.peer)
    if (request?.writing === false && peer !== undefined) peer.asked--
    file.requests.delete(index)
  }
}

function keysOf (peers: readonly PeerState[]): ReadonlySet<string> {
  return new Set(peers.map(({ key }) => key))
}
