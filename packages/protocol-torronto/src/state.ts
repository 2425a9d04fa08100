/**
 * The memory of a swarm: who holds what, what to ask of whom, what to tell whom. Pure: time is a number, and what has to be done
 * is returned.
 *
 *      at most one request in flight a chunk; held only when written and checked; levels are numbers of holders
 *
 * @module
 */
import {
  ANNOUNCE_TIMEOUT_MS, CHUNK_BYTES, FORWARD_AGAIN_MS, GREET_MS, HEADER_BYTES, MAX_CHUNKS, MAX_FILES, MAX_FORWARDS, MAX_HARDENED_CHUNKS, MAX_PEER_REQUESTS,
  MAX_REQUESTS, REQUEST_TIMEOUT_MS
} from './constants.ts'
import { FileState } from './file-state.ts'
import type { LocalFile, StateOptions, SwarmEffect, SwarmEvent } from './facts.ts'
import { AS_IMPLEMENTED, DOCUMENTED, peerKey, type ChunkRef, type ListedFile, type Message, type PeerAddress } from './message.ts'
import { encodeMessage, listBytes } from './message-codec.ts'
import { chunkCount, chunkLength, lengthWithoutNuls } from './name-codec.ts'
import type { PeerState } from './peer-state.ts'
import { fileStatus, type FileStatus } from './status-codec.ts'

export class SwarmState {
  readonly #options: StateOptions
  readonly #seed: number
  readonly #peers = new Map<string, PeerState>()
  readonly #files = new Map<string, FileState>()
  readonly #forwards = new Map<string, number>()
  #joined = false
  #effects: SwarmEffect[] = []

