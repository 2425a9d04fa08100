/**
 * What a client asks a server for: an index, chunks, an archive.
 *
 * @module
 */
import type { Channel, Chunk, ChunkCompression, ChunkDigest, ChunkGetOptions, ChunkId, ChunkSource, Hasher } from '@ropewalk/interface'
import { abortable } from './abortable.ts'
import { MAX_CHUNK_BYTES, MAX_PULL_OUTSTANDING, MAX_UNPACKING_BYTES, MAX_WIRE_INDEX_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { FileInbox } from './file-inbox.ts'
import { Verifier } from './identify.ts'
import type { Message } from './message-codec.ts'
import { PullClientState, type Fact, type Kinds } from './pull-state.ts'
import { unpack, Unpacking, type Packed } from './unpack.ts'
import { Wire, type SessionOptions } from './wire.ts'

export interface PullOptions extends SessionOptions, Kinds {
  readonly hash: Hasher
  readonly compression: ChunkCompression
  /** What ids are made of. Default: either, SHA-512/256 tried first. */
  readonly digest?: ChunkDigest | undefined
  /** Longest chunk that is taken. Default 128 MiB; give the maximum of the index. */
  readonly maxChunkBytes?: number | undefined
  /** Most bytes of an index that nobody has read yet. Default 64 MiB. */
  readonly maxIndexBytes?: number | undefined
  /** Chunks that are asked for at a time; whoever wants more waits. Default 256. */
  readonly maxOutstanding?: number | undefined
}

/** A session with a server. A source of chunks that gives each once, since casync does: keep what will be needed again, or put a cache before it. */
export interface PullSession extends ChunkSource, AsyncDisposable {
  /** The bytes of the index, while they come. Empty when it was not asked for. */
  readonly index: AsyncIterable<Uint8Array>
  /** The bytes of the archive, while they come. Nothing else comes until they are read. */
  readonly archive: AsyncIterable<Uint8Array>
  /**
   * The chunk as it came, for whoever decompresses and verifies elsewhere. `use` is lent it, and copies what it needs before it returns. It resolves
   * to nothing once it has used the chunk, or else to its copy of the data, of which the chunk is then made here, `length` bytes long, or an error
   * that says what is wrong. `undefined` when the other end does not have it.
   */
  take (id: ChunkId, length: number, use: Use, options?: Pick<ChunkGetOptions, 'signal' | 'urgent'>): Promise<Chunk | 'used' | undefined>
  /** Says goodbye, when nothing is owed any more; else breaks the session off. Idempotent. */
  close (): Promise<void>
}

export type Use = (packed: Packed) => Promise<Uint8Array | undefined>

/** Begins a session; index and chunks are asked for unless said otherwise. Resolves once both sides have said hello. */
export async function pull (channel: Channel, options: PullOptions): Promise<PullSession> {
  const { archive = false, index = !archive, chunks = !archive } = options
  const session = new Session(channel, { index, chunks, archive }, options)
  await session.greeted
  return session
}

/** Bytes of an archive that wait to be read. Ours. */
const ARCHIVE_AHEAD_BYTES = 1024 * 1024

interface Waiter {
  /** What came is lent. */
  arrived (packed: Packed | undefined): void
  reject (error: unknown): void
}

class Session implements PullSession {
  readonly index: FileInbox
  readonly archive: FileInbox = new FileInbox(ARCHIVE_AHEAD_BYTES)
  readonly greeted: Promise<void>
  readonly #wire: Wire
  readonly #state: PullClientState
  readonly #options: PullOptions
  readonly #verifier: Verifier
  readonly #maxOutstanding: number
  readonly #waiters = new Map<ChunkId, Waiter>()
  /** Chunks that somebody waits for: whoever wants the same waits with him. */
  readonly #getting = new Map<ChunkId, Promise<Chunk | undefined>>()
  readonly #missing = new Set<ChunkId>()
  readonly #unpacking = new Unpacking(MAX_UNPACKING_BYTES)
  #queue: Array<() => void> = []
  readonly #listening: Promise<void>
  #closing: Promise<void> | undefined
  #over: { error: unknown } | undefined
  #greet: (() => void) | undefined

  constructor (channel: Channel, kinds: Kinds, options: PullOptions) {
    const { maxIndexBytes = MAX_WIRE_INDEX_BYTES, maxOutstanding = MAX_PULL_OUTSTANDING } = options
    this.#options = options
    this.#verifier = new Verifier(options.hash, options.digest)
    this.#maxOutstanding = maxOutstanding
    this.#state = new PullClientState(kinds)
    this.index = new FileInbox(maxIndexBytes, bytes => new CasyncError('ERR_INDEX_TOO_LARGE', 'channel', `index too large: ${bytes} > ${maxIndexBytes} bytes`))
    if (kinds.index !== true) this.index.end()
    if (kinds.archive !== true) this.archive.end()
    this.#wire = new Wire(channel, this.#state.hello, options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.greeted = promise
    this.#greet = resolve
    this.#listening = this.#wire.listen({
      message: message => this.#receive(message),
      end: () => { this.#state.end() },
      waiting: () => this.#state.waiting,
      borrows: true
    }).then(() => new CasyncError('ERR_INTERRUPTED', 'channel', 'the session is over'), (error: unknown) => error).then(error => {
      this.#die(error)
      reject(error)
    })
  }

  async get (id: ChunkId, options: ChunkGetOptions = {}): Promise<Chunk | undefined> {
    options.signal?.throwIfAborted()
    if (this.#missing.has(id)) return undefined
    let getting = this.#getting.get(id)
    if (getting === undefined) {
      getting = this.#get(id, options).finally(() => { this.#getting.delete(id) })
      this.#getting.set(id, getting)
    }
    return await abortable(getting, options.signal)
  }

  async take (id: ChunkId, length: number, use: Use, options: Pick<ChunkGetOptions, 'signal' | 'urgent'> = {}): Promise<Chunk | 'used' | undefined> {
    options.signal?.throwIfAborted()
    if (this.#missing.has(id)) return undefined
    return await abortable(this.#take(id, length, use, options.urgent), options.signal)
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  async #get (id: ChunkId, { length, urgent }: ChunkGetOptions): Promise<Chunk | undefined> {
    return await this.#ask(id, urgent, async ({ compressed, data }) => await this.#unpack({ id, compressed, data: new Uint8Array(data) }, length))
  }

  async #take (id: ChunkId, length: number, use: Use, urgent: boolean | undefined): Promise<Chunk | 'used' | undefined> {
    return await this.#ask(id, urgent, async packed => {
      const { compressed } = packed
      const data = await use(packed)
      return data === undefined ? 'used' : await this.#unpack({ id, compressed, data }, length)
    })
  }

  async #unpack (packed: Packed, length: number | undefined): Promise<Chunk> {
    const { maxChunkBytes = MAX_CHUNK_BYTES, compression } = this.#options
    return await unpack(packed, compression, this.#verifier, maxChunkBytes, length)
  }

  /** `use` is called as soon as it comes, and may not keep what it is lent. */
  async #ask<T> (id: ChunkId, urgent: boolean = false, use: (packed: Packed) => Promise<T>): Promise<T | undefined> {
    this.#state.assertFresh(id)
    while (this.#waiters.size >= this.#maxOutstanding && this.#over === undefined) await new Promise<void>(resolve => { this.#queue.push(resolve) })
    if (this.#over !== undefined) throw this.#over.error
    const request = this.#state.request(id, urgent)
    const used = new Promise<T | undefined>((resolve, reject) => {
      const arrived = (packed: Packed | undefined): void => { resolve(packed === undefined ? undefined : this.#unpacking.run(packed.data.length, () => use(packed))) }
      this.#waiters.set(id, { arrived, reject })
    })
    // If that fails, so does the session, and then whoever waits.
    this.#wire.send(request).catch(() => {})
    this.#wire.touch()
    return await used
  }

  #receive (message: Message): void | Promise<void> {
    const fact: Fact = this.#state.receive(message)
    switch (fact.type) {
      case 'greeted':
        this.#greet?.()
        return
      case 'file': return this[fact.kind].push(new Uint8Array(fact.data))
      case 'file-end':
        this[fact.kind].end()
        return
      case 'chunk':
        this.#settle(fact.id, fact)
        return this.#unpacking.room()
      case 'missing':
        this.#missing.add(fact.id)
        this.#settle(fact.id, undefined)
    }
  }

  #settle (id: ChunkId, packed: Packed | undefined): void {
    const waiter = this.#waiters.get(id)
    this.#waiters.delete(id)
    waiter?.arrived(packed)
    this.#queue.shift()?.()
  }

  #die (error: unknown): void {
    this.#over = { error }
    for (const waiter of this.#waiters.values()) waiter.reject(error)
    this.#waiters.clear()
    for (const wake of this.#queue) wake()
    this.#queue = []
    this.index.fail(error)
    this.archive.fail(error)
  }

  async #close (): Promise<void> {
    if (this.#over === undefined && this.#state.waiting) {
      this.#wire.fail(new CasyncError('ERR_INTERRUPTED', 'channel', 'closed before everything had come', { remote: false }))
    } else if (this.#wire.failure === undefined) {
      await this.#wire.send({ type: 'GOODBYE' }).catch(() => {})
      await this.#wire.finish().catch(() => {})
      this.#wire.linger()
    }
    await this.#listening
  }
}
