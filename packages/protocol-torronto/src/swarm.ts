/**
 * A peer: performs what the state asks for, over ports.
 *
 * @module
 */
import type { Connection, Listener } from '@ropewalk/interface'
import { Announcements } from './announcements.ts'
import { answerConnection } from './answering.ts'
import { chunkHashes, inChunks, isCopy, wholeChunks } from './chunks.ts'
import { systemClock, type Clock } from './clock.ts'
import { CHUNK_BYTES, MAX_CONNECTIONS, MAX_HARDENED_PEERS, MAX_PEERS } from './constants.ts'
import { Descriptions } from './descriptions.ts'
import { SwarmError } from './errors.ts'
import { hex, sendBytes, type ExchangeOptions } from './exchange.ts'
import { splitList, type HardenedFrame } from './hardened-codec.ts'
import { AS_IMPLEMENTED, Code, DOCUMENTED, peerKey, type ChunkRef, type Message, type PeerAddress, type Profile } from './message.ts'
import { decodeMessage, encodeMessage } from './message-codec.ts'
import { checkName } from './name-codec.ts'
import type { PartialFile, SwarmEffect, SwarmEvent } from './facts.ts'
import { InterfaceMessages } from './interface-messages.ts'
import { Link } from './link.ts'
import type { SwarmOptions } from './options.ts'
import { Outbox } from './outbox.ts'
import { SwarmState } from './state.ts'
import type { FileStatus } from './status-codec.ts'

/** Listens, says hello, and keeps replicating until `leave`. Rejects with RangeError for more peers than the wire bears. */
export async function joinSwarm (options: SwarmOptions): Promise<Swarm> {
  const most = options.profile === 'hardened' ? MAX_HARDENED_PEERS : MAX_PEERS
  const others = new Set(options.peers.map(peerKey))
  others.add(peerKey(options.self))
  if (others.size > most) throw new RangeError(`too many peers: ${others.size} > ${most}`)
  if (options.key !== undefined && options.profile !== 'hardened') throw new TypeError('a key needs the profile hardened: an original cannot prove that it knows one')
  const listener = await options.listen(options.self, { signal: options.signal })
  const swarm = new Swarm(options, listener)
  await swarm.start()
  return swarm
}

export class Swarm implements AsyncDisposable {
  readonly #options: SwarmOptions
  readonly #listener: Listener<PeerAddress>
  readonly #state: SwarmState
  readonly #clock: Clock
  readonly #profile: Profile
  readonly #control = new AbortController()
  readonly #interface: InterfaceMessages
  readonly #outboxes = new Map<string, Outbox>()
  readonly #links = new Map<string, Link>()
  readonly #announcements: Announcements
  readonly #inserting = new Set<string>()
  readonly #finishing = new Map<string, Promise<void>>()
  readonly #descriptions: Descriptions
  #connections = 0
  #cancelTimer: (() => void) | undefined

