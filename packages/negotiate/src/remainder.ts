/**
 * What the peer sends behind the handshake, beginning with what came in one piece with it.
 *
 * @module
 */
import { Uint8ArrayList } from 'uint8arraylist'

type Result = IteratorResult<Uint8ArrayList, undefined>

export class Remainder implements AsyncIterableIterator<Uint8ArrayList, undefined> {
  readonly #iterator: AsyncIterator<Uint8ArrayList>
  /** Settles when the handshake is over, with the bytes that came behind it. */
  readonly #first: Promise<Uint8ArrayList>
  #agreed = false
  #left = false

  constructor (iterator: AsyncIterator<Uint8ArrayList>, first: Promise<Uint8ArrayList>) {
    this.#iterator = iterator
    this.#first = first
  }

  /** What came with the handshake was read: what follows may be read past this. */
  get through (): boolean {
    return this.#agreed && !this.#left
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  async next (): Promise<Result> {
    if (this.#left) return { done: true, value: undefined }
    if (!this.#agreed) {
      const first = await this.#first
      this.#agreed = true
      if (first.length > 0) return { done: false, value: first }
    }
    return await this.#iterator.next()
  }

  async return (): Promise<Result> {
    this.#left = true
    // The handshake still needs the channel, and so does what is being sent.
    if (this.#agreed) await this.#iterator.return?.()
    else this.#first.then(() => this.#iterator.return?.(), () => {}).catch(() => {})
    return { done: true, value: undefined }
  }
}
