/**
 * The writing half: one source, each of whose items is a packet, never more than a bounded number ahead of the kernel.
 *
 * @module
 */
import type { AbortOptions, Bytes, Source } from '@ropewalk/interface'
import { MAX_PACKET_BYTES, SEND_BUFFER_BYTES, SEND_BUFFER_ITEMS } from './constants.ts'
import { TransportError } from './errors.ts'
import type { PacketSocket } from './library.ts'

export class Outbound {
  readonly #socket: PacketSocket
  readonly #abort: (reason: Error) => void
  #begun = false
  #finished = false
  #error: Error | undefined
  #bytes = 0
  #items = 0
  #wake: (() => void) | undefined
  #ended: (() => void) | undefined

  constructor (socket: PacketSocket, abort: (reason: Error) => void) {
    this.#socket = socket
    this.#abort = abort
  }

  /** Everything, the end included, is with the kernel. */
  get finished (): boolean {
    return this.#finished
  }

  async sink (source: Source<Bytes>, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#begun) throw new TypeError('sink() comes once: a connection is written by one source')
    if (this.#error !== undefined) throw this.#error
    this.#begun = true
    const onAbort = (): void => { this.#abort(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort)
    try {
      for await (const item of source) {
        this.#write(item)
        while (this.#error === undefined && (this.#bytes > SEND_BUFFER_BYTES || this.#items > SEND_BUFFER_ITEMS)) await new Promise<void>(resolve => { this.#wake = resolve })
        if (this.#error !== undefined) break
      }
      if (this.#error === undefined) await this.#end()
    } catch (error) {
      // An error of the source must not look like the end of the data.
      this.#abort(error as Error)
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    if (this.#error !== undefined) throw this.#error
  }

  /** Ends the direction without data, where no sink does. */
  end (): void {
    if (this.#begun) return
    this.#begun = true
    void this.#end()
  }

  /** The kernel has taken everything, the end included. */
  finish (): void {
    this.#finished = this.#error === undefined
    this.#ended?.()
  }

  /** The connection is gone. Nothing that was handed over is known to have arrived. */
  fail (error: Error): void {
    if (this.#finished) return
    this.#error ??= error
    this.#wake?.()
    this.#ended?.()
  }

  #write (item: Bytes): void {
    const bytes = item instanceof Uint8Array ? item : item.subarray()
    if (bytes.length > MAX_PACKET_BYTES) throw new TransportError('ERR_TOO_LARGE', `packet of ${bytes.length} > ${MAX_PACKET_BYTES} bytes`)
    // A packet of nothing is the end of the data for who reads it.
    if (bytes.length === 0) return
    this.#bytes += bytes.length
    this.#items++
    this.#socket.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, () => {
      this.#bytes -= bytes.length
      this.#items--
      this.#wake?.()
    })
  }

  async #end (): Promise<void> {
    await new Promise<void>(resolve => {
      this.#ended = resolve
      this.#socket.end(() => { this.finish() })
    })
  }
}