  constructor (options: StateOptions) {
    this.#options = options
    this.#seed = options.seed ?? 0
    for (const address of options.peers) {
      const key = peerKey(address)
      if (key === peerKey(options.self) || this.#peers.has(key)) continue
      const speaks = options.profile ?? 'as-implemented'
      this.#peers.set(key, { key, address, presence: 'unknown', speaks, avoided: false, asked: 0, total: 0, greetedAt: -Infinity, announcements: [], announced: undefined })
    }
  }

  get joined (): boolean {
    return this.#joined
  }

  peer (address: PeerAddress): Readonly<PeerState> | undefined {
    return this.#peers.get(peerKey(address))
  }

  file (name: string): Readonly<FileState> | undefined {
    return this.#files.get(name)
  }

  status (): FileStatus[] {
    return [...this.#files.values()].map(file => fileStatus(file.name, file.levels(), file.held.size, file.holders.size + Number(file.finished)))
  }

  join (now: number): SwarmEffect[] {
    this.#joined = true
    for (const peer of this.#peers.values()) if (peer.presence !== 'disconnected') this.#greet(peer, 'Add', now)
    return this.#take(now)
  }

  /** A file that lies here whole. */
  add (local: LocalFile, now: number): SwarmEffect[] {
    const file = new FileState(local.name, chunkCount(local.size))
    file.size = local.size
    file.sha256 = local.sha256
    file.hashes.push(...local.chunkSha256 ?? [])
    file.fragile = local.size === 0 || local.nulTail === true
    file.finished = true
    for (let index = 0; index < file.count; index++) file.held.add(index)
    this.#files.set(file.name, file)
    for (const peer of this.#peers.values()) {
      if (!this.#joined || peer.presence === 'disconnected') continue
      if (peer.speaks === 'hardened') this.#greet(peer, 'Files', now)
      else for (let index = 0; index < file.count; index++) this.#announce(peer, file, index)
    }
    return this.#take(now)
  }

  /** What a peer said. Messages of peers that are not in the list, and our own, change nothing (rule R8). */
  receive (message: Message, now: number): SwarmEffect[] {
    const peer = this.#peers.get(peerKey(message.from))
    if (peer === undefined || !this.#joined) return []
    switch (message.action) {
      case 'Add':
      case 'Files':
        if (message.extension !== undefined && message.extension >= 1 && this.#options.extension !== false && peer.speaks === 'as-implemented') {
          peer.speaks = 'hardened'
          this.#greet(peer, 'Files', now)
        }
        this.#connect(peer)
        if (message.action === 'Add' && peer.speaks !== 'hardened') this.#greet(peer, 'Files', now)
        for (const listed of message.files) this.#learn(peer, listed)
        break
      case 'Have': this.#have(peer, message.chunk, now); break
      case 'Download': this.#download(peer, message.chunk, now); break
      case 'Upload': this.#upload(peer, message.chunk, message.data, now); break
      case 'Remove': this.#remove(peer, 'disconnected'); break
      default: return []
    }
    return this.#take(now)
  }

  /** The chunk is on disk, and was checked. */
  written (from: PeerAddress, name: string, index: number, bytes: number, now: number): SwarmEffect[] {
    const file = this.#files.get(name)
    if (file === undefined) return []
    this.#settle(file, index)
    file.held.add(index)
    file.failed.delete(index)
    if (index === file.count - 1) file.lastBytes = bytes
    this.#event({ event: 'chunk', name, index, from })
    for (const peer of this.#peers.values()) if (peer.presence === 'connected') this.#announce(peer, file, index)
    this.#complete(file, now)
    return this.#take(now)
  }

  /** The bytes were not what their hash says: their sender is named, and avoided. */
  rejected (from: PeerAddress, name: string, index: number, now: number): SwarmEffect[] {
    const file = this.#files.get(name)
    const peer = this.#peers.get(peerKey(from))
    if (file === undefined) return []
    this.#settle(file, index)
    this.#event({ event: 'poisoned', name, index, peer: from })
    if (peer !== undefined && !peer.avoided) {
      peer.avoided = true
      this.#event({ event: 'avoided', peer: from })
    }
    return this.#take(now)
  }

  /** A holder said that it cannot give the chunk, or nothing could be written: somebody else is asked. */
  failed (from: PeerAddress, name: string, index: number, now: number): SwarmEffect[] {
    const file = this.#files.get(name)
    if (file !== undefined && file.requests.get(index)?.peer === peerKey(from)) {
      this.#fail(file, index)
      file.holders.get(peerKey(from))?.delete(index)
    }
    return this.#take(now)
  }

  /** A peer could not be reached. It is greeted again later. */
  lost (address: PeerAddress, now: number): SwarmEffect[] {
    const peer = this.#peers.get(peerKey(address))
    if (peer !== undefined && peer.presence === 'connected') this.#remove(peer, 'unknown')
    return this.#take(now)
  }

  /** When `expire` has something to do. */
  deadline (): number {
    let at = Infinity
    for (const peer of this.#peers.values()) {
      if (this.#joined && peer.presence === 'unknown') at = Math.min(at, peer.greetedAt + GREET_MS)
      if (peer.announced !== undefined) at = Math.min(at, peer.announced.at + ANNOUNCE_TIMEOUT_MS)
    }
    for (const file of this.#files.values()) for (const request of file.requests.values()) if (!request.writing) at = Math.min(at, request.askedAt + REQUEST_TIMEOUT_MS)
    return at
  }

  expire (now: number): SwarmEffect[] {
    for (const peer of this.#peers.values()) {
      if (this.#joined && peer.presence === 'unknown' && peer.greetedAt + GREET_MS <= now) this.#greet(peer, 'Add', now)
      if (peer.announced !== undefined && peer.announced.at + ANNOUNCE_TIMEOUT_MS <= now) peer.announced = undefined
    }
    for (const file of this.#files.values()) {
      for (const [index, request] of file.requests) if (!request.writing && request.askedAt + REQUEST_TIMEOUT_MS <= now) this.#timeout(file, index, request)
    }
    return this.#take(now)
  }

  /** Gives away what nobody else holds, then says good-bye. */
  leave (now: number): SwarmEffect[] {
    const connected = [...this.#peers.values()].filter(peer => peer.presence === 'connected')
    let turn = 0
    for (const file of this.#files.values()) {
      for (const index of file.held) {
        if (file.level(index) > 1) continue
        const takers = connected.filter(peer => this.#mayShare(peer, file) && index < (file.counts.get(peer.key) ?? file.count))
        const taker = takers[turn++ % Math.max(1, takers.length)]
        if (taker !== undefined) this.#effects.push({ type: 'serve', to: taker.address, chunk: this.#refFor(taker, file, index) })
      }
    }
    for (const peer of this.#peers.values()) {
      peer.announcements.length = 0
      peer.announced = undefined
      if (peer.presence !== 'disconnected') this.#effects.push({ type: 'send', to: peer.address, message: { action: 'Remove', from: this.#options.self } })
      peer.presence = 'unknown'
    }
    this.#joined = false
    for (const file of this.#files.values()) {
      file.holders.clear()
      file.requests.clear()
    }
    const effects = this.#effects
    this.#effects = []
    void now
    return effects
  }

  /** Our list, as this peer may see it; what does not fit or would be damaged is left out, and told. */
  listFor (address: PeerAddress): ListedFile[] {
    const peer = this.#peers.get(peerKey(address))
    const list: ListedFile[] = []
    if (peer === undefined) return list
    for (const file of this.#files.values()) {
      if (!this.#mayShare(peer, file)) continue
      const listed = file.listed(peer.speaks === 'hardened' || this.#options.extension !== false || peer.speaks === 'documented')
      if (peer.speaks === 'hardened') list.push(listed)
      else if (listBytes(peer.speaks === 'documented' ? DOCUMENTED : AS_IMPLEMENTED, [...list, listed]) > CHUNK_BYTES) this.#event({ event: 'withheld', name: file.name, peer: address, why: 'too-many' })
      else list.push(listed)
    }
    return list
  }

  #greet (peer: PeerState, action: 'Add' | 'Files', now: number): void {
    peer.greetedAt = now
    const message = { action, from: this.#options.self, files: this.listFor(peer.address) }
    this.#effects.push({ type: 'send', to: peer.address, message: this.#options.extension === false || peer.speaks === 'documented' ? message : { ...message, extension: 1 } })
  }

  #connect (peer: PeerState): void {
    if (peer.presence === 'connected') return
    peer.presence = 'connected'
    this.#event({ event: 'connected', peer: peer.address })
  }

  #learn (peer: PeerState, listed: ListedFile): void {
    if (listed.count === undefined) {
      const known = this.#files.get(listed.name)
      if (known !== undefined) for (const index of listed.held) if (index < known.count) known.gain(peer.key, index)
      return
    }
    const file = this.#fileOf(listed.name, listed.count, peer)
    if (file === undefined) return
    file.counts.set(peer.key, listed.count)
    if (listed.size !== undefined && file.size === undefined && chunkCount(listed.size) === file.count) file.size = listed.size
    file.sha256 ??= listed.sha256
    const offset = listed.offset ?? 0
    for (const [index, sha256] of (listed.chunkSha256 ?? []).entries()) file.hashes[offset + index] ??= sha256
    if (file.count === 0 && !file.holders.has(peer.key)) file.holders.set(peer.key, new Set())
    for (const index of listed.held) if (index < file.count) file.gain(peer.key, index)
    if (peer.speaks !== 'hardened' && listed.held.length < listed.count) for (const index of file.held) if (!listed.held.includes(index)) this.#announce(peer, file, index)
  }

  /** An original's own two formulas differ: the larger count of one peer is a new life of the file, unless it is whole here. */
  #fileOf (name: string, count: number, peer: PeerState): FileState | undefined {
    const known = this.#files.get(name)
    if (known !== undefined && (known.finished || known.count >= count)) return known
    if (known === undefined && this.#files.size >= (this.#options.maxFiles ?? MAX_FILES)) return undefined
    if (count > (peer.speaks === 'hardened' ? MAX_HARDENED_CHUNKS : MAX_CHUNKS)) return undefined
    const file = new FileState(name, count)
    if (known !== undefined) {
      for (const [key, chunks] of known.holders) file.holders.set(key, chunks)
      for (const [key, counted] of known.counts) file.counts.set(key, counted)
      for (const [index, request] of known.requests) file.requests.set(index, request)
      // What was the last chunk may have been cut: it is asked for again.
      for (const index of known.held) if (index < known.count - 1) file.held.add(index)
    }
    this.#files.set(name, file)
    return file
  }

  #have (peer: PeerState, chunk: ChunkRef, now: number): void {
    this.#connect(peer)
    const file = this.#fileOf(chunk.name, chunk.count, peer)
    if (file === undefined) return
    file.counts.set(peer.key, Math.max(chunk.count, file.counts.get(peer.key) ?? 0))
    if (chunk.size !== undefined && file.size === undefined && chunkCount(chunk.size) === file.count) file.size = chunk.size
    if (chunk.index < file.count) file.gain(peer.key, chunk.index)
    if (peer.announced?.name === chunk.name && peer.announced.index === chunk.index) peer.announced = undefined
    // Without its hashes a chunk of a peer of our own kind cannot be checked: its list has them.
    if (peer.speaks === 'hardened' && file.hashes[chunk.index] === undefined && peer.greetedAt + ANNOUNCE_TIMEOUT_MS <= now) this.#greet(peer, 'Add', now)
  }

  #download (peer: PeerState, chunk: ChunkRef, now: number): void {
    const { name, index } = chunk
    const file = this.#files.get(name)
    if (file === undefined || !this.#mayShare(peer, file)) return
    if (file.held.has(index)) {
      this.#effects.push({ type: 'serve', to: peer.address, chunk: this.#refFor(peer, file, index) })
      return
    }
    // Rule R10. Between our own peers the answer is an error on the same connection instead.
    if (peer.speaks === 'hardened') return
    const key = `${peer.key} ${index} ${name}`
    const before = this.#forwards.get(key)
    if (before !== undefined && before + FORWARD_AGAIN_MS > now) return
    const holder = file.askable(index, other => other !== peer.key && this.#peers.get(other)?.presence === 'connected' && this.#peers.get(other)?.speaks !== 'hardened')[0]
    const to = holder === undefined ? undefined : this.#peers.get(holder)
    if (to === undefined) return
    this.#forwards.delete(key)
    this.#forwards.set(key, now)
    if (this.#forwards.size > MAX_FORWARDS) this.#forwards.delete(this.#forwards.keys().next().value as string)
    this.#effects.push({ type: 'send', to: to.address, message: { action: 'Download', from: peer.address, chunk: this.#refFor(to, file, index) } })
  }

  #upload (peer: PeerState, chunk: ChunkRef, data: Uint8Array, now: number): void {
    const file = this.#files.get(chunk.name)
    const { index } = chunk
    if (file === undefined || index >= file.count || file.held.has(index) || peer.avoided) return
    const request = file.requests.get(index)
    if (request?.writing === true) return
    if (request === undefined ? this.#options.acceptPushes === false : request.peer !== peer.key) return
    const last = index === file.count - 1
    // Rule R2: a short block is whole only where the last chunk, or a size, says so.
    const wanted = file.size === undefined ? undefined : chunkLength(file.size, index)
    if (wanted === undefined ? data.length < CHUNK_BYTES && !last : data.length < wanted) return this.#fail(file, index)
    let bytes = data.subarray(0, wanted ?? CHUNK_BYTES)
    if (wanted === undefined && last) {
      bytes = bytes.subarray(0, lengthWithoutNuls(bytes))
      file.sizeUncertain = true
    }
    const checked = file.hashes[index] !== undefined && file.hashes[index] !== ''
    if (!checked && peer.speaks !== 'hardened' && request !== undefined) {
      const chosen = this.#compare(file, index, request, bytes, peer, last, now)
      if (chosen === undefined) return
      bytes = chosen
    }
    if (request === undefined) file.requests.set(index, { peer: peer.key, askedAt: now, writing: true })
    else {
      request.writing = true
      peer.asked--
    }
    this.#effects.push({ type: 'write', from: peer.address, chunk: { ...chunk, count: file.count, size: file.size, sha256: file.hashes[index] }, data: bytes })
  }

  /** Rule R5: damage is a true prefix and then zeros. What looks like it is asked for once more, of somebody else. */
  #compare (file: FileState, index: number, request: { readonly first?: { peer: string, data: Uint8Array } | undefined }, bytes: Uint8Array, peer: PeerState, last: boolean, now: number): Uint8Array | undefined {
    if (request.first === undefined) {
      if (!last && bytes.at(-1) !== 0) return bytes
      if (last && file.size !== undefined && bytes.at(-1) !== 0) return bytes
      const second = file.askable(index, key => key !== peer.key && this.#peers.get(key)?.presence === 'connected' && this.#peers.get(key)?.avoided === false)[0]
      if (second === undefined || second === peer.key) return bytes
      this.#settle(file, index)
      this.#ask(file, index, second, now, { peer: peer.key, data: bytes.slice() })
      return undefined
    }
    const [shorter, longer] = [request.first.data, bytes].map(data => data.subarray(0, lengthWithoutNuls(data))).sort((a, b) => a.length - b.length) as [Uint8Array, Uint8Array]
    if (shorter.every((byte, at) => byte === longer[at])) return lengthWithoutNuls(bytes) >= lengthWithoutNuls(request.first.data) ? bytes : request.first.data
    const other = this.#peers.get(request.first.peer) as PeerState
    const chunk = { name: file.name, count: file.count, index }
    this.#effects.push({ type: 'aside', from: other.address, chunk, data: request.first.data }, { type: 'aside', from: peer.address, chunk, data: bytes.slice() })
    this.#event({ event: 'conflict', name: file.name, index, peer: peer.address })
    this.#fail(file, index)
    for (const key of [peer.key, other.key]) file.holders.get(key)?.delete(index)
    return undefined
  }

  #remove (peer: PeerState, presence: 'unknown' | 'disconnected'): void {
    if (peer.presence === 'connected') this.#event({ event: 'disconnected', peer: peer.address })
    peer.presence = presence
    peer.announcements.length = 0
    peer.announced = undefined
    for (const file of this.#files.values()) {
      file.holders.delete(peer.key)
      for (const [index, request] of file.requests) if (request.peer === peer.key && !request.writing) this.#fail(file, index)
    }
  }

  #timeout (file: FileState, index: number, request: { readonly peer: string, readonly first?: { peer: string, data: Uint8Array } | undefined }): void {
    const first = request.first
    const from = first === undefined ? undefined : this.#peers.get(first.peer)
    if (first === undefined || from === undefined) return this.#fail(file, index)
    // The second opinion never came: the first has to do.
    this.#settle(file, index)
    file.requests.set(index, { peer: first.peer, askedAt: 0, writing: true })
    this.#effects.push({ type: 'write', from: from.address, chunk: { name: file.name, count: file.count, index, size: file.size, sha256: file.hashes[index] }, data: first.data })
  }

  #fail (file: FileState, index: number): void {
    const request = file.requests.get(index)
    if (request === undefined) return
    let failed = file.failed.get(index)
    if (failed === undefined) file.failed.set(index, failed = new Set())
    failed.add(request.peer)
    this.#settle(file, index)
  }

  #settle (file: FileState, index: number): void {
    const request = file.requests.get(index)
    const peer = request === undefined ? undefined : this.#peers.get(request.peer)
    if (request?.writing === false && peer !== undefined) peer.asked--
    file.requests.delete(index)
  }

  #complete (file: FileState, now: number): void {
    if (file.finished || file.held.size < file.count) return
    if (file.count === 0 && file.size !== 0) return
    file.finished = true
    const full = file.size === undefined && file.lastBytes === CHUNK_BYTES
    file.size ??= (file.count - 1) * CHUNK_BYTES + (file.lastBytes ?? 0)
    this.#effects.push({ type: 'finish', name: file.name, size: file.size })
    this.#event({ event: 'finished', name: file.name, size: file.size, sizeUncertain: file.sizeUncertain })
    // Rule T10: the count of an original's announcement may have been one too small.
    if (full) for (const key of file.holders.keys()) this.#greet(this.#peers.get(key) as PeerState, 'Add', now)
  }

  #announce (peer: PeerState, file: FileState, index: number): void {
    if (!this.#mayShare(peer, file) || index >= (file.counts.get(peer.key) ?? file.count)) return
    if (peer.speaks !== 'hardened') {
      const chunk = this.#refFor(peer, file, index)
      try {
        encodeMessage(peer.speaks === 'documented' ? DOCUMENTED : AS_IMPLEMENTED, { action: 'Have', from: this.#options.self, chunk })
      } catch {
        if (index === 0) this.#event({ event: 'withheld', name: file.name, peer: peer.address, why: 'too-long' })
        return
      }
    }
    peer.announcements.push({ name: file.name, index })
  }

  #mayShare (peer: PeerState, file: FileState): boolean {
    if (peer.speaks === 'hardened' || this.#options.shareFragile === true || !file.fragile) return file.name.length < HEADER_BYTES || peer.speaks === 'hardened'
    return false
  }

  #refFor (peer: PeerState, file: FileState, index: number): ChunkRef {
    const count = peer.speaks === 'hardened' ? file.count : file.counts.get(peer.key) ?? file.count
    const sized = peer.speaks !== 'as-implemented' ? file.size : undefined
    return { name: file.name, count, index, size: sized, sha256: peer.speaks === 'hardened' ? file.hashes[index] : undefined }
  }

  #mayAsk (key: string): boolean {
    const peer = this.#peers.get(key)
    return peer !== undefined && peer.presence === 'connected' && !peer.avoided && peer.asked < (peer.speaks === 'hardened' ? MAX_PEER_REQUESTS : 1)
  }

  #ask (file: FileState, index: number, key: string, now: number, first?: { peer: string, data: Uint8Array }): void {
    const peer = this.#peers.get(key) as PeerState
    peer.asked++
    peer.total++
    file.requests.set(index, { peer: key, askedAt: now, writing: false, first })
    this.#effects.push({ type: 'send', to: peer.address, message: { action: 'Download', from: this.#options.self, chunk: this.#refFor(peer, file, index) } })
  }

  #event (event: SwarmEvent): void {
    this.#effects.push({ type: 'event', event })
  }

  /** What is to be done, with what can be asked for and announced now. */
  #take (now: number): SwarmEffect[] {
    if (this.#joined) {
      for (const file of this.#files.values()) {
        this.#complete(file, now)
        let inFlight = 0
        for (const other of this.#files.values()) inFlight += other.requests.size
        while (inFlight < MAX_REQUESTS) {
          const next = file.rarest(this.#seed, key => this.#mayAsk(key) && this.#spares(file, key))
          if (next === undefined) break
          const [peer] = next.peers.map(key => this.#peers.get(key) as PeerState).sort((a, b) => a.asked - b.asked || a.total - b.total)
          this.#ask(file, next.index, (peer as PeerState).key, now)
          inFlight++
        }
      }
      for (const peer of this.#peers.values()) this.#say(peer, now)
    }
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** Who has everything is asked for one chunk at a time as long as others have parts: what only it has is then worth its time. */
  #spares (file: FileState, key: string): boolean {
    if (file.holders.get(key)?.size !== file.count || this.#peers.get(key)?.asked === 0) return true
    for (const [other, chunks] of file.holders) if (chunks.size > 0 && chunks.size < file.count && this.#peers.get(other)?.avoided === false) return false
    return true
  }

  #say (peer: PeerState, now: number): void {
    while (peer.announced === undefined) {
      const next = peer.announcements.shift()
      const file = next === undefined ? undefined : this.#files.get(next.name)
      if (next === undefined) return
      // Its count may have become known since (rule T3).
      if (file === undefined || next.index >= (file.counts.get(peer.key) ?? file.count)) continue
      const known = file.holders.get(peer.key)?.has(next.index) === true
      if (!known && peer.speaks !== 'hardened') peer.announced = { ...next, at: now }
      this.#effects.push({ type: 'send', to: peer.address, message: { action: 'Have', from: this.#options.self, chunk: this.#refFor(peer, file, next.index) } })
    }
  }
}
