/**
 * One direction of a recorded session, message by message, with the index that travels in it. Pure.
 *
 * @module
 */
import { describeMessage, type MessageFields } from './describe-codec.ts'
import { IndexDecoder } from './index-codec.ts'
import { MessageDecoder, type Message } from './message-codec.ts'

/** A message at its place. */
export type InspectedMessage = MessageFields & {
  /** Of its first byte in the stream. */
  readonly offset: number
}

/** Cuts and describes. Keeps one frame at most. */
export class CasyncInspector {
  readonly #decoder = new MessageDecoder()
  #index: IndexDecoder | undefined

  /** Where the message begins that is being read. */
  get offset (): number {
    return this.#decoder.offset
  }

  /** Yields the fields of each message that `bytes` complete, and the message itself. Throws a coded error at the first byte that breaks the rules. */
  * push (bytes: Uint8Array): Generator<{ readonly fields: InspectedMessage, readonly message: Message }, void, undefined> {
    let { offset } = this.#decoder
    for (const message of this.#decoder.push(bytes)) {
      const end = this.#decoder.offset
      yield { fields: { offset, ...describeMessage(message), size: end - offset, ...this.#follow(message) }, message }
      offset = end
    }
  }

  /** Call when the stream ends: it may only end between messages. */
  end (): void {
    this.#decoder.end()
  }

  /** What the index has come to. One that is wrong is said to be, and the stream goes on. */
  #follow (message: Message): Record<string, string | number> {
    if (message.type !== 'INDEX' && message.type !== 'INDEX_EOF') return {}
    this.#index ??= new IndexDecoder()
    try {
      if (message.type === 'INDEX') for (const _ of this.#index.push(message.data)) continue
      else this.#index.end()
    } catch (error) {
      return { index_error: (error as Error).message }
    }
    return { index_chunks: this.#index.items, index_size: this.#index.size }
  }
}
