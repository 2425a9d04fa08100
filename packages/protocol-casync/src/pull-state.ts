/**
 * Both sides of a pull. Pure: messages in, facts out.
 *
 * @module
 */
import { fromHex } from '@ropewalk/framing'
import type { ChunkId } from '@ropewalk/interface'
import { PullAnswers, type AnswerLimits } from './answer-state.ts'
import { CHUNK_ID_BYTES, HELLO_FLAGS, MAX_SESSION_CHUNKS } from './constants.ts'
import { CasyncError } from './errors.ts'
import { Conversation } from './hello-state.ts'
import { requestedIds, type Message } from './message-codec.ts'

/** What a side wants, or has. */
export interface Kinds {
  readonly index?: boolean | undefined
  readonly chunks?: boolean | undefined
  readonly archive?: boolean | undefined
}

/** What a message means. */
export type Fact =
  /** The peer's hello came, and fits ours. */
  | { readonly type: 'greeted' }
  | { readonly type: 'file', readonly kind: 'index' | 'archive', readonly data: Uint8Array }
  | { readonly type: 'file-end', readonly kind: 'index' | 'archive' }
  | { readonly type: 'chunk', readonly id: ChunkId, readonly compressed: boolean, readonly data: Uint8Array }
  | { readonly type: 'missing', readonly id: ChunkId }
  /** There are requests to be answered. */
  | { readonly type: 'requested' }
  /** The peer has said goodbye, when it may. */
  | { readonly type: 'goodbye' }

/** Who asks. */
export class PullClientState {
  readonly #conversation: Conversation
  readonly #maxChunks: number
  readonly #outstanding = new Set<ChunkId>()
  readonly #asked = new Set<ChunkId>()
  readonly #awaited = new Set<'index' | 'archive'>()

  constructor ({ index = false, chunks = false, archive = false }: Kinds, maxChunks: number = MAX_SESSION_CHUNKS) {
    const { PULL_INDEX, PULL_CHUNKS, PULL_ARCHIVE } = HELLO_FLAGS
    this.#conversation = new Conversation((index ? PULL_INDEX : 0) | (chunks ? PULL_CHUNKS : 0) | (archive ? PULL_ARCHIVE : 0))
    this.#maxChunks = maxChunks
    if (index) this.#awaited.add('index')
    if (archive) this.#awaited.add('archive')
  }

  get hello (): Message {
    return this.#conversation.hello
  }

  /** Whether the peer has something to send. */
  get waiting (): boolean {
    return this.#outstanding.size > 0 || this.#awaited.size > 0
  }

  /**
   * Asks for a chunk, in a frame of its own: servers of desync look at the first id of each only. Each is asked for once, since casync
   * answers once: `ERR_ASKED_BEFORE`.
   */
  request (id: ChunkId, high: boolean): Message {
    this.assertFresh(id)
    if (this.#asked.size >= this.#maxChunks) throw new CasyncError('ERR_TOO_MANY_REQUESTS', 'transfer', `${this.#asked.size + 1} > ${this.#maxChunks} chunks in one session`, { remote: false })
    this.#asked.add(id)
    this.#outstanding.add(id)
    return { type: 'REQUEST', high, ids: fromHex(id, CHUNK_ID_BYTES) }
  }

  /** Throws what a request for the chunk would throw if it was asked for before. */
  assertFresh (id: ChunkId): void {
    if (this.#asked.has(id)) throw new CasyncError('ERR_ASKED_BEFORE', 'transfer', `chunk ${id} was asked for before in this session`, { id, remote: false })
  }

  receive (message: Message): Fact {
    this.#conversation.receive(message)
    switch (message.type) {
      case 'HELLO': return { type: 'greeted' }
      case 'CHUNK':
      case 'MISSING': {
        const { id } = message
        if (!this.#outstanding.delete(id)) throw new CasyncError('ERR_UNREQUESTED', 'channel', `${message.type} for ${id}, which is not asked for`, { id })
        return message.type === 'MISSING' ? { type: 'missing', id } : { type: 'chunk', id, compressed: message.compressed, data: message.data }
      }
      case 'GOODBYE':
        // casync takes that for success, and has half a file.
        if (this.waiting) throw this.#interrupted('said goodbye')
        return { type: 'goodbye' }
      default: {
        const fact = fileFact(message)
        if (fact.type === 'file-end') this.#awaited.delete(fact.kind)
        return fact
      }
    }
  }

  /** The stream of the peer has ended; `ERR_INTERRUPTED` if it owes something. */
  end (): void {
    this.#conversation.end()
    if (!this.#conversation.greeted || this.waiting) throw this.#interrupted('ended')
  }

  #interrupted (how: string): CasyncError {
    const owed = [...this.#awaited].map(kind => `the end of the ${kind}`)
    if (this.#outstanding.size > 0) owed.push(`${this.#outstanding.size} chunks`)
    if (!this.#conversation.greeted) owed.unshift('its hello')
    return new CasyncError('ERR_INTERRUPTED', 'channel', `the peer ${how}; it owes ${owed.join(' and ')}`)
  }
}

/** Who answers. */
export class PullServerState {
  readonly #conversation: Conversation
  readonly #answers: PullAnswers

  constructor ({ index = false, chunks = false, archive = false }: Kinds, limits?: AnswerLimits) {
    const { READABLE_INDEX, READABLE_STORE, READABLE_ARCHIVE } = HELLO_FLAGS
    this.#conversation = new Conversation((index ? READABLE_INDEX : 0) | (chunks ? READABLE_STORE : 0) | (archive ? READABLE_ARCHIVE : 0))
    this.#answers = new PullAnswers(limits)
  }

  get hello (): Message {
    return this.#conversation.hello
  }

  /** Requests that wait for an answer: read nothing more while they are too many. */
  get queued (): number {
    return this.#answers.size
  }

  /** Whether the peer wishes the index, or the archive. */
  wants (kind: 'index' | 'archive'): boolean {
    return this.#conversation.agreed(kind === 'index' ? 'PULL_INDEX' : 'PULL_ARCHIVE')
  }

  receive (message: Message): Fact {
    this.#conversation.receive(message)
    switch (message.type) {
      case 'HELLO': return { type: 'greeted' }
      case 'REQUEST':
        for (const id of requestedIds(message.ids)) this.#answers.request(id, message.high)
        return { type: 'requested' }
      case 'GOODBYE': return { type: 'goodbye' }
      default: throw notHere(message)
    }
  }

  /** The id to answer now, high ones first. */
  next (): ChunkId | undefined {
    return this.#answers.next()
  }

  /** A client may simply go. */
  end (): void {
    this.#conversation.end()
  }
}

/** What a message that carries a file means. */
export function fileFact (message: Message): Fact & { type: 'file' | 'file-end' } {
  switch (message.type) {
    case 'INDEX': return { type: 'file', kind: 'index', data: message.data }
    case 'ARCHIVE': return { type: 'file', kind: 'archive', data: message.data }
    case 'INDEX_EOF': return { type: 'file-end', kind: 'index' }
    case 'ARCHIVE_EOF': return { type: 'file-end', kind: 'archive' }
    default: throw notHere(message)
  }
}

/** Of a message that the flags would allow, if a peer had wished what is not its to wish. */
export function notHere ({ type }: Message): CasyncError {
  return new CasyncError('ERR_UNEXPECTED_MESSAGE', 'channel', `${type} on this side of the session`)
}
