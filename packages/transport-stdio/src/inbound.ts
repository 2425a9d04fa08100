/**
 * The reading half of a connection: a Readable, whose own buffer is the bound. What is not asked for is not read from the pipe.
 *
 * @module
 */
import type { Readable } from 'node:stream'
import { Uint8ArrayList } from 'uint8arraylist'
import { pipeError, TransportError } from './errors.ts'

export interface InboundOptions {
  /** The pipe has ended: resolves where that was the peer's end of data, and rejects where it was not. */
  judge (): Promise<void>
  /** The consumer has left and wants no more. */
  left (): void
  /** Nothing more will come. */
  over (): void
}

interface Waiting {
  resolve (result: IteratorResult<Uint8ArrayList, undefined>): void
  reject (error: unknown): void
}

const DONE: IteratorResult<Uint8ArrayList, undefined> = { done: true, value: undefined }

export class Inbound implements AsyncIterableIterator<Uint8ArrayList, undefined> {
  readonly #stream: Readable
  readonly #options: InboundOptions
  #waiting: Waiting | undefined
  #discards = false
  /** The pipe has ended, and whether that was good is asked or known. */
  #judged = false
  #ended = false
  /** The consumer has been told of the end, or has left. */
  #done = false
  #left = false
  #error: Error | undefined

  constructor (stream: Readable, options: InboundOptions) {
    this.#stream = stream
    this.#options = options
    // Stays for good: an 'error' that nobody listens to ends the process.
    stream.on('error', this.#onError)
    if (stream.destroyed || stream.readableEnded) {
      queueMicrotask(this.#onClose)
      return
    }
    // From the start: of a child that has exited, Node throws away what nobody reads.
    stream.on('readable', this.#onReadable)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onClose)
  }

  /** The consumer has left before the end. */
  get left (): boolean {
    return this.#left
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  next (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (this.#waiting != null) return Promise.reject(new TypeError('next() was called while another next() waits'))
    if (this.#done) return Promise.resolve(DONE)
    if (this.#error != null) return Promise.reject(this.#error)

    const list = this.#read()
    if (list != null) return Promise.resolve({ done: false, value: list })
    if (this.#ended) {
      this.#done = true
      return Promise.resolve(DONE)
    }
    return new Promise((resolve, reject) => { this.#waiting = { resolve, reject } })
  }

  /** The consumer wants no more: what still comes is dropped, so that the peer is not held up. */
  return (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    if (this.#done) return Promise.resolve(DONE)

    this.#done = true
    this.#left = true
    this.#waiting?.resolve(DONE)
    this.#waiting = undefined
    this.#discard()
    this.#options.left()
    return Promise.resolve(DONE)
  }

  /** We end it: what had arrived is dropped, and whoever waits is told why. Reads on to nowhere. */
  abort (reason: Error): void {
    this.#error ??= reason
    this.#waiting?.reject(reason)
    this.#waiting = undefined
    this.#discard()
  }

  fail (error: Error): void {
    if (this.#ended || this.#error != null) return
    this.#error = error
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  readonly #onReadable = (): void => {
    if (this.#discards) {
      while (this.#stream.read() != null);
      return
    }
    if (this.#waiting == null) return

    const list = this.#read()
    if (list == null) return
    this.#waiting.resolve({ done: false, value: list })
    this.#waiting = undefined
  }

  readonly #onEnd = (): void => {
    this.#judged = true
    this.#options.judge().then(() => {
      this.#ended = true
      this.#done ||= this.#waiting != null
      this.#waiting?.resolve(DONE)
      this.#waiting = undefined
    }, (error: Error) => this.fail(error)).finally(() => this.#options.over())
  }

  readonly #onError = (error: Error): void => this.fail(pipeError(error))

  readonly #onClose = (): void => {
    this.#stream.off('readable', this.#onReadable)
    this.#stream.off('end', this.#onEnd)
    this.#stream.off('close', this.#onClose)
    if (this.#judged) return
    this.fail(new TransportError('ERR_CONNECTION_LOST', 'the pipe was closed before its end'))
    this.#options.over()
  }

  #read (): Uint8ArrayList | undefined {
    const bytes: Uint8Array | null = this.#stream.read()
    return bytes == null ? undefined : new Uint8ArrayList(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  #discard (): void {
    this.#discards = true
    while (this.#stream.read() != null);
  }
}
