import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { Clock } from './clock.ts'

/** A connection that remembers when something was last read from it: whether the peer shows any life at all. */
export class Watch implements Connection {
  readonly remote: RemoteInfo
  readonly attach?: (receiver: ByteReceiver) => ByteFlow
  readAt: number
  readonly #connection: Connection
  readonly #clock: Clock

  constructor (connection: Connection, clock: Clock) {
    this.remote = connection.remote
    this.#connection = connection
    this.#clock = clock
    this.readAt = clock.now()
    if (connection.attach !== undefined) this.attach = receiver => this.#attach(receiver)
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    return { [Symbol.asyncIterator]: () => this.#watched() }
  }

  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    return this.#connection.sink(source, options)
  }

  abort (reason: Error): void {
    this.#connection.abort(reason)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  #attach (receiver: ByteReceiver): ByteFlow {
    return (this.#connection.attach as (receiver: ByteReceiver) => ByteFlow)({
      get keeps () { return receiver.keeps === true },
      bytes: (bytes, lent) => {
        this.readAt = this.#clock.now()
        receiver.bytes(bytes, lent)
      },
      end: error => receiver.end(error)
    })
  }

  #watched (): AsyncIterator<Uint8ArrayList> {
    const iterator = this.#connection.source[Symbol.asyncIterator]()
    return {
      next: async () => {
        const next = await iterator.next()
        this.readAt = this.#clock.now()
        return next
      },
      return: async () => await iterator.return?.() ?? { done: true, value: undefined }
    }
  }
}
