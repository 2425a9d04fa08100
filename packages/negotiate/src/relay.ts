/**
 * What goes into the one sink that a channel has: first the lines of the handshake, as they come up, then the user's source.
 *
 * @module
 */
import type { Bytes, Source } from '@ropewalk/interface'

type Result = IteratorResult<Bytes, undefined>

const DONE: Result = { done: true, value: undefined }

export class Relay implements AsyncIterableIterator<Bytes, undefined> {
  #line: { bytes: Bytes, taken (): void } | undefined
  #waiting: ((result: Result | Promise<Result>) => void) | undefined
  #source: AsyncIterator<Bytes> | Iterator<Bytes> | undefined
  #ended = false

  /** Sends bytes of the handshake. Resolves once the channel has asked for them; one at a time. */
  send (bytes: Bytes): Promise<void> {
    if (this.#ended) return Promise.resolve()
    const waiting = this.#waiting
    if (waiting != null) {
      this.#waiting = undefined
      waiting({ done: false, value: bytes })
      return Promise.resolve()
    }
    return new Promise(resolve => { this.#line = { bytes, taken: resolve } })
  }

  /** Goes on with `source`, to its end. */
  follow (source: Source<Bytes>): void {
    this.#source = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    this.#waiting?.(this.next())
    this.#waiting = undefined
  }

  /** Goes on with nothing: the end. False when a source is there, which has an end of its own. */
  end (): boolean {
    if (this.#source != null) return false
    this.#ended = true
    this.#waiting?.(DONE)
    this.#waiting = undefined
    return true
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  async next (): Promise<Result> {
    const line = this.#line
    if (line != null) {
      this.#line = undefined
      line.taken()
      return { done: false, value: line.bytes }
    }
    if (this.#ended) return DONE
    if (this.#source == null) return await new Promise<Result>(resolve => { this.#waiting = resolve })

    const result = await this.#source.next()
    return result.done === true ? DONE : result
  }

  /** The channel wants no more: it is gone. */
  async return (): Promise<Result> {
    this.#ended = true
    this.#line?.taken()
    this.#line = undefined
    this.#waiting?.(DONE)
    this.#waiting = undefined
    await this.#source?.return?.()
    return DONE
  }
}
