/**
 * The reading half: packets that have come and were not taken, bounded in bytes and in number.
 *
 * @module
 */
import { Uint8ArrayList } from 'uint8arraylist'
import { RECEIVE_BUFFER_ITEMS } from './constants.ts'

const DONE: IteratorResult<Uint8ArrayList, undefined> = { done: true, value: undefined }

export class Inbound implements AsyncIterableIterator<Uint8ArrayList, undefined> {
  readonly #maxBytes: number
  readonly #onLeft: () => void
  #queue: Uint8Array[] = []
  #bytes = 0
  #waiting: PromiseWithResolvers<IteratorResult<Uint8ArrayList, undefined>> | undefined
  #ended = false
  #left = false
  #error: Error | undefined

  constructor (maxBytes: number, onLeft: () => void) {
    this.#maxBytes = maxBytes
    this.#onLeft = onLeft
  }

  /** The peer has ended its direction, or nobody listens any more. */
  get over (): boolean {
    return this.#ended || this.#left
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  next (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (this.#waiting !== undefined) return Promise.reject(new TypeError('next() was called while another next() waits'))
    if (this.#left) return Promise.resolve(DONE)
    if (this.#queue.length > 0) {
      // One list of all that waits; each packet is one of its buffers.
      const list = new Uint8ArrayList(...this.#queue)
      this.#drop()
      return Promise.resolve({ done: false, value: list })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve(DONE)
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }

  return (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (!this.#left) {
      this.#left = true
      this.#drop()
      this.#waiting?.resolve(DONE)
      this.#waiting = undefined
      this.#onLeft()
    }
    return Promise.resolve(DONE)
  }

  /** False when there is no room for it. */
  receive (packet: Uint8Array): boolean {
    if (this.#left || this.#error !== undefined) return true
    if (this.#waiting !== undefined) {
      this.#waiting.resolve({ done: false, value: new Uint8ArrayList(packet) })
      this.#waiting = undefined
      return true
    }
    if (this.#bytes + packet.length > this.#maxBytes || this.#queue.length >= RECEIVE_BUFFER_ITEMS) return false
    this.#queue.push(packet)
    this.#bytes += packet.length
    return true
  }

  end (): void {
    this.#ended = true
    if (this.#error === undefined) this.#waiting?.resolve(DONE)
    this.#waiting = undefined
  }

  /** The connection is gone. What had come before can still be taken, unless it was we who ended it. */
  fail (error: Error, ours: boolean = false): void {
    if (ours) this.#drop()
    if (this.#error !== undefined || (this.#ended && !ours)) return
    this.#error = error
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  #drop (): void {
    this.#queue = []
    this.#bytes = 0
  }
}
