/**
 * The async iterator of a stream: holds no more than the message that it was asked for.
 *
 * @module
 */
import type { MessageStream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Bytes } from '@ropewalk/interface'

export class Messages {
  readonly #stream: MessageStream
  readonly #want: (wanted: boolean) => void
  #queue: Bytes[] = []
  #wanted = false
  #wake: (() => void) | undefined
  #error: Error | undefined

  /** `want` starts and stops the stream; it may deliver during the call. It counts as stopped from now on. */
  constructor (stream: MessageStream, want: (wanted: boolean) => void) {
    this.#stream = stream
    this.#want = want
    stream.addEventListener('message', this.#came)
    stream.addEventListener('end', this.#over)
    stream.addEventListener('close', this.#over)
  }

  /** The next message; undefined when there will be none. */
  async next (): Promise<Bytes | undefined> {
    for (;;) {
      if (this.#queue.length === 0) this.#ask(true)
      const bytes = this.#queue.shift()
      if (bytes !== undefined) return bytes
      if (this.#error !== undefined) throw this.#error
      if (this.#stream.readableEnded) return undefined
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
  }

  /** Reads no further. */
  close (): void {
    this.#stream.removeEventListener('message', this.#came)
    this.#stream.removeEventListener('end', this.#over)
    this.#stream.removeEventListener('close', this.#over)
    this.#ask(true)
  }

  readonly #came = ({ data }: StreamMessageEvent): void => {
    this.#queue.push(data)
    this.#ask(false)
    this.#wake?.()
  }

  readonly #over = (event: Event): void => {
    this.#error ??= (event as StreamCloseEvent).error
    this.#wake?.()
  }

  #ask (wanted: boolean): void {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#want(wanted)
  }
}
