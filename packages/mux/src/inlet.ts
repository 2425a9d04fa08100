/**
 * The receiving half of a channel of bytes: what arrived waits for one reader, and its taking is told, so that credit
 * can follow the consumer.
 *
 * @module
 */
import type { Uint8ArrayList } from 'uint8arraylist'
import { Inbox } from './inbox.ts'

export interface InletTarget {
  /** The reader took `bytes`. */
  taken (bytes: number): void
  /** The reader stopped before the end of the data. */
  left (): void
}

interface Reader { resolve: (result: IteratorResult<Uint8ArrayList>) => void, reject: (error: Error) => void }

const DONE: IteratorResult<Uint8ArrayList> = Object.freeze({ done: true, value: undefined })

export class Inlet implements AsyncIterable<Uint8ArrayList> {
  readonly #target: InletTarget
  readonly #inbox: Inbox = new Inbox()
  #reader: Reader | undefined
  #ended = false
  #error: Error | undefined

  constructor (target: InletTarget) {
    this.#target = target
  }

  /** Bytes that wait to be taken. */
  get bytes (): number {
    return this.#inbox.bytes
  }

  /** The end has come, and everything before it was taken. */
  get done (): boolean {
    return this.#ended && this.#inbox.bytes === 0
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8ArrayList> {
    return {
      next: () => this.#read(),
      return: () => {
        this.#leave()
        return Promise.resolve(DONE)
      }
    }
  }

  /** Bytes arrived. `lent` bytes are copied: they are only valid now. */
  push (bytes: Uint8Array, lent: boolean): void {
    this.#inbox.push(bytes, lent)
    const reader = this.#reader
    if (reader === undefined) return
    this.#reader = undefined
    reader.resolve(this.#take())
  }

  /** All the data has arrived. */
  end (): void {
    this.#ended = true
    if (!this.done) return
    this.#reader?.resolve(DONE)
    this.#reader = undefined
  }

  /** There will be no more: the reader fails with `error`, at once when `drop`, otherwise behind what it has not taken yet. */
  fail (error: Error, drop: boolean): void {
    if (this.#error !== undefined || this.done) return
    this.#error = error
    if (drop) {
      this.#drop()
      // What was not read will not be: the reader must not take the rest for the whole.
      this.#ended = false
    }
    this.#reader?.reject(error)
    this.#reader = undefined
  }

  #read (): Promise<IteratorResult<Uint8ArrayList>> {
    if (this.#inbox.bytes > 0) return Promise.resolve(this.#take())
    if (this.#ended) return Promise.resolve(DONE)
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#reader !== undefined) return Promise.reject(new TypeError('one read at a time'))
    return new Promise((resolve, reject) => { this.#reader = { resolve, reject } })
  }

  #take (): IteratorResult<Uint8ArrayList> {
    const bytes = this.#inbox.bytes
    const value = this.#inbox.take()
    this.#target.taken(bytes)
    return { done: false, value }
  }

  #leave (): void {
    if (this.#ended) this.#drop()
    else if (this.#error === undefined) this.#target.left()
  }

  #drop (): void {
    const bytes = this.#inbox.bytes
    if (bytes === 0) return
    this.#inbox.clear()
    this.#target.taken(bytes)
  }
}
