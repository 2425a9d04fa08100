/**
 * The reading half of a connection. It reads before anybody asks, up to its bound: a peer that has gone must be seen.
 *
 *      socket --receive()--> receiver (attach)      synchronous
 *                       \--> queue --> next()       bounded in bytes and in pieces
 *                        \-> nowhere (discard)
 *
 * @module
 */
import { ByteQueue } from '@ropewalk/framing'
import type { ByteFlow, ByteReceiver } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { RECEIVE_BUFFER_ITEMS } from './constants.ts'
import { TransportError } from './errors.ts'

/** What the reading half does to its socket. */
export interface Tap {
  open (): void
  close (): void
  /** The consumer has left and wants no more. */
  left (): void
}

export interface InboundLimits {
  /** Bytes that may wait before the tap is closed. */
  receiveBufferBytes: number
  /** Bytes that may wait in all, for instance because the tap does not close at once. */
  maxBufferedBytes: number
}

interface Waiting {
  resolve (result: IteratorResult<Uint8ArrayList, undefined>): void
  reject (error: unknown): void
}

const DONE: IteratorResult<Uint8ArrayList, undefined> = { done: true, value: undefined }

export class Inbound implements AsyncIterableIterator<Uint8ArrayList, undefined> {
  readonly #tap: Tap
  readonly #limits: InboundLimits
  readonly #queue: ByteQueue
  #mode: 'idle' | 'source' | 'attached' | 'discard' = 'idle'
  /** Somebody has asked for the bytes, by iterating or by attaching. */
  #taken = false
  #receiver: ByteReceiver | undefined
  /** The receiver wants no bytes now, or has not seen those that wait. */
  #held = false
  #flowing = true
  #waiting: Waiting | undefined
  /** The peer has ended its direction. */
  #ended = false
  /** The consumer has been told of the end, or has left. */
  #done = false
  #left = false
  #error: Error | undefined

  constructor (tap: Tap, limits: InboundLimits) {
    this.#tap = tap
    this.#limits = limits
    this.#queue = new ByteQueue({ maxBytes: Number.MAX_SAFE_INTEGER, maxChunks: Number.MAX_SAFE_INTEGER })
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
    if (this.#mode === 'idle') this.#mode = 'source'
    if (this.#queue.byteLength > 0) return Promise.resolve({ done: false, value: this.#take() })

    if (this.#error != null) return Promise.reject(this.#error)
    if (this.#ended) {
      this.#done = true
      return Promise.resolve(DONE)
    }

    const result = new Promise<IteratorResult<Uint8ArrayList, undefined>>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    this.#open()
    return result
  }

  /** The consumer wants no more: what is queued and what still comes is dropped, so that the peer is not held up. */
  return (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (this.#mode === 'attached' || this.#done) return Promise.resolve(DONE)

    this.#taken = true
    this.#done = true
    this.#left = true
    this.#drop()
    this.#waiting?.resolve(DONE)
    this.#waiting = undefined
    this.#tap.left()
    return Promise.resolve(DONE)
  }

  attach (receiver: ByteReceiver): ByteFlow {
    if (this.#taken) throw new TypeError('attach() comes once, and before the source is iterated')

    this.#taken = true
    this.#receiver = receiver
    this.#mode = 'attached'
    this.#held = true
    // Not before attach() has returned: the receiver may need the flow that it returns.
    let paused = false
    queueMicrotask(() => { if (!paused) this.#release() })

    return {
      pause: () => {
        paused = true
        this.#held = true
        this.#close()
      },
      resume: () => {
        if (!paused) return
        paused = false
        this.#release()
      }
    }
  }

  /** Takes what has arrived. Throws `ERR_BUFFER_FULL` where that is more than may wait. */
  receive (bytes: Uint8Array): void {
    if (this.#mode === 'discard') return

    if (this.#mode === 'attached' && !this.#held) {
      this.#receiver?.bytes(bytes)
      return
    }

    const waiting = this.#waiting
    if (waiting != null) {
      this.#waiting = undefined
      waiting.resolve({ done: false, value: new Uint8ArrayList(bytes) })
      return
    }

    const waitingBytes = this.#queue.byteLength + bytes.length
    if (waitingBytes > this.#limits.maxBufferedBytes) {
      throw new TransportError('ERR_BUFFER_FULL', `${waitingBytes} > ${this.#limits.maxBufferedBytes} bytes wait unread`, { remote: true })
    }
    // A piece of a much larger buffer would keep that buffer alive.
    this.#queue.push(bytes.length * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes)
    if (this.#queue.byteLength >= this.#limits.receiveBufferBytes || this.#queue.chunkCount >= RECEIVE_BUFFER_ITEMS) this.#close()
  }

  /** The peer has ended its direction. */
  end (): void {
    if (this.#ended || this.#error != null) return

    this.#ended = true
    if (this.#waiting != null) {
      this.#done = true
      this.#waiting.resolve(DONE)
      this.#waiting = undefined
    }
    this.#tell()
  }

  /** The connection is gone. What had arrived before can still be taken. */
  fail (error: Error): void {
    if (this.#ended || this.#error != null) return

    this.#error = error
    this.#waiting?.reject(error)
    this.#waiting = undefined
    this.#tell()
  }

  /** We end it: what had arrived is dropped, and whoever waits is told why. Reads on to nowhere, so that the peer's end is seen. */
  abort (reason: Error): void {
    this.#error ??= reason
    this.#drop()
    this.#waiting?.reject(reason)
    this.#waiting = undefined
    this.#tell()
  }

  #take (): Uint8ArrayList {
    const taken = this.#queue.takeList()
    this.#open()
    return taken
  }

  /** Hands over what waits, as far as the receiver wants it, and then lets bytes flow. */
  #release (): void {
    this.#held = false
    while (!this.#held) {
      const bytes = this.#queue.first()
      if (bytes == null) break
      this.#queue.discard(bytes.length)
      this.#receiver?.bytes(bytes)
    }
    if (this.#held) return
    this.#tell()
    this.#open()
  }

  #drop (): void {
    this.#mode = 'discard'
    this.#held = false
    this.#queue.clear()
    this.#open()
  }

  #open (): void {
    if (this.#flowing) return
    this.#flowing = true
    this.#tap.open()
  }

  #close (): void {
    if (!this.#flowing || this.#mode === 'discard') return
    this.#flowing = false
    this.#tap.close()
  }

  /** Tells the receiver of the end, behind everything that waits for it. */
  #tell (): void {
    if (this.#held || this.#queue.byteLength > 0 || (!this.#ended && this.#error == null)) return
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.end(this.#error)
  }
}
