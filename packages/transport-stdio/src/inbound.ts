/**
 * The reading half of a connection: a Readable, whose own buffer is the bound. What is not asked for is not read from the pipe. A receiver
 * that is attached gets the bytes as they are read.
 *
 * @module
 */
import type { Readable } from 'node:stream'
import type { ByteFlow, ByteReceiver } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { pipeError, TransportError } from './errors.ts'
import type { Lending } from './read-buffer.ts'

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
  readonly #input: Lending
  readonly #stream: Readable
  readonly #options: InboundOptions
  /** Somebody iterates, or is attached. */
  #taken = false
  #receiver: ByteReceiver | undefined
  #paused = false
  /** The receiver gets what comes. */
  #flowing = false
  /** The receiver knows of the end. */
  #told = false
  #waiting: Waiting | undefined
  #discards = false
  /** The pipe has ended, and whether that was good is asked or known. */
  #judged = false
  #ended = false
  /** The consumer has been told of the end, or has left. */
  #done = false
  #left = false
  #error: Error | undefined

  constructor (input: Lending, options: InboundOptions) {
    const { stream } = input
    this.#input = input
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
    if (this.#receiver != null) return Promise.reject(new TypeError('the connection is attached: its bytes go to the receiver'))
    if (this.#waiting != null) return Promise.reject(new TypeError('next() was called while another next() waits'))
    this.#taken = true
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
    if (this.#done || this.#receiver != null) return Promise.resolve(DONE)

    this.#taken = true
    this.#done = true
    this.#left = true
    this.#waiting?.resolve(DONE)
    this.#waiting = undefined
    this.#discard()
    this.#options.left()
    return Promise.resolve(DONE)
  }

  attach (receiver: ByteReceiver): ByteFlow {
    if (this.#taken) throw new TypeError('attach() comes once, and before the source is iterated')
    this.#taken = true
    this.#receiver = receiver
    this.#stream.off('readable', this.#onReadable)
    // Not before attach() has returned: the receiver may need the flow that it returns. By then the stream knows that nobody listens for 'readable'.
    setImmediate(() => this.#begin())

    return {
      pause: () => {
        this.#paused = true
        this.#stream.pause()
      },
      resume: () => {
        this.#paused = false
        // Before there is somebody to hear it, what flows is lost.
        if (this.#flowing) this.#stream.resume()
      }
    }
  }

  /** We end it: what had arrived is dropped, and whoever waits is told why. Reads on to nowhere. */
  abort (reason: Error): void {
    this.#error ??= reason
    this.#waiting?.reject(reason)
    this.#waiting = undefined
    this.#tell(reason)
    this.#discard()
  }

  fail (error: Error): void {
    if (this.#ended || this.#error != null) return
    this.#error = error
    this.#waiting?.reject(error)
    this.#waiting = undefined
    this.#tell(error)
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
      this.#tell()
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

  /** What came before anybody was attached, and then whatever comes. */
  #begin (): void {
    if (this.#ended || this.#error != null) return this.#tell(this.#error)
    const early = this.#read()?.subarray()
    if (early !== undefined) this.#give(early, false)
    this.#input.lendTo?.((bytes, lent) => this.#give(bytes, lent), this.#receiver?.keeps === true)
    this.#stream.on('data', bytes => this.#give(bytes, false))
    this.#flowing = true
    if (this.#paused) this.#stream.pause()
    else this.#stream.resume()
  }

  #give (bytes: Uint8Array, lent: boolean): void {
    // Not as a Buffer, whose `slice` copies nothing.
    if (!this.#discards) this.#receiver?.bytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), lent)
  }

  /** Once. */
  #tell (error?: Error): void {
    const receiver = this.#receiver
    if (receiver == null || this.#told) return
    this.#told = true
    receiver.end(error)
  }

  #discard (): void {
    this.#discards = true
    if (this.#receiver != null) this.#stream.resume()
    else while (this.#stream.read() != null);
  }
}
