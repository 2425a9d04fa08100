/**
 * The memory of a swarm: who holds what, what to ask of whom, what to tell whom. Pure: time is a number, and what has to be done
 * is returned.
 *
 *      at most one request in flight a chunk; held only when written and checked; levels are numbers of holders
 *
 * @module
 */
import { ANNOUNCE_TIMEOUT_MS, CHUNK_BYTES, FORWARD_AGAIN_MS, GREET_MS, MAX_FORWARDS, REQUEST_TIMEOUT_MS } from './constants.ts'
import { Copies } from './copies-state.ts'
import { FileState } from './file-state.ts'
import type { LocalFile, PartialFile, StateOptions, SwarmEffect } from './facts.ts'
import { Knowledge } from './knowledge-state.ts'
import { Memory } from './memory-state.ts'
import { peerKey, type ChunkRef, type ListedFile, type Message, type PeerAddress } from './message.ts'
import { chunkCount, chunkLength, lengthWithoutNuls } from './name-codec.ts'
import type { PeerState } from './peer-state.ts'
import { Requests } from './requests-state.ts'
import { Sharing } from './sharing-state.ts'
import { fileStatus, type FileStatus } from './status-codec.ts'

export class SwarmState {
  readonly #memory: Memory
  readonly #sharing: Sharing
  readonly #requests: Requests
  readonly #knowledge: Knowledge
  readonly #copies: Copies
  readonly #forwards = new Map<string, number>()
  #joined = false

