/**
 * MDSFTP over a connection, as a multiplexer: of byte channels between our own peers, or of packets for those who
 * speak the storage protocol of the original.
 *
 * @module
 */
import type { AbortOptions, Connection, Muxer } from '@ropewalk/interface'
import { BytesChannel } from './bytes-channel.ts'
import { WINDOW_BYTES, WINDOW_FRAGMENTS } from './constants.ts'
import { Link, type Endpoint, type LinkOptions } from './link.ts'
import { PacketChannel } from './packet-channel.ts'

export interface MdsftpOptions extends LinkOptions {
  /** Content bytes that may be unacknowledged on one channel; both ends must say the same. Default 512 KiB, of which a sender uses 256 KiB while there are other channels. */
  windowBytes?: number | undefined
  /** Fragments that may be unacknowledged on one channel; both ends must say the same. Default 1024. */
  windowFragments?: number | undefined
}

/** How a channel stands, in bytes. */
export interface ChannelFacts {
  readonly id: number
  /** What may still be sent before the peer has to give credit. */
  readonly sendRoom: number
  /** What arrived and nobody here has taken: the peer gets no credit for it. */
  readonly unread: number
  /** What waits to be written. */
  readonly waiting: number
}

/** The bytes view: every channel is a `Channel`. */
export interface MdsftpMuxer extends Muxer, AsyncDisposable {
  open (options?: AbortOptions): Promise<BytesChannel>
  /** Channels open now. */
  readonly size: number
  /** Those channels, the oldest first, and how each stands: for who looks in. */
  channels (): Iterable<ChannelFacts>
  [Symbol.asyncIterator] (): AsyncIterableIterator<BytesChannel>
}

/** The packets view: every channel carries packets. */
export interface PacketMuxer extends AsyncIterable<PacketChannel>, AsyncDisposable {
  /** Opens a channel. The wire does not acknowledge it: the first packet may follow at once. */
  open (): PacketChannel
  close (options?: AbortOptions): Promise<void>
  abort (reason: Error): void
  readonly size: number
}

/** Multiplexes `connection` into byte channels. Fragments are data, acknowledgements credit, the last fragment end-of-data. */
export function mdsftp (connection: Connection, options: MdsftpOptions): MdsftpMuxer {
  const window = { maxBytes: options.windowBytes ?? WINDOW_BYTES, maxFragments: options.windowFragments ?? WINDOW_FRAGMENTS }
  return new BytesMuxer(new Link(connection, options, (id, link) => new BytesChannel(id, link, window)))
}

/** Multiplexes `connection` into channels of packets, for protocols that are themselves MDSFTP. */
export function mdsftpPackets (connection: Connection, options: LinkOptions): PacketMuxer {
  return new PacketsMuxer(new Link(connection, options, (id, link) => new PacketChannel(id, link)))
}

class LinkMuxer<Channel extends Endpoint> implements AsyncDisposable {
  protected readonly link: Link<Channel>

  constructor (link: Link<Channel>) {
    this.link = link
  }

  get size (): number {
    return this.link.size
  }

  close (options?: AbortOptions): Promise<void> {
    return this.link.close(options)
  }

  abort (reason: Error): void {
    this.link.fail(reason)
  }

  [Symbol.asyncIterator] (): AsyncIterableIterator<Channel> {
    const iterator: AsyncIterableIterator<Channel> = {
      next: async () => {
        const channel = await this.link.accept()
        return channel === undefined ? { done: true, value: undefined } : { done: false, value: channel }
      },
      return: async () => {
        this.link.refuse()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator
    }
    return iterator
  }

  [Symbol.asyncDispose] (): Promise<void> {
    return this.link.close()
  }
}

class BytesMuxer extends LinkMuxer<BytesChannel> implements MdsftpMuxer {
  async open ({ signal }: AbortOptions = {}): Promise<BytesChannel> {
    signal?.throwIfAborted()
    return this.link.open()
  }

  * channels (): Generator<ChannelFacts, void, undefined> {
    for (const { id, sendRoom, unread, waiting } of this.link.channels()) yield { id, sendRoom, unread, waiting }
  }
}

class PacketsMuxer extends LinkMuxer<PacketChannel> implements PacketMuxer {
  open (): PacketChannel {
    return this.link.open()
  }
}
