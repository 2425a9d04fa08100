/**
 * MDSFTP as a stream muxer of libp2p, over a connection that libp2p has secured.
 *
 * @module
 */
import type { AbortOptions, CreateStreamOptions, EventHandler, Logger, MessageStream, MessageStreamDirection, StreamMuxer, StreamMuxerEvents, StreamMuxerStatus, StreamOptions } from '@libp2p/interface'
import { MuxerClosedError, TooManyOutboundProtocolStreamsError, TypedEventEmitter } from '@libp2p/interface'
import { mdsftp, type BytesChannel, type MdsftpMuxer } from '@ropewalk/muxer-mdsftp'
import { MessageConnection } from './connection.ts'
import { MAX_INBOUND_STREAMS, MAX_OUTBOUND_STREAMS, PROTOCOL, WINDOW_BYTES } from './constants.ts'
import { Libp2pError } from './errors.ts'
import { MdsftpStream } from './stream.ts'

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

export interface MdsftpInit {
  /** Streams that the peer may have open; further ones are reset. Default 1000. */
  maxInboundStreams?: number | undefined
  /** Streams that we may have open; further ones throw. Default 1000. */
  maxOutboundStreams?: number | undefined
  /** Unread bytes on all streams together, above which the connection is not read. Default 32 MiB. */
  maxBufferedBytes?: number | undefined
  /** Passed to every stream. */
  streamOptions?: StreamOptions | undefined
}

export class MdsftpStreamMuxer extends TypedEventEmitter<StreamMuxerEvents<MdsftpStream>> implements StreamMuxer<MdsftpStream> {
  readonly protocol: string = PROTOCOL
  status: StreamMuxerStatus = 'open'
  readonly #muxer: MdsftpMuxer
  readonly #log: Logger
  readonly #init: MdsftpInit
  readonly #open = new Set<MdsftpStream>()
  readonly #count = { inbound: 0, outbound: 0 }
  #list: MdsftpStream[] | undefined
  #listening: (() => void) | undefined

  constructor (connection: MessageStream, init: MdsftpInit = {}) {
    super()
    this.#init = init
    this.#log = connection.log.newScope('mdsftp')
    const maxChannels = Math.max(this.#limit('inbound'), this.#limit('outbound'))
    this.#muxer = mdsftp(new MessageConnection(connection), {
      windowBytes: WINDOW_BYTES,
      role: connection.direction === 'outbound' ? 'dialer' : 'acceptor',
      maxChannels,
      maxAcceptBacklog: maxChannels,
      maxBufferedBytes: init.maxBufferedBytes
    })
    connection.addEventListener('close', () => { this.status = 'closed' })
    this.#accept().catch(error => this.#log.error('the connection failed - %e', error))
  }

  get streams (): MdsftpStream[] {
    return this.#list ??= [...this.#open]
  }

  async createStream (options: CreateStreamOptions = {}): Promise<MdsftpStream> {
    options.signal?.throwIfAborted()
    if (this.status !== 'open') throw new MuxerClosedError()
    if (this.#count.outbound >= this.#limit('outbound')) {
      throw new TooManyOutboundProtocolStreamsError(`${this.#count.outbound} streams of ours are open, ${this.#limit('outbound')} is the limit`)
    }
    const stream = this.#add(await this.#muxer.open(), 'outbound', options)
    stream.start()
    return stream
  }

  async close (options: AbortOptions = {}): Promise<void> {
    if (this.status !== 'open') return
    this.status = 'closing'
    this.#refuse()
    // A stream that the peer resets meanwhile is closed as well.
    await Promise.allSettled(this.streams.map(stream => stream.close(options)))
    options.signal?.throwIfAborted()
    this.status = 'closed'
  }

  abort (error: Error): void {
    if (this.status === 'closed') return
    this.status = 'closing'
    for (const stream of this.streams) stream.abort(error)
    this.#refuse()
    this.status = 'closed'
  }

  override addEventListener<K extends keyof StreamMuxerEvents<MdsftpStream>> (type: K, listener: EventHandler<StreamMuxerEvents<MdsftpStream>[K]> | null, options?: ListenerOptions): void
  override addEventListener (type: string, listener: EventHandler<Event>, options?: ListenerOptions): void {
    super.addEventListener(type as 'stream', listener as EventHandler<CustomEvent<MdsftpStream>>, options)
    if (type === 'stream') queueMicrotask(() => this.#listening?.())
  }

  /** While nobody listens, streams of the peer wait in the muxer, uncredited; one of them here. */
  async #accept (): Promise<void> {
    for await (const channel of this.#muxer) {
      if (this.#count.inbound >= this.#limit('inbound')) {
        channel.abort(new Libp2pError('ERR_MAX_STREAMS', `${this.#count.inbound} streams of the peer are open, ${this.#limit('inbound')} is the limit`))
        continue
      }
      const stream = this.#add(channel, 'inbound', {})
      while (this.listenerCount('stream') === 0) await new Promise<void>(resolve => { this.#listening = resolve })
      this.safeDispatchEvent('stream', { detail: stream })
      stream.start()
    }
  }

  #add (channel: BytesChannel, direction: MessageStreamDirection, options: StreamOptions): MdsftpStream {
    // A scope of its own costs more than all the rest of a stream: only for who looks at it.
    const log = this.#log.enabled ? this.#log.newScope(`${direction}:${channel.id}`) : this.#log
    const stream = new MdsftpStream(channel, direction, log, { ...this.#init.streamOptions, ...options })
    this.#open.add(stream)
    this.#count[direction]++
    this.#list = undefined
    stream.addEventListener('close', this.#forget)
    return stream
  }

  readonly #forget = (event: Event): void => {
    const stream = event.target as MdsftpStream
    if (!this.#open.delete(stream)) return
    this.#count[stream.direction]--
    this.#list = undefined
  }

  /** The peer opens no more; the wire ends with the last stream. Nobody waits for that: libp2p closes the connection. */
  #refuse (): void {
    this.#muxer.close().catch(error => this.#log('the connection ended - %e', error))
  }

  #limit (direction: MessageStreamDirection): number {
    return direction === 'inbound' ? this.#init.maxInboundStreams ?? MAX_INBOUND_STREAMS : this.#init.maxOutboundStreams ?? MAX_OUTBOUND_STREAMS
  }
}
