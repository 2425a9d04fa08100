/**
 * The writing half of a connection: one source, sent as it comes, never more than a bounded number of bytes ahead of the kernel.
 *
 * @module
 */
import type { AbortOptions, Bytes, Source } from '@ropewalk/interface'
import { BYTES_PER_TURN, SEND_BUFFER_BYTES } from './constants.ts'
import { messages } from './messages.ts'
import type { Wire } from './wire.ts'

export interface OutboundOptions {
  maxSendBytes: number
  /** Says that there is no more. */
  end (): void
  /** Everything, the end included, is with the kernel. */
  finished (): void
  /** Ends the whole connection: half of a WebSocket cannot be reset. */
  abort (reason: Error): void
}

export class Outbound {
  readonly #wire: Wire
  readonly #options: OutboundOptions
  #begun = false
  /** The end was handed over. */
  #ended = false
  #finished = false
  #error: Error | undefined
  #running: { resolve (): void, reject (error: Error): void } | undefined
  #iterator: AsyncIterator<Bytes> | Iterator<Bytes> | undefined

  constructor (wire: Wire, options: OutboundOptions) {
    this.#wire = wire
    this.#options = options
  }

  /** Everything, the end included, is with the kernel. */
  get finished (): boolean {
    return this.#finished
  }

  async sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#begun) throw new TypeError('sink() comes once: a connection is written by one source')
    const iterator = iterate(source)
    if (this.#error != null) throw this.#error

    this.#begun = true
    this.#iterator = iterator
    const onAbort = (): void => this.#options.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort)

    try {
      await new Promise<void>((resolve, reject) => {
        this.#running = { resolve, reject }
        // An error of the source must not look like the end of the data.
        this.#pump(iterator).catch(error => { this.#options.abort(error) })
      })
    } finally {
      this.#running = undefined
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Ends the direction without data, where no sink does. */
  end (): void {
    if (this.#begun) return
    this.#begun = true
    void this.#finish()
  }

  /** What was sent has left, or the peer has shown that it has the end. */
  confirm (): void {
    if (!this.#ended || this.#finished || this.#error != null) return
    this.#finished = true
    this.#running?.resolve()
    this.#options.finished()
  }

  /** The connection is gone. Nothing that was handed over is known to have arrived. */
  fail (error: Error): void {
    if (this.#finished || this.#error != null) return

    this.#error = error
    this.#running?.reject(error)
    void leave(this.#iterator)
    this.#iterator = undefined
  }

  async #pump (iterator: AsyncIterator<Bytes> | Iterator<Bytes>): Promise<void> {
    const wire = this.#wire
    let written = 0

    for (;;) {
      const { done, value } = await iterator.next()
      if (this.#error != null) return
      if (done === true) break

      for (const message of messages(value, this.#options.maxSendBytes)) {
        wire.send(message)
        written += message.length
        if (wire.bufferedBytes > SEND_BUFFER_BYTES) {
          written = 0
          await wire.drained(SEND_BUFFER_BYTES)
        } else if (written > BYTES_PER_TURN) {
          // Everything is taken at once: without a pause a source that never waits would starve everybody else.
          written = 0
          await wire.turn()
        }
        if (this.#error != null) return
      }
    }

    this.#iterator = undefined
    await this.#finish()
  }

  async #finish (): Promise<void> {
    if (this.#error != null) return
    this.#options.end()
    this.#ended = true
    await this.#wire.drained(0)
    this.confirm()
  }
}

function iterate (source: Source<Bytes>): AsyncIterator<Bytes> | Iterator<Bytes> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}

/** Tells a source that nobody will ask again; what it answers no longer matters. */
async function leave (iterator: AsyncIterator<Bytes> | Iterator<Bytes> | undefined): Promise<void> {
  try {
    await iterator?.return?.()
  } catch {}
}
