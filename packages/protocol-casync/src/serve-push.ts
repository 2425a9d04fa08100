/**
 * What a server takes from a client: an index and the chunks that are not here yet, or an archive.
 *
 * @module
 */
import { ByteQueue } from '@ropewalk/framing'
import type { Channel, ChunkCompression, ChunkDigest, ChunkId, ChunkStore, Hasher } from '@ropewalk/interface'
import { Bell } from './answering.ts'
import { INDEX_SLICE_BYTES, LOOKUPS_AHEAD, MAX_CHUNK_BYTES, MAX_OUTSTANDING, MAX_UNPACKING_BYTES, MAX_WIRE_INDEX_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { Verifier } from './identify.ts'
import { IndexDecoder, type IndexItem } from './index-codec.ts'
import { lookahead, type Turn } from './lookahead.ts'
import type { Fact } from './pull-state.ts'
import { PushServerState } from './push-state.ts'
import { ourTrouble } from './serve-pull.ts'
import { unpack, Unpacking } from './unpack.ts'
import { Wire, type SessionOptions } from './wire.ts'

/** A file that appears when it is complete, or not at all. */
export interface IncomingFile {
  write (bytes: Uint8Array): Promise<void>
  /** It is complete and shall survive loss of power under its name. */
  commit (): Promise<void>
  /** It will never be complete. */
  discard (): Promise<void>
}

export interface ServePushOptions extends SessionOptions {
  readonly index?: IncomingFile | undefined
  readonly archive?: IncomingFile | undefined
  /** Where chunks go. */
  readonly store?: ChunkStore | undefined
  readonly hash: Hasher
  readonly compression: ChunkCompression
  /** What ids are made of. Default: either, SHA-512/256 tried first. */
  readonly digest?: ChunkDigest | undefined
  /** Longest chunk that is taken. Default 128 MiB. */
  readonly maxChunkBytes?: number | undefined
  /** Longest index that is taken. Default 64 MiB. */
  readonly maxIndexBytes?: number | undefined
}

/** What a server took. */
export interface PushServed {
  /** Chunks that were not here before. */
  readonly chunks: number
  /** Bytes of chunks, as they came. */
  readonly bytes: number
  /** Bytes of the index, and of the archive. */
  readonly fileBytes: number
}

/**
 * Takes what one client gives. The index appears when every chunk that it names is here, verified and durable; then the client is told.
 * Whatever ends the session before discards it; the chunks stay.
 */
export async function servePush (channel: Channel, options: ServePushOptions): Promise<PushServed> {
  return await new PushServer(channel, options).serve()
}

class PushServer {
  readonly #options: ServePushOptions
  readonly #state: PushServerState
  readonly #wire: Wire
  readonly #unpacking = new Unpacking(MAX_UNPACKING_BYTES)
  readonly #arrived = new Bell()
  readonly #brought = new Bell()
  readonly #puts = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  /** Lengths by id, of chunks that were asked for. */
  readonly #lengths = new Map<ChunkId, number>()
  readonly #verifier: Verifier
  readonly #maxIndexBytes: number
  /** Of the index: what was not looked at yet. */
  readonly #named: ByteQueue
  #ended = false
  #served = { chunks: 0, bytes: 0, fileBytes: 0 }
  #finishing: Promise<void> | undefined
  #committed = false
  /** Nothing more will come: what is here may be enough. */
  #peerEnded = false

  constructor (channel: Channel, options: ServePushOptions) {
    const { index, archive, store, maxIndexBytes = MAX_WIRE_INDEX_BYTES } = options
    this.#options = options
    this.#maxIndexBytes = maxIndexBytes
    this.#named = new ByteQueue({ maxBytes: maxIndexBytes, maxChunks: Math.ceil(maxIndexBytes / 256) + 1 })
    this.#verifier = new Verifier(options.hash, options.digest)
    this.#state = new PushServerState({ index: index !== undefined, archive: archive !== undefined, chunks: store !== undefined }, { maxIndexBytes })
    this.#wire = new Wire(channel, this.#state.hello, options)
  }

  async serve (): Promise<PushServed> {
    try {
      await this.#wire.listen({
        message: message => this.#committed ? undefined : this.#receive(this.#state.receive(message)),
        end: () => {
          if (!this.#committed) this.#state.end()
          this.#peerEnded = true
        },
        waiting: () => !this.#committed
      })
      await this.#finishing
      return this.#served
    } finally {
      this.#stop.abort(new CasyncError('ERR_INTERRUPTED', 'channel', 'the session is over', { remote: false }))
      this.#ended = true
      this.#brought.ring()
      this.#arrived.ring()
      await Promise.allSettled([...this.#puts, this.#finishing])
      if (!this.#committed) await Promise.allSettled([this.#options.index?.discard(), this.#options.archive?.discard()])
    }
  }

  #receive (fact: Fact): void | Promise<void> {
    switch (fact.type) {
      case 'greeted':
        this.#finishing = this.#finish()
        this.#finishing.catch((error: unknown) => { this.#wire.fail(ourTrouble(error)) })
        return
      case 'file':
        if (fact.kind === 'index' && this.#options.store !== undefined) this.#named.push(fact.data)
        this.#brought.ring()
        this.#served.fileBytes += fact.data.length
        return this.#write(fact.kind, fact.data)
      case 'file-end':
        this.#ended ||= fact.kind === 'index'
        this.#brought.ring()
        this.#arrived.ring()
        return
      case 'chunk': {
        const put = this.#unpacking.run(fact.data.length, () => this.#keep(fact))
        this.#puts.add(put)
        put.catch((error: unknown) => { this.#wire.fail(ourTrouble(error)) }).finally(() => {
          this.#puts.delete(put)
          this.#arrived.ring()
        })
        return this.#unpacking.room()
      }
    }
  }

  async #keep (packed: { id: ChunkId, compressed: boolean, data: Uint8Array }): Promise<void> {
    const { maxChunkBytes = MAX_CHUNK_BYTES, compression, store } = this.#options
    const length = this.#lengths.get(packed.id)
    const chunk = await unpack(packed, compression, this.#verifier, maxChunkBytes, length)
    await store?.put(chunk, { verified: true, signal: this.#stop.signal })
    this.#lengths.delete(packed.id)
    this.#served.chunks++
    this.#served.bytes += packed.data.length
  }

  /** Asks for what is not here, waits for it, and makes everything durable. */
  async #finish (): Promise<void> {
    const { store, index, archive } = this.#options
    if (store !== undefined && this.#state.expects('chunks')) await this.#ask(store)
    // A length is forgotten when its chunk was verified and put: nothing else makes an index appear.
    while (this.#lengths.size > 0 || !this.#state.complete) {
      this.#assertGoing()
      await this.#arrived.heard()
    }
    this.#assertGoing()
    await store?.sync?.({ signal: this.#stop.signal })
    for (const [kind, file] of [['index', index], ['archive', archive]] as const) {
      if (this.#state.expects(kind)) await file?.commit()
      else await file?.discard()
    }
    this.#committed = true
    await this.#wire.send({ type: 'GOODBYE' })
    await this.#wire.finish()
    this.#wire.linger()
  }

  /** Each chunk once: casync answers once, and does not survive a second answer itself. */
  async #ask (store: ChunkStore): Promise<void> {
    const decoder = new IndexDecoder({ maxBytes: this.#maxIndexBytes })
    for (;;) {
      if (this.#named.byteLength === 0) {
        if (this.#ended) return
        await this.#brought.heard()
        continue
      }
      // As it lies: a long index would be ten times as long as items.
      for (const slice of this.#named.takeList(INDEX_SLICE_BYTES)) await this.#askFor([...decoder.push(slice)], store)
    }
  }

  async #askFor (items: readonly IndexItem[], store: ChunkStore): Promise<void> {
    const look = async ({ id, start, end }: IndexItem, { signal }: Turn): Promise<readonly [ChunkId, number] | undefined> => await store.has(id, { signal }) ? undefined : [id, end - start]
    const ids: ChunkId[] = []
    for await (const lacking of lookahead(items, look, { maxItems: LOOKUPS_AHEAD, signal: this.#stop.signal })) {
      if (lacking === undefined) continue
      const [id, length] = lacking
      // It may have come while others were looked for, so the store is asked again, after what is on its way.
      if (this.#lengths.has(id) || await store.has(id)) continue
      this.#lengths.set(id, length)
      ids.push(id)
    }
    while (ids.length > 0) {
      while (this.#state.outstanding >= MAX_OUTSTANDING && !this.#stop.signal.aborted) await this.#arrived.heard()
      this.#assertGoing()
      if (this.#peerEnded) throw new CasyncError('ERR_INTERRUPTED', 'channel', `the peer ended before ${ids.length} chunks were here`)
      await this.#wire.send(this.#state.request(ids.splice(0, MAX_OUTSTANDING - this.#state.outstanding)))
    }
  }

  #assertGoing (): void {
    this.#stop.signal.throwIfAborted()
    if (this.#wire.failure !== undefined) throw this.#wire.failure.error
  }

  async #write (kind: 'index' | 'archive', data: Uint8Array): Promise<void> {
    try {
      await this.#options[kind]?.write(data)
    } catch (error) {
      throw ourTrouble(error)
    }
  }
}
