/**
 * The receiving half of a channel of bytes: what arrived waits for one reader, and its taking is told, so that credit
 * can follow the consumer. It is read in one of three ways: iterated, handed over synchronously, or by an adapter that
 * is told and takes.
 *
 * @module
 */
import type { ReceiveOptions } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { Inbox } from './inbox.ts'

export interface InletTarget {
  /** The reader took `bytes`. */
  taken (bytes: number): void
  /** The reader stopped before the end of the data, or failed with `error`. */
  left (error?: Error): void
}

interface Reader { resolve: (result: IteratorResult<Uint8ArrayList>) => void, reject: (error: Error) => void }
interface Receiver { take: (bytes: Uint8Array) => void, left: number, resolve: () => void, reject: (error: Error) => void }

/** Owned pieces from this size go to a waiting reader as they are: it holds what they are part of, and not we. Ours: smaller ones would keep alive too much of others. */
const HANDED_BYTES = 16_384

const DONE: IteratorResult<Uint8ArrayList> = Object.freeze({ done: true, value: undefined })

export class Inlet implements AsyncIterable<Uint8ArrayList> {
  readonly #target: InletTarget
  readonly #inbox: Inbox = new Inbox()
  #reader: Reader | undefined
  /** What the reader that waits gets when the read that brought it has been looked through. */
  #handed: Uint8ArrayList | undefined
  #receiver: Receiver | undefined
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

  /**
   * Hands the bytes over as they arrive, without a copy and without waiting: what `take` gets is lent until it returns, and
   * credited then. Resolves at the end of the data, or when `most` bytes were handed over. What `take` throws is the reader's failure.
   */
  async receive (take: (bytes: Uint8Array) => void, { signal, most = Infinity }: ReceiveOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#reader !== undefined || this.#receiver !== undefined) throw new TypeError('a channel has one reader')
    let left = most
    while (left > 0 && this.#inbox.bytes > 0) {
      const bytes = this.#inbox.shift(left)
      left -= bytes.length
      take(bytes)
      this.#target.taken(bytes.length)
    }
    if (left <= 0 || this.#ended) return
    if (this.#error !== undefined) throw this.#error
    const abort = (): void => this.#target.left(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await new Promise<void>((resolve, reject) => { this.#receiver = { take, left, resolve, reject } })
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Takes all that waits, for an adapter that is told otherwise that there is something. */
  take (): Uint8ArrayList | undefined {
    const bytes = this.#inbox.bytes
    if (bytes === 0) return undefined
    const list = this.#inbox.take()
    this.#target.taken(bytes)
    return list
  }

  /** Bytes arrived. `lent` bytes are copied, if they must wait: they are only valid now. True when they are kept, and not used up already. */
  push (bytes: Uint8Array, lent: boolean): boolean {
    const receiver = this.#receiver
    if (receiver !== undefined) {
      const rest = this.#handOver(receiver, bytes)
      if (rest !== undefined) this.#inbox.push(rest, lent)
      return rest !== undefined
    }
    if (this.#reader !== undefined && !lent && (this.#handed !== undefined || bytes.length >= HANDED_BYTES)) {
      // A reader waits only where nothing else does. What follows in the same read goes with it.
      if (this.#handed === undefined) queueMicrotask(this.#hand)
      this.#handed ??= new Uint8ArrayList()
      this.#handed.append(bytes)
      return true
    }
    this.#hand()
    const reader = this.#reader
    this.#reader = undefined
    this.#inbox.push(bytes, lent)
    reader?.resolve({ done: false, value: this.take() as Uint8ArrayList })
    return true
  }

  /** All the data has arrived. */
  end (): void {
    this.#hand()
    this.#ended = true
    if (!this.done) return
    this.#reader?.resolve(DONE)
    this.#reader = undefined
    this.#receiver?.resolve()
    this.#receiver = undefined
  }

  /** There will be no more: the reader fails with `error`, at once when `drop`, otherwise behind what it has not taken yet. */
  fail (error: Error, drop: boolean): void {
    this.#hand()
    if (this.#error !== undefined || this.done) return
    this.#error = error
    if (drop) {
      this.#drop()
      // What was not read will not be: the reader must not take the rest for the whole.
      this.#ended = false
    }
    this.#reader?.reject(error)
    this.#reader = undefined
    this.#receiver?.reject(error)
    this.#receiver = undefined
  }

  readonly #hand = (): void => {
    const list = this.#handed
    if (list === undefined) return
    this.#reader?.resolve({ done: false, value: list })
    this.#reader = this.#handed = undefined
    this.#target.taken(list.byteLength)
  }

  /** Returns what is left behind the last byte that the receiver wants, undefined where nothing is. */
  #handOver (receiver: Receiver, bytes: Uint8Array): Uint8Array | undefined {
    const wanted = bytes.length <= receiver.left ? bytes : bytes.subarray(0, receiver.left)
    receiver.left -= wanted.length
    try {
      receiver.take(wanted)
    } catch (error) {
      this.#target.taken(bytes.length)
      this.#target.left(error as Error)
      return undefined
    }
    if (receiver.left === 0) {
      // It may have failed meanwhile, and been told.
      if (this.#receiver === receiver) this.#receiver = undefined
      receiver.resolve()
    }
    this.#target.taken(wanted.length)
    return wanted === bytes ? undefined : bytes.subarray(wanted.length)
  }

  #read (): Promise<IteratorResult<Uint8ArrayList>> {
    const value = this.take()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (this.#ended) return Promise.resolve(DONE)
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#reader !== undefined || this.#receiver !== undefined) return Promise.reject(new TypeError('one read at a time'))
    return new Promise((resolve, reject) => { this.#reader = { resolve, reject } })
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
