/**
 * The readable half of a stream of libp2p: paused whenever nobody waits for bytes, so that the muxer below opens its
 * window no further than somebody reads.
 *
 * @module
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'

interface Reader { resolve: (result: IteratorResult<Uint8ArrayList>) => void, reject: (error: Error) => void }

const DONE: IteratorResult<Uint8ArrayList> = Object.freeze({ done: true, value: undefined })

export class MessageReader implements AsyncIterable<Uint8ArrayList> {
  readonly #stream: Stream
  readonly #left: () => void
  /** What came in one burst with what somebody waited for. */
  #rest: Uint8ArrayList | undefined
  #reader: Reader | undefined
  #resuming = false
  #ended = false
  #done = false
  #error: Error | undefined

  /** `left` is told when the reader stops before the end of the data. */
  constructor (stream: Stream, left: () => void) {
    this.#stream = stream
    this.#left = left
    stream.addEventListener('message', this.#came)
    this.#hold()
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8ArrayList> {
    return {
      next: () => this.#read(),
      return: () => {
        if (!this.#done && this.#error === undefined) this.#leave()
        return Promise.resolve(DONE)
      }
    }
  }

  /** The peer has ended its direction: the end comes behind everything that the stream still holds. */
  end (): void {
    this.#ended = true
    this.#settle()
  }

  /** There will be no more: at once when `drop`, otherwise behind what has arrived. */
  fail (error: Error, drop: boolean): void {
    if (this.#error !== undefined || this.#done) return
    this.#error = error
    if (drop) {
      this.#rest = undefined
      this.#stream.removeEventListener('message', this.#came)
    }
    this.#settle()
  }

  #read (): Promise<IteratorResult<Uint8ArrayList>> {
    if (this.#reader !== undefined) return Promise.reject(new TypeError('one read at a time'))
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
      this.#deliver()
      this.#flow()
      this.#settle()
    })
  }

  /** A muxer undoes a pause that comes while it resumes: so it comes behind it. */
  #flow (): void {
    if (this.#reader !== undefined && this.#stream.readStatus === 'paused') {
      this.#resuming = true
      this.#stream.resume()
      this.#resuming = false
    }
    this.#hold()
  }

  #hold (): void {
    if (this.#reader === undefined && !this.#resuming && this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  readonly #came = ({ data }: StreamMessageEvent): void => {
    this.#rest ??= new Uint8ArrayList()
    this.#rest.append(data)
    this.#deliver()
    this.#hold()
  }

  #deliver (): void {
    if (this.#reader === undefined || this.#rest === undefined) return
    this.#reader.resolve({ done: false, value: this.#rest })
    this.#reader = this.#rest = undefined
  }

  /** Tells whoever waits of the end, or of the failure, once there is nothing before it. */
  #settle (): void {
    if (this.#rest !== undefined || this.#reader === undefined) return
    if (this.#error !== undefined) {
      this.#reader.reject(this.#error)
    } else {
      if (!this.#ended || this.#stream.readBufferLength > 0) return
      this.#done = true
      this.#reader.resolve(DONE)
    }
    this.#reader = undefined
  }

  #leave (): void {
    this.#done = true
    this.#rest = undefined
    this.#stream.removeEventListener('message', this.#came)
    // A paused stream would keep the peer waiting for ever.
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
    this.#left()
  }
}
