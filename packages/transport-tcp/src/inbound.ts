/**
 * The reading half of a connection. Nothing is read from the socket before somebody asks, so nothing can be lost.
 *
 *      socket --receive()--> receiver (attach)      synchronous, lent
 *                       \--> queue --> next()       bounded in bytes and in pieces, owned
 *                        \-> nowhere (discard)
 *
 * @module
 */
import type { ByteFlow, ByteReceiver } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { RECEIVE_BUFFER_ITEMS } from './constants.ts'
import { TransportError } from './errors.ts'

/** What the reading half does to its socket. */
export interface Tap {
  /** Lets bytes flow; at the first call, begins to read. */
  open (): void
  close (): void
  /** The consumer has left and wants no more. */
  left (): void
}

interface Waiting {
  resolve (result: IteratorResult<Uint8ArrayList, undefined>): void
  reject (error: unknown): void
}

const DONE: IteratorResult<Uint8ArrayList, undefined> = { done: true, value: undefined }

export class Inbound implements AsyncIterableIterator<Uint8ArrayList, undefined> {
  readonly #tap: Tap
  readonly #maxBytes: number
  #mode: 'idle' | 'source' | 'attached' | 'discard' = 'idle'
  /** Somebody has asked for the bytes, by iterating or by attaching. */
  #taken = false
  #receiver: ByteReceiver | undefined
  #queue = new Uint8ArrayList()
  #pieces = 0
  #paused = false
  #waiting: Waiting | undefined
  /** The peer has ended its direction. */
  #ended = false
  /** The consumer has been told of the end, or has left. */
  #done = false
  #left = false
  #error: Error | undefined

  constructor (tap: Tap, maxBytes: number) {
    this.#tap = tap
    this.#maxBytes = maxBytes
  }

  /** True where bytes are used up within `receive`, so that the buffer they lie in may be reused. */
  get lends (): boolean {
    return this.#mode === 'discard' || (this.#mode === 'attached' && this.#receiver?.keeps !== true)
  }

  /** The consumer has left before the end. */
  get left (): boolean {
    return this.#left
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  next (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (this.#mode === 'attached') return Promise.reject(new TypeError('the connection is attached: its bytes go to the receiver'))
    if (this.#waiting != null) return Promise.reject(new TypeError('next() was called while another next() waits'))
    this.#taken = true
    if (this.#done) return Promise.resolve(DONE)
    if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#take() })

    if (this.#error != null) return Promise.reject(this.#error)
    if (this.#ended) {
      this.#done = true
      return Promise.resolve(DONE)
    }

    const result = new Promise<IteratorResult<Uint8ArrayList, undefined>>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })

    if (this.#mode === 'idle') {
      this.#mode = 'source'
      this.#tap.open()
    }

    return result
  }

  /** The consumer wants no more: what is queued and what still comes is dropped, so that the peer is not held up. */
  return (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (this.#mode === 'attached' || this.#done) return Promise.resolve(DONE)

    this.#taken = true
    this.#done = true
    this.#left = true
    this.#drop()
    this.#settle({ result: DONE })
    this.#tap.open()
    this.#tap.left()
    return Promise.resolve(DONE)
  }

  attach (receiver: ByteReceiver): ByteFlow {
    if (this.#taken) throw new TypeError('attach() comes once, and before the source is iterated')

    this.#taken = true
    this.#receiver = receiver

    if (this.#error != null || this.#ended) {
      // Not before attach() has returned: the receiver may need the flow that it returns.
      queueMicrotask(() => this.#tell(this.#error))
    } else {
      this.#mode = 'attached'
      this.#tap.open()
    }

    return {
      pause: () => {
        if (this.#paused || this.#mode !== 'attached') return
        this.#paused = true
        this.#tap.close()
      },
      resume: () => {
        if (!this.#paused || this.#mode !== 'attached') return
        this.#paused = false
        this.#tap.open()
        if (this.#queue.length > 0) queueMicrotask(() => this.#catchUp())
      }
    }
  }

  /** Takes what has arrived; `bytes` is ours to keep unless `lent`, which it may be where this said that it `lends`. */
  receive (bytes: Uint8Array, lent: boolean): void {
    if (this.#mode === 'discard') return

    if (this.#mode === 'attached') {
      // Records of TLS that came with the one that the receiver has paused at: at most what one read holds.
      if (this.#paused || this.#queue.length > 0) this.#queue.append(lent ? bytes.slice() : bytes)
      else this.#receiver?.bytes(bytes, lent)
      return
    }

    if (this.#waiting != null) {
      this.#settle({ result: { done: false, value: new Uint8ArrayList(bytes) } })
      return
    }

    this.#queue.append(bytes)
    this.#pieces++
    if (this.#paused || (this.#queue.length < this.#maxBytes && this.#pieces < RECEIVE_BUFFER_ITEMS)) return

    this.#paused = true
    this.#tap.close()
  }

  /** The peer has ended its direction. */
  end (): void {
    if (this.#ended || this.#error != null) return

    this.#ended = true
    if (this.#waiting != null) {
      this.#done = true
      this.#settle({ result: DONE })
    }
    this.#tell()
  }

  /** The connection is gone. What had arrived before can still be taken. */
  fail (error: Error): void {
    if (this.#ended || this.#error != null) return

    this.#error = error
    this.#settle({ error })
    this.#tell(error)
  }

  /** We end it: what had arrived is dropped, and whoever waits is told why. */
  abort (reason: Error): void {
    this.#error ??= reason
    this.#settle({ error: reason })
    this.#tell(reason)
    this.#drop()
  }

  /** Reads on to nowhere, so that the peer's end is seen. */
  discard (reason: Error): void {
    this.abort(reason)
    this.#tap.open()
  }

  #take (): Uint8ArrayList {
    const taken = this.#queue
    this.#queue = new Uint8ArrayList()
    this.#pieces = 0

    if (this.#paused && this.#mode === 'source') {
      this.#paused = false
      this.#tap.open()
    }

    return taken
  }

  #drop (): void {
    this.#mode = 'discard'
    this.#queue = new Uint8ArrayList()
    this.#pieces = 0
    this.#paused = false
  }

  #settle (outcome: { result: IteratorResult<Uint8ArrayList, undefined> } | { error: Error }): void {
    const waiting = this.#waiting
    this.#waiting = undefined

    if ('error' in outcome) waiting?.reject(outcome.error)
    else waiting?.resolve(outcome.result)
  }

  /** Gives the receiver what came while it had paused. */
  #catchUp (): void {
    for (const bytes of Array.from(this.#queue)) {
      if (this.#paused || this.#mode !== 'attached') return
      this.#queue.consume(bytes.length)
      this.#receiver?.bytes(bytes, false)
    }
    if (this.#ended) this.#tell()
  }

  #tell (error?: Error): void {
    if (error === undefined && this.#mode === 'attached' && this.#queue.length > 0) return
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.end(error)
  }
}

/** The error of what was still waiting when the connection was closed from here. */
export function closedHere (): TransportError {
  return new TransportError('ERR_ABORTED', 'the connection was closed here')
}