  constructor (options: SwarmOptions, listener: Listener<PeerAddress>) {
    this.#options = options
    this.#listener = listener
    this.#clock = options.clock ?? systemClock
    this.#profile = options.profile === 'documented' ? { ...DOCUMENTED, firstNumber: options.firstNumber ?? 'size' } : AS_IMPLEMENTED
    this.#state = new SwarmState({ ...options, verify: options.hasher !== undefined, seed: Math.floor((options.random ?? Math.random)() * 0x7fffffff) })
    this.#descriptions = new Descriptions(options.store)
    this.#announcements = new Announcements(this.#clock, to => { this.#enqueue(to, async () => { await this.#announce(to) }) })
    this.#interface = new InterfaceMessages({
      options, profile: this.#profile, state: this.#state,
      reply: (to, bytes) => { this.#enqueue(to, async () => { await sendBytes(options.dial, to, bytes, this.#exchange) }) },
      isInserting: name => this.#inserting.has(name),
      insert: async (name, source) => { await this.insert(name, source) },
      leave: async () => { await this.leave() }
    })
    options.signal?.addEventListener('abort', () => { this.#stop(options.signal?.reason as Error) }, { once: true })
  }

  async start (): Promise<void> {
    const { store, hasher } = this.#options
    for await (const file of store.list()) {
      const chunkSha256 = hasher === undefined ? [] : await chunkHashes(store, file, async bytes => await this.#hash(bytes))
      this.#perform(this.#state.add({ ...file, chunkSha256 }, this.#clock.now()))
    }
    for await (const partial of store.partial?.() ?? []) await this.#resume(partial)
    // A listener that was told to stop may say so too.
    void this.#accept().catch((error: unknown) => { if (!this.#control.signal.aborted) this.#tell({ event: 'unheard', reason: error as Error }) })
    this.#perform(this.#state.join(this.#clock.now()))
  }

  /** What is there of it counts where it has its hash: whatever an earlier process was doing when it ended. */
  async #resume (partial: PartialFile): Promise<void> {
    const { store, hasher } = this.#options
    if (hasher === undefined || this.#state.file(partial.name) !== undefined) return await store.discard(partial.name)
    this.#state.resume(partial, await wholeChunks(store, partial, async bytes => await this.#hash(bytes)))
  }

  /** Takes in a file under `files/` and tells the others. Resolves once it lies in the store whole. */
  async insert (name: string, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    checkName(name)
    if (this.#control.signal.aborted) throw new SwarmError('ERR_CLOSED', 'the swarm was left', { remote: false })
    if (this.#state.file(name) !== undefined || this.#inserting.has(name)) throw new SwarmError('ERR_EXISTS', 'a file of that name is there', { remote: false, scope: 'transfer' })
    const { store } = this.#options
    this.#inserting.add(name)
    let finished = false
    try {
      const chunkSha256: string[] = []
      let size = 0
      let last: number | undefined
      for await (const chunk of inChunks(source)) {
        if (this.#options.hasher !== undefined) chunkSha256.push(await this.#hash(chunk))
        await store.write(name, size / CHUNK_BYTES, chunk)
        size += chunk.length
        last = chunk.at(-1)
      }
      await store.finish(name, size)
      finished = true
      this.#perform(this.#state.add({ name, size, chunkSha256, nulTail: last === 0 }, this.#clock.now()))
    } finally {
      this.#inserting.delete(name)
      if (!finished) await store.discard(name)
    }
  }

  query (): FileStatus[] {
    return this.#state.status()
  }

  /** Pushes what only we hold, says good-bye, and closes. */
  async leave (): Promise<void> {
    if (this.#control.signal.aborted) return
    this.#announcements.flush()
    this.#perform(this.#state.leave(this.#clock.now()))
    await Promise.all([...this.#outboxes.values()].map(outbox => outbox.idle))
    await Promise.all([...this.#links.values()].map(async link => { await link.close() }))
    await Promise.allSettled(this.#finishing.values())
    this.#stop(new SwarmError('ERR_CLOSED', 'the swarm was left', { remote: false }))
    await this.#listener.close()
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.leave()
  }

  #stop (reason: Error): void {
    this.#cancelTimer?.()
    this.#control.abort(reason)
    void this.#listener.close()
  }

  get #exchange (): ExchangeOptions {
    return { clock: this.#clock, signal: this.#control.signal, key: this.#options.key }
  }

  async #accept (): Promise<void> {
    for await (const connection of this.#listener) {
      if (this.#connections >= MAX_CONNECTIONS) connection.abort(new SwarmError('ERR_TOO_LARGE', `too many connections: ${this.#connections + 1} > ${MAX_CONNECTIONS}`))
      else void this.#serve(connection)
    }
  }

  /** Never answers what it cannot read (rule R7). */
  async #serve (connection: Connection): Promise<void> {
    this.#connections++
    try {
      await answerConnection(connection, {
        self: this.#options.self,
        profile: this.#profile,
        exchange: this.#exchange,
        message: async (bytes, remote) => { await this.#message(decodeMessage(this.#profile, bytes), remote) },
        frame: async (frame, from) => await this.#frame(frame, from)
      })
    } catch (error) {
      connection.abort(error as Error)
    } finally {
      this.#connections--
      await connection[Symbol.asyncDispose]()
    }
  }

  async #message (message: Message, remote: string): Promise<void> {
    if (message.action === 'Error') return
    if (message.action === 'Join' || message.action === 'Leave' || message.action === 'Query' || message.action === 'Insert') return await this.#interface.take(message, remote)
    this.#perform(this.#state.receive(message, this.#clock.now()))
  }

  async #frame (frame: HardenedFrame, from: PeerAddress | undefined): Promise<HardenedFrame | undefined> {
    const refuse = (code: number, reason: string): HardenedFrame => ({ re: frame.id ?? 0, action: 'Error', code, reason })
    if (from === undefined || this.#state.peer(from) === undefined) return refuse(Code.UnknownPeer, 'unknown peer')
    if (frame.action === 'Error') return undefined
    if (frame.action === 'Download') {
      const { chunk } = frame
      const held = this.#state.file(chunk.name)?.held.has(chunk.index) === true
      const data = held ? await this.#read(from, chunk) : undefined
      if (data === undefined) return refuse(Code.FileMissing, 'no such chunk')
      this.#given(from, chunk, data)
      return { re: frame.id, action: 'Upload', chunk: { ...chunk, sha256: this.#state.file(chunk.name)?.hashes[chunk.index] }, data }
    }
    if ((frame.action === 'Add' || frame.action === 'Files') && frame.files.length === 0 && frame.id === undefined) return undefined
    const message = { ...frame, from } as Message
    this.#perform(this.#state.receive('files' in message ? { ...message, extension: 1 } : message, this.#clock.now()))
    return frame.id === undefined ? undefined : { re: frame.id, action: 'Error', code: Code.Ok, reason: '' }
  }

  #perform (effects: readonly SwarmEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'event': this.#tell(effect.event); break
        // A request of ours waits for nobody: its answer comes on its own connection.
        case 'send': {
          const hardened = this.#state.peer(effect.to)?.speaks === 'hardened'
          const work = async (): Promise<void> => { await this.#send(effect.to, effect.message) }
          if (effect.message.action === 'Have' && hardened) this.#announcements.add(effect.to, effect.message.chunk)
          else if (effect.message.action === 'Download' && hardened) void work()
          else this.#enqueue(effect.to, work)
          break
        }
        case 'serve': this.#enqueue(effect.to, async () => { await this.#upload(effect.to, effect.chunk) }); break
        case 'write': void this.#write(effect.from, effect.chunk, effect.data); break
        case 'compare': void this.#compare(effect.from, effect.chunk, effect.data).catch(() => {}); break
        case 'finish': {
          const finishing = this.#options.store.finish(effect.name, effect.size).finally(() => {
            this.#finishing.delete(effect.name)
            this.#descriptions.forget(effect.name)
          })
          this.#finishing.set(effect.name, finishing)
          finishing.catch(error => { this.#give(effect.name, error as Error) })
          break
        }
        case 'aside': this.#options.store.aside?.(effect.chunk.name, effect.chunk.index, peerKey(effect.from), effect.data).catch(() => {}); break
      }
    }
    this.#arm()
  }

  /** A file is told to be finished when it has its name, and not before. */
  #tell (event: SwarmEvent): void {
    const finishing = event.event === 'finished' ? this.#finishing.get(event.name) : undefined
    if (finishing === undefined) this.#options.onEvent?.(event)
    else finishing.then(() => { this.#options.onEvent?.(event) }, () => {})
  }

  #enqueue (to: PeerAddress, work: () => Promise<void>): void {
    const key = peerKey(to)
    let outbox = this.#outboxes.get(key)
    if (outbox === undefined) {
      outbox = new Outbox({
        clock: this.#clock, signal: this.#control.signal,
        pause: () => this.#state.peer(to)?.speaks !== 'hardened',
        failed: () => {
          this.#announcements.take(to)
          this.#perform(this.#state.lost(to, this.#clock.now()))
        }
      })
      // An interface that asked once is not remembered.
      if (this.#state.peer(to) !== undefined) this.#outboxes.set(key, outbox)
    }
    outbox.push(work)
  }

  async #announce (to: PeerAddress): Promise<void> {
    const frames = this.#announcements.take(to).map(chunk => ({ action: 'Have', chunk }) as const)
    const last = frames.pop()
    if (last !== undefined) await this.#link(to).ask(last, frames)
  }

  async #send (to: PeerAddress, message: Message): Promise<void> {
    if (this.#state.peer(to)?.speaks !== 'hardened') return await sendBytes(this.#options.dial, to, encodeMessage(this.#profile, message), this.#exchange)
    if (message.action === 'Download') {
      const { chunk } = message
      // Answers come on the same connection, and others may be asked of the same peer meanwhile.
      void this.#link(to).ask({ action: 'Download', chunk }).then(answer => {
        const now = this.#clock.now()
        if (answer.action === 'Upload') this.#perform(this.#state.receive({ action: 'Upload', from: to, chunk, data: answer.data }, now))
        else this.#perform(this.#state.failed(to, chunk.name, chunk.index, now))
      }).catch(() => { this.#perform(this.#state.failed(to, chunk.name, chunk.index, this.#clock.now())) })
      return
    }
    const parts = message.action === 'Add' || message.action === 'Files' ? splitList(message.files).map(files => ({ ...message, files })) : [message]
    for (const part of parts) await this.#link(to).ask(part as HardenedFrame)
  }

  #link (to: PeerAddress): Link {
    const key = peerKey(to)
    let link = this.#links.get(key)
    if (link === undefined) this.#links.set(key, link = new Link({ dial: this.#options.dial, self: this.#options.self, to, exchange: this.#exchange }))
    return link
  }

  async #upload (to: PeerAddress, chunk: ChunkRef): Promise<void> {
    const data = await this.#read(to, chunk)
    if (data !== undefined) await this.#send(to, { action: 'Upload', from: this.#options.self, chunk, data }).then(() => { this.#given(to, chunk, data) })
  }

  /** Undefined where the store cannot give it: the peer asks somebody else, and what else is said on the connection goes on. */
  async #read (peer: PeerAddress, { name, index }: ChunkRef): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.store.read(name, index)
    } catch (error) {
      this.#tell({ event: 'unread', name, index, peer, reason: error as Error })
      return undefined
    }
  }

  #given (to: PeerAddress, { name, index }: ChunkRef, data: Uint8Array): void {
    this.#options.onEvent?.({ event: 'given', name, index, to, bytes: data.length, size: this.#state.file(name)?.size })
  }

  async #write (from: PeerAddress, chunk: ChunkRef, data: Uint8Array): Promise<void> {
    const { name, index, sha256 } = chunk
    try {
      const found = this.#options.hasher === undefined ? undefined : await this.#hash(data)
      if (sha256 !== undefined && found !== undefined && found !== sha256) return this.#perform(this.#state.rejected(from, name, index, this.#clock.now()))
      await this.#descriptions.write(name, this.#state.file(name))
      await this.#options.store.write(name, index, data)
      this.#perform(this.#state.written(from, name, index, data.length, this.#clock.now(), found))
    } catch (error) {
      this.#give(name, error as Error)
    }
  }

  async #compare (from: PeerAddress, { name, index }: ChunkRef, data: Uint8Array): Promise<void> {
    const own = await this.#options.store.read(name, index)
    if (own !== undefined) this.#perform(this.#state.compared(from, name, index, isCopy(data, own)))
  }

  /** What the store cannot take is done without: a name that it refuses, or a disk that is full, is no reason to end. */
  #give (name: string, reason: Error): void {
    this.#descriptions.forget(name)
    if (this.#control.signal.aborted || this.#state.file(name)?.refused !== false) return
    this.#perform(this.#state.refuse(name, reason, this.#clock.now()))
    this.#options.store.discard(name).catch(() => {})
  }

  async #hash (bytes: Uint8Array): Promise<string> {
    return hex(await this.#options.hasher?.('sha256', bytes) ?? new Uint8Array(0))
  }

  #arm (): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const at = this.#state.deadline()
    if (at === Infinity || this.#control.signal.aborted) return
    this.#cancelTimer = this.#clock.after(Math.max(0, at - this.#clock.now()), () => { this.#perform(this.#state.expire(this.#clock.now())) })
  }
}
