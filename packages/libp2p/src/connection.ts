/**
 * A message stream of libp2p as the Connection under a muxer: bytes are handed over as they come, pausing reaches the
 * transport, and writing waits for its 'drain'.
 *
 * @module
 */
import type { MessageStream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'

export class MessageConnection implements Connection {
  readonly remote: RemoteInfo
  readonly #stream: MessageStream
  #wake: (() => void) | undefined
  #closed: Error | undefined

  constructor (stream: MessageStream) {
    this.#stream = stream
    this.remote = { address: String((stream as { remoteAddr?: unknown }).remoteAddr ?? 'libp2p') }
    stream.addEventListener('drain', () => this.#wake?.())
    stream.addEventListener('close', event => {
      this.#closed = event.error ?? new Error('the connection is closed')
      this.#wake?.()
    })
  }

  get source (): AsyncIterable<Uint8ArrayList> {
    throw new TypeError('attach a receiver')
  }

  attach (receiver: ByteReceiver): ByteFlow {
    const stream = this.#stream
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      if (data instanceof Uint8Array) receiver.bytes(data)
      else for (const piece of data) receiver.bytes(piece)
    })
    stream.addEventListener('close', ({ error }: StreamCloseEvent) => receiver.end(error), { once: true })
    return {
      pause: () => { if (stream.status === 'open') stream.pause() },
      resume: () => { if (stream.status === 'open') stream.resume() }
    }
  }

  /** A connection of libp2p has no half-close: the end of `source` ends nothing, whoever owns the connection closes it. */
  async sink (source: Source<Bytes>): Promise<void> {
    for await (const bytes of source) {
      let room = this.#stream.send(bytes)
      while (!room) {
        if (this.#closed !== undefined) throw this.#closed
        await new Promise<void>(resolve => { this.#wake = resolve })
        room = !this.#stream.writableNeedsDrain
      }
    }
  }

  abort (reason: Error): void {
    this.#stream.abort(reason)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    return this.#stream.close()
  }
}
