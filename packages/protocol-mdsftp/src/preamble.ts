/**
 * A connection with a preamble in front: written by the dialer, read by the acceptor. What comes behind is handed on as
 * the transport gave it, through its fast lane where it has one.
 *
 * @module
 */
import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { MAX_EARLY_BYTES } from './constants.ts'
import { StorageError } from './errors.ts'

/** `connection`, whose first bytes out are `preamble`. */
export function withPreamble (connection: Connection, preamble: Uint8Array): Connection {
  return new Wrapped(connection, {
    source: connection.source,
    attach: connection.attach === undefined ? undefined : receiver => (connection.attach as Attach)(receiver),
    prefix: preamble
  })
}

/** Reads exactly `length` bytes, or those before the end. What follows is for `rest`, which is the connection from there on. */
export async function readPreamble (connection: Connection, length: number): Promise<{ preamble: Uint8Array, rest: Connection }> {
  if (connection.attach !== undefined) {
    const peel = new Peel(length)
    peel.begin(connection.attach(peel))
    const preamble = await peel.preamble
    return { preamble, rest: new Wrapped(connection, { source: peel, attach: receiver => peel.attach(receiver) }) }
  }

  const iterator = connection.source[Symbol.asyncIterator]()
  const held = new Uint8ArrayList()
  while (held.byteLength < length) {
    const result = await iterator.next()
    if (result.done === true) break
    held.append(result.value)
  }
  const preamble = held.slice(0, Math.min(length, held.byteLength))
  const behind = held.byteLength > length ? held.sublist(length) : undefined
  return { preamble, rest: new Wrapped(connection, { source: new Behind(behind, iterator), attach: undefined }) }
}

type Attach = (receiver: ByteReceiver) => ByteFlow

interface Parts {
  source: AsyncIterable<Uint8ArrayList>
  attach: Attach | undefined
  prefix?: Uint8Array
}

class Wrapped implements Connection {
  readonly remote: RemoteInfo
  readonly source: AsyncIterable<Uint8ArrayList>
  readonly attach?: Attach
  readonly #connection: Connection
  readonly #prefix: Uint8Array | undefined

  constructor (connection: Connection, { source, attach, prefix }: Parts) {
    this.remote = connection.remote
    this.source = source
    if (attach !== undefined) this.attach = attach
    this.#connection = connection
    this.#prefix = prefix
  }

  sink (source: Source<Bytes>, options?: AbortOptions): Promise<void> {
    return this.#connection.sink(this.#prefix === undefined ? source : new Prefixed(this.#prefix, source), options)
  }

  abort (reason: Error): void {
    this.#connection.abort(reason)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }
}

/** A source with one value in front, and no generator in between. */
class Prefixed implements AsyncIterable<Bytes> {
  readonly #first: Bytes
  readonly #source: Source<Bytes>

  constructor (first: Bytes, source: Source<Bytes>) {
    this.#first = first
    this.#source = source
  }

  [Symbol.asyncIterator] (): AsyncIterator<Bytes> {
    const iterator: AsyncIterator<Bytes> | Iterator<Bytes> = Symbol.asyncIterator in this.#source ? this.#source[Symbol.asyncIterator]() : this.#source[Symbol.iterator]()
    let first: Bytes | undefined = this.#first
    return {
      next: () => {
        if (first === undefined) return Promise.resolve(iterator.next())
        const value = first
        first = undefined
        return Promise.resolve({ done: false, value })
      },
      return: async () => await iterator.return?.() ?? { done: true, value: undefined }
    }
  }
}

/** What a read took too much, then the rest of the source. */
class Behind implements AsyncIterable<Uint8ArrayList> {
  #first: Uint8ArrayList | undefined
  readonly #iterator: AsyncIterator<Uint8ArrayList>

  constructor (first: Uint8ArrayList | undefined, iterator: AsyncIterator<Uint8ArrayList>) {
    this.#first = first
    this.#iterator = iterator
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8ArrayList> {
    return {
      next: () => {
        const value = this.#first
        this.#first = undefined
        return value === undefined ? this.#iterator.next() : Promise.resolve({ done: false, value })
      },
      return: async () => await this.#iterator.return?.() ?? { done: true, value: undefined }
    }
  }
}

/** Takes the first bytes of a fast lane, keeps what comes before somebody attaches, and then stands aside. */
class Peel implements ByteReceiver, AsyncIterable<Uint8ArrayList> {
  readonly preamble: Promise<Uint8Array>
  #flow: ByteFlow | undefined
  readonly #held: Uint8Array
  #filled = 0
  #early: Uint8Array[] = []
  #earlyBytes = 0
  #receiver: ByteReceiver | undefined
  #ended: { error: Error | undefined } | undefined
  #settle: { resolve: (preamble: Uint8Array) => void, reject: (error: Error) => void } | undefined

  constructor (length: number) {
    this.#held = new Uint8Array(length)
    this.preamble = new Promise((resolve, reject) => { this.#settle = { resolve, reject } })
  }

  begin (flow: ByteFlow): void {
    this.#flow = flow
    // It may all have come while we attached.
    if (this.#filled === this.#held.length) flow.pause()
  }

  get keeps (): boolean {
    return this.#receiver?.keeps === true
  }

  bytes (bytes: Uint8Array, lent?: boolean): void {
    if (this.#receiver !== undefined) return this.#receiver.bytes(bytes, lent)
    if (this.#ended !== undefined) return
    const taken = Math.min(this.#held.length - this.#filled, bytes.length)
    this.#held.set(bytes.subarray(0, taken), this.#filled)
    this.#filled += taken
    if (this.#filled < this.#held.length) return
    this.#settle?.resolve(this.#held)
    this.#keep(bytes.subarray(taken))
  }

  end (error?: Error): void {
    if (this.#receiver !== undefined) return this.#receiver.end(error)
    this.#ended ??= { error }
    if (error === undefined) this.#settle?.resolve(this.#held.subarray(0, this.#filled))
    else this.#settle?.reject(error)
  }

  attach (receiver: ByteReceiver): ByteFlow {
    this.#receiver = receiver
    const early = this.#early.splice(0)
    if (this.#ended?.error === undefined) for (const bytes of early) receiver.bytes(bytes, false)
    if (this.#ended !== undefined) receiver.end(this.#ended.error)
    else this.#flow?.resume()
    return { pause: () => this.#flow?.pause(), resume: () => this.#flow?.resume() }
  }

  [Symbol.asyncIterator] (): AsyncIterator<Uint8ArrayList> {
    throw new TypeError('the connection is read through attach')
  }

  #keep (bytes: Uint8Array): void {
    // Not `slice`: what is lent may be a Buffer, of which that is no copy.
    if (bytes.length > 0) this.#early.push(new Uint8Array(bytes))
    this.#earlyBytes += bytes.length
    // A transport may have one more chunk in hand after it was paused; it has not a hundred.
    this.#flow?.pause()
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.end(new StorageError('ERR_FLOOD', 'connection', `${this.#earlyBytes} > ${MAX_EARLY_BYTES} bytes before the connection was accepted`))
  }
}
