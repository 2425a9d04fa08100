/**
 * `@chainsafe/libp2p-yamux`, or `@libp2p/yamux` which continues it, behind the `Muxer` contract, without the rest of libp2p: the peer that our tests speak to,
 * and what our figures are compared with.
 *
 * `asItComes` reads with the library's own `for await`. Otherwise credit is tied to the consumer as far as the library
 * lets us: a stream is paused for as long as something of it is unread, its window is kept from growing, and writers wait for `drain`.
 */
import { yamux as chainsafeYamux, type YamuxMuxerInit } from '@chainsafe/libp2p-yamux'
import { defaultLogger } from '@libp2p/logger'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import { yamux as libp2pYamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { Outgoing, afterThisTurn } from '@ropewalk/mux'
import type { AbortOptions, Bytes, Channel, Connection, Muxer, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'

/** The library under its two names. */
export const LIBRARIES = { '@chainsafe/libp2p-yamux': chainsafeYamux, '@libp2p/yamux': libp2pYamux } as const

export interface ChainsafeOptions {
  role: 'client' | 'server'
  /** Which of the two; the first by default. */
  library?: keyof typeof LIBRARIES
  /** Read through the library's own iterator, with the library's own settings. */
  asItComes?: boolean
}

export interface ChainsafeMuxer extends Muxer {
  readonly size: number
  /** The library's own muxer. */
  readonly inner: LibraryMuxer
}

/** What we use of the library's objects. Its types come from other copies of its packages than ours, and do not fit them. */
interface StreamEvent { readonly type: string, readonly data: Iterable<Uint8Array>, readonly error?: Error }

interface LibraryStream extends AsyncIterable<Uint8ArrayList> {
  readonly readStatus: string
  readonly readBufferLength: number
  send (bytes: Bytes): boolean
  close (): Promise<void>
  abort (error: Error): void
  pause (): void
  resume (): void
  sendWindowUpdate (): void
  addEventListener (type: string, listener: (event: StreamEvent) => void): void
  removeEventListener (type: string, listener: (event: StreamEvent) => void): void
}

interface LibraryMuxer {
  readonly streams: readonly LibraryStream[]
  createStream (): Promise<LibraryStream>
  ping (): Promise<number>
  close (options?: AbortOptions): Promise<void>
  abort (error: Error): void
  addEventListener (type: 'stream', listener: (event: { detail: LibraryStream }) => void): void
}

const ADDRESS = multiaddr('/ip4/127.0.0.1/tcp/1')

/** Bytes that the library may queue for the connection before it is told to wait. */
const QUEUE_BYTES = 1024 * 1024

export function chainsafe (connection: Connection, options: ChainsafeOptions): ChainsafeMuxer {
  const init: YamuxMuxerInit = options.asItComes === true
    ? { enableKeepAlive: false }
    : { enableKeepAlive: false, maxEarlyStreams: 1024, streamOptions: { initialStreamWindowSize: 262_144, maxStreamWindowSize: 262_144, maxReadBufferLength: 1_048_576 } }
  const make = LIBRARIES[options.library ?? '@chainsafe/libp2p-yamux']
  const line = new Line(connection, options.role === 'client' ? 'outbound' : 'inbound')
  return new Wrapped(make(init as never)().createStreamMuxer(line as never) as unknown as LibraryMuxer, line, options.asItComes === true)
}

class Line extends AbstractMultiaddrConnection {
  readonly #connection: Connection
  #out = new Outgoing()
  #write: (() => void) | undefined
  #ended = false
  #paused: (() => void) | undefined
  #reading = true
  #scheduled = false

  constructor (connection: Connection, direction: 'inbound' | 'outbound') {
    super({ direction, remoteAddr: ADDRESS, log: defaultLogger().forComponent('yamux') } as never)
    this.#connection = connection
    connection.sink(this.#batches()).catch(error => this.abort(error))
    void this.#read()
  }

  override sendData (list: Uint8ArrayList): { sentBytes: number, canSendMore: boolean } {
    const sentBytes = list.byteLength
    this.#out.content([...list])
    if (!this.#scheduled && this.#write !== undefined) {
      this.#scheduled = true
      afterThisTurn(() => {
        this.#scheduled = false
        this.#write?.()
      })
    }
    return { sentBytes, canSendMore: this.#out.bytes < QUEUE_BYTES }
  }

  override async sendClose (): Promise<void> {
    this.#ended = true
    this.#write?.()
  }

  override sendReset (): void { this.#connection.abort(new Error('the muxer was aborted')) }
  override sendPause (): void { this.#reading = false }
  override sendResume (): void {
    this.#reading = true
    this.#paused?.()
  }

  async #read (): Promise<void> {
    try {
      for await (const list of this.#connection.source) {
        this.onData(new Uint8ArrayList(...list))
        while (!this.#reading) await new Promise<void>(resolve => { this.#paused = resolve })
      }
      if (this.status === 'open') this.onTransportClosed()
      this.#ended = true
      this.#write?.()
    } catch (error) {
      this.abort(error as Error)
    }
  }

  async * #batches (): AsyncGenerator<Uint8ArrayList> {
    for (;;) {
      while (this.#out.bytes === 0) {
        if (this.#ended) return
        await new Promise<void>(resolve => { this.#write = resolve })
        this.#write = undefined
      }
      const full = this.#out.bytes >= QUEUE_BYTES
      yield this.#out.take()
      if (full) this.safeDispatchEvent('drain')
    }
  }
}

class Wrapped implements ChainsafeMuxer {
  readonly inner: LibraryMuxer
  readonly #line: Line
  readonly #asItComes: boolean
  readonly #backlog: Channel[] = []
  readonly #acceptors: Array<(result: IteratorResult<Channel>) => void> = []
  #closed = false
  #closing: Promise<void> | undefined

  constructor (inner: LibraryMuxer, line: Line, asItComes: boolean) {
    this.inner = inner
    this.#line = line
    this.#asItComes = asItComes
    inner.addEventListener('stream', event => {
      const channel = this.#channel(event.detail)
      // Pausing a stream makes the library forget the ACK that it still owes: it goes out first.
      event.detail.sendWindowUpdate()
      const acceptor = this.#acceptors.shift()
      if (acceptor === undefined) this.#backlog.push(channel)
      else acceptor({ done: false, value: channel })
    })
    line.addEventListener('close', () => {
      this.#closed = true
      for (const acceptor of this.#acceptors.splice(0)) acceptor({ done: true, value: undefined })
    })
  }

  get size (): number { return this.inner.streams.length }

  async open ({ signal }: AbortOptions = {}): Promise<Channel> {
    signal?.throwIfAborted()
    return this.#channel(await this.inner.createStream())
  }

  close (options?: AbortOptions): Promise<void> {
    return this.#closing ??= this.inner.close(options).then(() => this.#line.close())
  }

  abort (reason: Error): void {
    this.inner.abort(reason)
    this.#line.abort(reason)
  }

  [Symbol.asyncIterator] (): AsyncIterator<Channel> {
    return {
      next: () => {
        const next = this.#backlog.shift()
        if (next !== undefined) return Promise.resolve({ done: false, value: next })
        if (this.#closed) return Promise.resolve({ done: true, value: undefined })
        return new Promise(resolve => { this.#acceptors.push(resolve) })
      }
    }
  }

  #channel (stream: LibraryStream): Channel {
    return new WrappedChannel(stream, this.#asItComes)
  }
}

class WrappedChannel implements Channel {
  readonly source: AsyncIterable<Uint8ArrayList>
  readonly #stream: LibraryStream
  readonly #closed: Promise<void>
  #error: Error | undefined

  constructor (stream: LibraryStream, asItComes: boolean) {
    this.#stream = stream
    this.#closed = new Promise(resolve => {
      stream.addEventListener('close', event => {
        this.#error ??= event.error
        resolve()
      })
    })
    this.source = asItComes ? eager(stream) : pausing(stream, () => this.#error)
  }

  async sink (source: Source<Bytes>, { signal }: AbortOptions = {}): Promise<void> {
    const cancel = (): void => this.abort(signal?.reason)
    signal?.addEventListener('abort', cancel)
    try {
      const values = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
      try {
        for (;;) {
          const result = await Promise.race([values.next(), this.#closed.then(() => undefined)])
          if (result === undefined || this.#error !== undefined) throw this.#error ?? new Error('the stream has closed')
          if (result.done === true) break
          if (!this.#stream.send(result.value)) await this.#drained()
        }
      } finally {
        void values.return?.()
      }
      await this.#stream.close()
      if (this.#error !== undefined) throw this.#error
    } catch (error) {
      this.abort(error as Error)
      throw this.#error ?? error
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  abort (reason: Error): void {
    this.#stream.abort(reason)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    this.abort(new Error('disposed'))
  }

  #drained (): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (event: StreamEvent): void => {
        this.#stream.removeEventListener('drain', done)
        this.#stream.removeEventListener('close', done)
        if (event.type === 'close') reject(event.error ?? new Error('closed'))
        else resolve()
      }
      this.#stream.addEventListener('drain', done)
      this.#stream.addEventListener('close', done)
    })
  }
}

/** The library's iterator misses an end that comes before it was begun: it is begun at once. */
function eager (stream: AsyncIterable<Uint8ArrayList>): AsyncIterable<Uint8ArrayList> {
  const iterator = stream[Symbol.asyncIterator]()
  let first: Promise<IteratorResult<Uint8ArrayList>> | undefined = iterator.next()
  first.catch(() => {})
  const next = (): Promise<IteratorResult<Uint8ArrayList>> => {
    const result = first ?? iterator.next()
    first = undefined
    return result
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }) }) }
}

/** Reads by events: one message is taken, the stream is paused until the consumer has taken it. */
function pausing (stream: LibraryStream, failure: () => Error | undefined): AsyncIterable<Uint8ArrayList> {
  return {
    async * [Symbol.asyncIterator] () {
      let held: Uint8ArrayList | undefined
      let ended = stream.readStatus === 'closed'
      let wake: (() => void) | undefined
      const message = (event: StreamEvent): void => {
        held = new Uint8ArrayList(...(held ?? []), ...event.data)
        if (stream.readStatus === 'readable') stream.pause()
        wake?.()
      }
      const end = (): void => {
        ended = true
        wake?.()
      }
      stream.addEventListener('message', message)
      stream.addEventListener('end', end)
      stream.addEventListener('close', end)
      try {
        for (;;) {
          if (held !== undefined) {
            const value: Uint8ArrayList = held
            held = undefined
            yield value
            if (stream.readStatus === 'paused') stream.resume()
          } else if (failure() !== undefined) {
            throw failure()
          } else if (ended && stream.readBufferLength === 0) {
            return
          } else {
            await new Promise<void>(resolve => { wake = resolve })
          }
        }
      } finally {
        stream.removeEventListener('message', message)
        stream.removeEventListener('end', end)
        stream.removeEventListener('close', end)
        if (!ended) stream.abort(new Error('the reader left'))
      }
    }
  }
}