  constructor (options: StateOptions) {
    this.#memory = new Memory(options)
    this.#sharing = new Sharing(this.#memory)
    this.#requests = new Requests(this.#memory, this.#sharing)
    this.#knowledge = new Knowledge(this.#memory, this.#sharing)
    this.#copies = new Copies(this.#memory, this.#sharing)
    for (const address of options.peers) {
      const key = peerKey(address)
      if (key === peerKey(options.self) || this.#memory.peers.has(key)) continue
      const speaks = options.profile ?? 'as-implemented'
      this.#memory.peers.set(key, { key, address, presence: 'unknown', speaks, avoided: false, asked: 0, total: 0, greetedAt: -Infinity, untold: false, doubted: false, announcements: [], announced: undefined })
    }
  }

  get joined (): boolean {
    return this.#joined
  }

  peer (address: PeerAddress): Readonly<PeerState> | undefined {
    return this.#memory.peers.get(peerKey(address))
  }

  file (name: string): Readonly<FileState> | undefined {
    return this.#memory.files.get(name)
  }

  status (): FileStatus[] {
    return [...this.#memory.files.values()].map(file => fileStatus(file.name, file.levels(), file.held.size, file.holders.size + Number(file.finished)))
  }

  join (now: number): SwarmEffect[] {
    this.#joined = true
    for (const peer of this.#memory.peers.values()) if (peer.presence !== 'disconnected') this.#sharing.greet(peer, 'Add', now)
    return this.#take(now)
  }

  /** A file that an earlier process has begun, and those of its chunks that are here and are what their hashes say. */
  resume (partial: PartialFile, held: Iterable<number>): void {
    const file = new FileState(partial.name, chunkCount(partial.size))
    file.size = partial.size
    file.hashes.push(...partial.chunkSha256)
    file.resumed = true
    for (const index of held) file.held.add(index)
    if (file.hashed) this.#memory.files.set(file.name, file)
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
    this.#memory.files.set(file.name, file)
    for (const peer of this.#memory.peers.values()) {
      if (!this.#joined || peer.presence === 'disconnected') continue
      if (peer.speaks === 'hardened') this.#sharing.greet(peer, 'Files', now)
      else for (let index = 0; index < file.count; index++) this.#sharing.announce(peer, file, index)
    }
    return this.#take(now)
  }

  /** What a peer said. Messages of peers that are not in the list, and our own, change nothing (rule R8). */
  receive (message: Message, now: number): SwarmEffect[] {
    const peer = this.#memory.peers.get(peerKey(message.from))
    if (peer === undefined || !this.#joined) return []
    switch (message.action) {
      case 'Add':
      case 'Files':
        if (message.extension !== undefined && message.extension >= 1 && this.#memory.options.extension !== false && peer.speaks === 'as-implemented') {
          peer.speaks = 'hardened'
          this.#sharing.greet(peer, 'Files', now)
        } else if (message.action === 'Add') {
          // Whoever says hello may have been killed since it was told last.
          this.#sharing.greet(peer, 'Files', now)
        }
        this.#knowledge.connect(peer, 'Files', now)
        if (!peer.avoided) for (const listed of message.files) this.#knowledge.learn(peer, listed)
        break
      case 'Have': {
        const idle = this.#requests.cannotAsk(peer, message.chunk)
        this.#knowledge.have(peer, message.chunk, now)
        this.#copies.announced(peer, this.#memory.files.get(message.chunk.name), message.chunk.index)
        if (idle) return this.#memory.take()
        break
      }
      case 'Download': this.#download(peer, message.chunk, now); break
      case 'Upload': this.#upload(peer, message.chunk, message.data, now); break
      case 'Remove': this.#remove(peer, 'disconnected', now); break
      default: return []
    }
    return this.#take(now)
  }

  /** The chunk is on disk, and was checked. */
  written (from: PeerAddress, name: string, index: number, bytes: number, now: number, sha256?: string): SwarmEffect[] {
    const file = this.#memory.files.get(name)
    if (file === undefined || file.refused) return []
    this.#requests.settle(file, index)
    file.held.add(index)
    file.failed.delete(index)
    if (sha256 !== undefined) file.hashes[index] ??= sha256
    if (index === file.count - 1) file.lastBytes = bytes
    this.#memory.event({ event: 'chunk', name, index, from, bytes: file.heldBytes, size: file.size })
    for (const peer of this.#memory.peers.values()) {
      if (peer.presence === 'connected') this.#sharing.announce(peer, file, index)
      else peer.untold = true
    }
    this.#complete(file, now)
    return this.#take(now)
  }

  /** The bytes were not what their hash says: their sender is named, and avoided. */
  rejected (from: PeerAddress, name: string, index: number, now: number): SwarmEffect[] {
    const file = this.#memory.files.get(name)
    const peer = this.#memory.peers.get(peerKey(from))
    if (file === undefined) return []
    this.#requests.settle(file, index)
    this.#memory.event({ event: 'poisoned', name, index, peer: from })
    if (peer !== undefined && !peer.avoided) {
      peer.avoided = true
      this.#memory.event({ event: 'avoided', peer: from })
      this.#knowledge.disbelieve(peer, now)
    }
    return this.#take(now)
  }

  /** What an original has of a chunk that we gave it. A second Upload would be ignored there, so it is told and not mended. */
  compared (from: PeerAddress, name: string, index: number, same: boolean): SwarmEffect[] {
    if (!same) this.#memory.event({ event: 'damaged', name, index, peer: from })
    return this.#memory.take()
  }

  /** The store cannot take the file: nothing more of it is asked for, and nobody is told of it. */
  refuse (name: string, reason: Error, now: number): SwarmEffect[] {
    const file = this.#memory.files.get(name)
    if (file === undefined) return []
    for (const index of [...file.requests.keys()]) this.#requests.settle(file, index)
    file.held.clear()
    file.finished = false
    file.refused = true
    this.#memory.event({ event: 'refused', name, reason })
    return this.#take(now)
  }

  /** A holder said that it cannot give the chunk, or nothing could be written: somebody else is asked. */
  failed (from: PeerAddress, name: string, index: number, now: number): SwarmEffect[] {
    const file = this.#memory.files.get(name)
    if (file !== undefined && file.requests.get(index)?.peer === peerKey(from)) {
      this.#requests.fail(file, index)
      file.lose(peerKey(from), index)
      const peer = this.#memory.peers.get(peerKey(from))
      if (peer !== undefined) peer.doubted = true
    }
    return this.#take(now)
  }

  /** A peer could not be reached. It is greeted again: soon, where it was heard of before, since what it holds is forgotten here. */
  lost (address: PeerAddress, now: number): SwarmEffect[] {
    const peer = this.#memory.peers.get(peerKey(address))
    if (peer === undefined) return []
    // What was under way to it is gone, and it may not have noticed: when it speaks next, it is told.
    peer.untold = true
    if (peer.presence === 'connected') {
      this.#remove(peer, 'unknown', now)
      peer.doubted = true
    }
    return this.#take(now)
  }

  /** When `expire` has something to do. */
  deadline (): number {
    let at = Infinity
    for (const peer of this.#memory.peers.values()) {
      at = Math.min(at, this.#greetAt(peer))
      if (peer.announced !== undefined) at = Math.min(at, peer.announced.at + ANNOUNCE_TIMEOUT_MS)
    }
    for (const file of this.#memory.files.values()) for (const request of file.requests.values()) if (!request.writing) at = Math.min(at, request.askedAt + REQUEST_TIMEOUT_MS)
    return at
  }

  expire (now: number): SwarmEffect[] {
    for (const peer of this.#memory.peers.values()) {
      if (this.#greetAt(peer) <= now) this.#sharing.greet(peer, 'Add', now)
      if (peer.announced !== undefined && peer.announced.at + ANNOUNCE_TIMEOUT_MS <= now) peer.announced = undefined
    }
    for (const file of this.#memory.files.values()) {
      for (const [index, request] of file.requests) if (!request.writing && request.askedAt + REQUEST_TIMEOUT_MS <= now) this.#requests.timeout(file, index, request)
    }
    return this.#take(now)
  }

  /** Gives away what nobody else holds, then says good-bye. */
  leave (_now: number): SwarmEffect[] {
    const connected = [...this.#memory.peers.values()].filter(peer => peer.presence === 'connected')
    let turn = 0
    for (const file of this.#memory.files.values()) {
      for (const index of file.held) {
        if (file.level(index) > 1) continue
        const takers = connected.filter(peer => this.#sharing.mayShare(peer, file) && index < (file.counts.get(peer.key) ?? file.count))
        const taker = takers[turn++ % Math.max(1, takers.length)]
        if (taker !== undefined) this.#memory.effects.push({ type: 'serve', to: taker.address, chunk: this.#sharing.refFor(taker, file, index) })
      }
    }
    for (const peer of this.#memory.peers.values()) {
      peer.announcements.length = 0
      peer.announced = undefined
      if (peer.presence !== 'disconnected') this.#memory.effects.push({ type: 'send', to: peer.address, message: { action: 'Remove', from: this.#memory.options.self } })
      peer.presence = 'unknown'
    }
    this.#joined = false
    for (const file of this.#memory.files.values()) {
      for (const key of file.holders.keys()) file.forget(key)
      file.requests.clear()
    }
    return this.#memory.take()
  }

  /** Our list, as this peer may see it. */
  listFor (address: PeerAddress): ListedFile[] {
    const peer = this.#memory.peers.get(peerKey(address))
    return peer === undefined ? [] : this.#sharing.listFor(peer)
  }

  #download (peer: PeerState, chunk: ChunkRef, now: number): void {
    const { name, index } = chunk
    const file = this.#memory.files.get(name)
    if (file === undefined || !this.#sharing.mayShare(peer, file)) return
    if (file.held.has(index)) {
      this.#copies.served(peer, name, index)
      this.#memory.effects.push({ type: 'serve', to: peer.address, chunk: this.#sharing.refFor(peer, file, index) })
      return
    }
    // Rule R10. Between our own peers the answer is an error on the same connection instead.
    if (peer.speaks === 'hardened') return
    const key = `${peer.key} ${index} ${name}`
    const before = this.#forwards.get(key)
    if (before !== undefined && before + FORWARD_AGAIN_MS > now) return
    const holder = file.askable(index, other => other !== peer.key && this.#memory.peers.get(other)?.presence === 'connected' && this.#memory.peers.get(other)?.speaks !== 'hardened')[0]
    const to = holder === undefined ? undefined : this.#memory.peers.get(holder)
    if (to === undefined) return
    this.#forwards.delete(key)
    this.#forwards.set(key, now)
    if (this.#forwards.size > MAX_FORWARDS) this.#forwards.delete(this.#forwards.keys().next().value as string)
    this.#memory.effects.push({ type: 'send', to: to.address, message: { action: 'Download', from: peer.address, chunk: this.#sharing.refFor(to, file, index) } })
  }

  #upload (peer: PeerState, chunk: ChunkRef, data: Uint8Array, now: number): void {
    const file = this.#memory.files.get(chunk.name)
    const { index } = chunk
    if (file !== undefined && this.#copies.take(peer, file, index, data)) return
    if (file === undefined || index >= file.count || file.held.has(index) || file.refused || peer.avoided) return
    const request = file.requests.get(index)
    if (request?.writing === true) return
    if (request === undefined ? this.#memory.options.acceptPushes === false : request.peer !== peer.key) return
    const last = index === file.count - 1
    // Rule R2: a short block is whole only where the last chunk, or a size, says so.
    const wanted = file.size === undefined ? undefined : chunkLength(file.size, index)
    if (wanted === undefined ? data.length < CHUNK_BYTES && !last : data.length < wanted) return this.#requests.fail(file, index)
    let bytes = data.subarray(0, wanted ?? CHUNK_BYTES)
    if (wanted === undefined && last) {
      bytes = bytes.subarray(0, lengthWithoutNuls(bytes))
      file.sizeUncertain = true
    }
    const checked = file.hashes[index] !== undefined
    if (!checked && peer.speaks !== 'hardened' && request !== undefined) {
      const chosen = this.#requests.compare(file, index, request, bytes, peer, last, now)
      if (chosen === undefined) return
      bytes = chosen
    }
    if (request === undefined) file.requests.set(index, { peer: peer.key, askedAt: now, writing: true })
    else {
      request.writing = true
      peer.asked--
    }
    this.#memory.effects.push({ type: 'write', from: peer.address, chunk: { ...chunk, count: file.count, size: file.size, sha256: file.hashes[index] }, data: bytes })
  }

  #remove (peer: PeerState, presence: 'unknown' | 'disconnected', now: number): void {
    if (peer.presence === 'connected') this.#memory.event({ event: 'disconnected', peer: peer.address })
    peer.presence = presence
    peer.announcements.length = 0
    peer.announced = undefined
    for (const file of this.#memory.files.values()) {
      for (const [index, request] of file.requests) if (request.peer === peer.key && !request.writing) this.#requests.fail(file, index)
    }
    this.#knowledge.disbelieve(peer, now)
  }

  #complete (file: FileState, now: number): void {
    if (file.finished || file.refused || file.held.size < file.count) return
    if (file.count === 0 && file.size !== 0) return
    file.finished = true
    const full = file.size === undefined && file.lastBytes === CHUNK_BYTES
    file.size ??= (file.count - 1) * CHUNK_BYTES + (file.lastBytes ?? 0)
    this.#memory.effects.push({ type: 'finish', name: file.name, size: file.size })
    this.#memory.event({ event: 'finished', name: file.name, size: file.size, sizeUncertain: file.sizeUncertain })
    // Without chunks there is none to announce.
    if (file.count === 0) for (const peer of this.#memory.peers.values()) if (peer.presence === 'connected' && peer.speaks === 'hardened') this.#sharing.greet(peer, 'Files', now)
    // Rule T10: the count of an original's announcement may have been one too small.
    if (full) for (const key of file.holders.keys()) this.#sharing.greet(this.#memory.peers.get(key) as PeerState, 'Add', now)
  }

  /** When a peer is greeted again. */
  #greetAt ({ presence, doubted, greetedAt }: PeerState): number {
    if (!this.#joined || presence === 'disconnected') return Infinity
    if (doubted) return greetedAt + ANNOUNCE_TIMEOUT_MS
    return presence === 'unknown' ? greetedAt + GREET_MS : Infinity
  }

  /** What is to be done, with what can be asked for and announced now. */
  #take (now: number): SwarmEffect[] {
    if (this.#joined) {
      for (const file of this.#memory.files.values()) this.#complete(file, now)
      this.#requests.askRarest(now)
      for (const peer of this.#memory.peers.values()) this.#sharing.say(peer, now)
    }
    return this.#memory.take()
  }
}
