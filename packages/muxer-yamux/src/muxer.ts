/**
 * Yamux over a connection, as a multiplexer.
 *
 * @module
 */
import type { AbortOptions, Connection, Muxer } from '@ropewalk/interface'
import type { YamuxChannel } from './channel.ts'
import { Link, type LinkOptions } from './link.ts'

export interface YamuxOptions extends LinkOptions {}

export interface YamuxMuxer extends Muxer, AsyncDisposable {
  /** Opens a channel, as soon as the peer has acknowledged enough of the earlier ones. It need not have acknowledged this one. */
  open (options?: AbortOptions): Promise<YamuxChannel>
  /** Asks the peer to answer; resolves to the round trip in milliseconds. */
  ping (options?: AbortOptions): Promise<number>
  /** Channels open now. */
  readonly size: number
  [Symbol.asyncIterator] (): AsyncIterableIterator<YamuxChannel>
}

/** Multiplexes `connection` in the yamux wire format, with credit that follows the consumer. */
export function yamux (connection: Connection, options: YamuxOptions): YamuxMuxer {
  return new LinkMuxer(new Link(connection, options))
}

class LinkMuxer implements YamuxMuxer {
  readonly #link: Link

  constructor (link: Link) {
    this.#link = link
  }

  get size (): number {
    return this.#link.size
  }

  open (options?: AbortOptions): Promise<YamuxChannel> {
    return this.#link.open(options)
  }

  ping (options?: AbortOptions): Promise<number> {
    return this.#link.ping(options)
  }

  close (options?: AbortOptions): Promise<void> {
    return this.#link.close(options)
  }

  abort (reason: Error): void {
    this.#link.fail(reason)
  }

  [Symbol.asyncIterator] (): AsyncIterableIterator<YamuxChannel> {
    const iterator: AsyncIterableIterator<YamuxChannel> = {
      next: async () => {
        const channel = await this.#link.accept()
        return channel === undefined ? { done: true, value: undefined } : { done: false, value: channel }
      },
      return: async () => {
        this.#link.refuse()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator
    }
    return iterator
  }

  [Symbol.asyncDispose] (): Promise<void> {
    return this.#link.close()
  }
}
