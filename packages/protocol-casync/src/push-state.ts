/**
 * Both sides of a push. Pure: messages in, facts out.
 *
 * @module
 */
import { fromHex } from '@ropewalk/framing'
import type { ChunkId } from '@ropewalk/interface'
import { PushAnswers } from './answer-state.ts'
import { CHUNK_ID_BYTES, HELLO_FLAGS, MAX_SESSION_CHUNKS, MAX_WIRE_INDEX_BYTES } from './constants.ts'
import { CasyncError } from './errors.ts'
import { Conversation } from './hello-state.ts'
import { IndexDecoder } from './index-codec.ts'
import { requestedIds, type Message } from './message-codec.ts'
import { fileFact, notHere, type Fact, type Kinds } from './pull-state.ts'

/** Who gives. */
export class PushClientState {
  readonly #conversation: Conversation
  readonly #answers: PushAnswers
  readonly #owed = new Set<'index' | 'archive'>()
  #answering = 0
  #done = false

  constructor ({ index = false, chunks = false, archive = false }: Kinds, maxChunks: number = MAX_SESSION_CHUNKS) {
    const { PUSH_INDEX, PUSH_CHUNKS, PUSH_INDEX_CHUNKS, PUSH_ARCHIVE } = HELLO_FLAGS
    this.#conversation = new Conversation((index ? PUSH_INDEX : 0) | (chunks ? PUSH_CHUNKS : 0) | (index && chunks ? PUSH_INDEX_CHUNKS : 0) | (archive ? PUSH_ARCHIVE : 0))
    this.#answers = new PushAnswers(maxChunks)
    if (index) this.#owed.add('index')
    if (archive) this.#owed.add('archive')
  }

  get hello (): Message {
    return this.#conversation.hello
  }

  /** Requests that wait for an answer. */
  get queued (): number {
    return this.#answers.size
  }

  /** Whether the peer has said that it has everything. */
  get done (): boolean {
    return this.#done
  }

  /** The file was sent, its end included. */
  sent (kind: 'index' | 'archive'): void {
    this.#owed.delete(kind)
  }

  receive (message: Message): Fact {
    this.#conversation.receive(message)
    switch (message.type) {
      case 'HELLO': return { type: 'greeted' }
      case 'REQUEST':
        for (const id of requestedIds(message.ids)) this.#answers.request(id, message.high)
        return { type: 'requested' }
      case 'GOODBYE':
        if (this.#owed.size > 0 || this.#answers.size > 0 || this.#answering > 0) {
          throw new CasyncError('ERR_INTERRUPTED', 'channel', `the peer said goodbye before it had everything: ${[...this.#owed].join()} ${this.#answers.size + this.#answering} chunks`)
        }
        this.#done = true
        return { type: 'goodbye' }
      default: throw notHere(message)
    }
  }

  /** The id to answer now; say `answered` when that was sent. */
  next (): ChunkId | undefined {
    const id = this.#answers.next()
    if (id !== undefined) this.#answering++
    return id
  }

  answered (): void {
    this.#answering--
  }

  /** The stream of the peer has ended; `ERR_INTERRUPTED` if it has not said goodbye. */
  end (): void {
    this.#conversation.end()
    if (!this.#done) throw new CasyncError('ERR_INTERRUPTED', 'channel', 'the peer ended without a goodbye: nobody knows what it has')
  }
}

/** Who takes. */
export class PushServerState {
  readonly #conversation: Conversation
  readonly #index: IndexDecoder
  readonly #outstanding = new Set<ChunkId>()
  readonly #open = new Set<'index' | 'archive'>()

  constructor ({ index = false, chunks = false, archive = false }: Kinds, { maxIndexBytes = MAX_WIRE_INDEX_BYTES }: { maxIndexBytes?: number | undefined } = {}) {
    const { WRITABLE_INDEX, WRITABLE_STORE, WRITABLE_ARCHIVE } = HELLO_FLAGS
    this.#conversation = new Conversation((index ? WRITABLE_INDEX : 0) | (chunks ? WRITABLE_STORE : 0) | (archive ? WRITABLE_ARCHIVE : 0))
    this.#index = new IndexDecoder({ maxBytes: maxIndexBytes })
  }

  get hello (): Message {
    return this.#conversation.hello
  }

  /** What the peer will send, once it has said hello. */
  expects (kind: 'index' | 'archive' | 'chunks'): boolean {
    return this.#conversation.agreed(kind === 'index' ? 'PUSH_INDEX' : kind === 'archive' ? 'PUSH_ARCHIVE' : 'PUSH_INDEX_CHUNKS')
  }

  /** Chunks asked for that have not come. */
  get outstanding (): number {
    return this.#outstanding.size
  }

  /** Whether everything came that was promised and asked for. */
  get complete (): boolean {
    return this.#conversation.greeted && this.#open.size === 0 && this.#outstanding.size === 0
  }

  /** Asks for a chunk that is not outstanding. */
  request (ids: readonly ChunkId[]): Message {
    const bytes = new Uint8Array(ids.length * CHUNK_ID_BYTES)
    ids.forEach((id, i) => {
      if (this.#outstanding.has(id)) throw new RangeError(`chunk ${id} is outstanding`)
      this.#outstanding.add(id)
      bytes.set(fromHex(id, CHUNK_ID_BYTES), i * CHUNK_ID_BYTES)
    })
    return { type: 'REQUEST', high: false, ids: bytes }
  }

  isOutstanding (id: ChunkId): boolean {
    return this.#outstanding.has(id)
  }

  receive (message: Message): Fact {
    this.#conversation.receive(message)
    switch (message.type) {
      case 'HELLO':
        for (const kind of ['index', 'archive'] as const) if (this.expects(kind)) this.#open.add(kind)
        return { type: 'greeted' }
      case 'CHUNK': {
        const { id, compressed, data } = message
        if (!this.#outstanding.delete(id)) throw new CasyncError('ERR_UNREQUESTED', 'channel', `CHUNK ${id}, which is not asked for`, { id })
        return { type: 'chunk', id, compressed, data }
      }
      case 'MISSING':
        if (!this.#outstanding.delete(message.id)) throw new CasyncError('ERR_UNREQUESTED', 'channel', `MISSING ${message.id}, which is not asked for`, { id: message.id })
        throw new CasyncError('ERR_CHUNK_MISSING', 'channel', `the peer names chunk ${message.id} and does not have it`, { id: message.id })
      case 'GOODBYE':
        throw new CasyncError('ERR_INTERRUPTED', 'channel', `the peer said goodbye before everything was here: ${this.#owed()}`)
      default: {
        const fact = fileFact(message)
        if (fact.kind === 'archive') {
          if (fact.type === 'file-end') this.#open.delete('archive')
          return fact
        }
        // Checked as it comes: what is wrong with it is found before it is complete.
        if (fact.type === 'file') for (const _ of this.#index.push(fact.data)) continue
        else {
          this.#index.end()
          this.#open.delete('index')
        }
        return fact
      }
    }
  }

  /** The stream of the peer has ended; `ERR_INTERRUPTED` unless everything is here. */
  end (): void {
    this.#conversation.end()
    if (!this.complete) throw new CasyncError('ERR_INTERRUPTED', 'channel', `the peer ended before everything was here: ${this.#owed()}`)
  }

  #owed (): string {
    return [...this.#open, `${this.#outstanding.size} chunks`].join(' and ')
  }
}
