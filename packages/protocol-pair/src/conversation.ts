/**
 * Messages on one channel, with one deadline for all of them.
 *
 * @module
 */
import { ByteReader } from '@ropewalk/framing'
import type { AbortOptions, Channel } from '@ropewalk/interface'
import { CLOSE_TIMEOUT_MS, EXCHANGE_TIMEOUT_MS } from './constants.ts'
import type { Sha512 } from './cpace-codec.ts'
import { PairError } from './errors.ts'
import { FIXED_BYTES, Kind, MAX_INTRODUCTION_BYTES, refusalOf, type Introduction } from './message-codec.ts'

/** What both sides of an exchange need. */
export interface PairOptions extends AbortOptions {
  /** The fingerprints of both keys, as this side knows them: its own, and what the transport says of the other. */
  readonly ours: string
  readonly theirs: string
  /** What we say of ourselves. */
  readonly introduction: Introduction
  readonly sha512: Sha512
  /** For the whole exchange. Default 10 s. */
  readonly timeoutMs?: number | undefined
}

/** Who the other side is: its key is the one that `theirs` named, and it knew the code. */
export interface Paired extends Introduction {
  readonly fingerprint: string
}

/** One message: the bytes behind its kind, and the introduction behind those where there is one. */
export interface Message {
  readonly body: Uint8Array
  readonly introduction: Uint8Array
}

export class Conversation {
  readonly #channel: Channel
  readonly #reader: ByteReader
  readonly #queue: Uint8Array[] = []
  readonly #stop = new AbortController()
  readonly #sunk: Promise<void>
  #ended = false
  #changed = Promise.withResolvers<void>()

  constructor (channel: Channel) {
    this.#channel = channel
    this.#reader = new ByteReader(channel.source)
    this.#sunk = channel.sink(this.#outgoing())
    this.#sunk.catch(() => {})
  }

  /** Runs an exchange within its deadline. What goes wrong ends the channel. */
  async run<T> ({ signal, timeoutMs = EXCHANGE_TIMEOUT_MS }: PairOptions, talk: () => Promise<T>): Promise<T> {
    const stop = (): void => { this.#stop.abort(signal?.reason) }
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop)
    const timer = setTimeout(() => { this.#stop.abort(new PairError('ERR_TIMEOUT', `the exchange took more than ${timeoutMs} ms`)) }, timeoutMs)
    try {
      const result = await talk()
      await this.#end()
      return result
    } catch (error) {
      if (this.#stop.signal.aborted) this.#channel.abort(this.#stop.signal.reason as Error)
      if (this.#stop.signal.aborted) throw this.#stop.signal.reason
      // A refusal must still arrive: the channel is ended, not broken off.
      await this.#end()
      throw error instanceof PairError ? error : new PairError('ERR_INTERRUPTED', 'the channel broke', { cause: error })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Never more than the few messages of one exchange wait. */
  send (message: Uint8Array): void {
    this.#queue.push(message)
    this.#wake()
  }

  /** The next message, which must be of this kind; a refusal is thrown. */
  async receive (wanted: Kind): Promise<Message> {
    const kind = (await this.#read(1))[0] as number
    if (kind === Kind.refused) throw refusalOf((await this.#read(1))[0])
    if (kind !== wanted) throw new PairError('ERR_BAD_MESSAGE', `message ${kind} came where ${wanted} belongs`)
    const body = await this.#read(FIXED_BYTES[wanted])
    if (wanted !== Kind.share && wanted !== Kind.answer) return { body, introduction: new Uint8Array(0) }
    const length = body.at(-1) as number
    if (length > MAX_INTRODUCTION_BYTES) throw new PairError('ERR_BAD_MESSAGE', `introduction of ${length} > ${MAX_INTRODUCTION_BYTES} bytes`)
    return { body: body.subarray(0, -1), introduction: await this.#read(length) }
  }

  async #read (length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0)
    return await this.#reader.read(length, { signal: this.#stop.signal })
  }

  /** What was sent arrives, and the other side ends too; or not in time, and the channel is broken off. */
  async #end (): Promise<void> {
    this.#ended = true
    this.#wake()
    const timer = setTimeout(() => { this.#channel.abort(new PairError('ERR_TIMEOUT', 'the other side does not end')) }, CLOSE_TIMEOUT_MS)
    try {
      await this.#sunk
      if (await this.#reader.readUpTo(1) !== undefined) this.#channel.abort(new PairError('ERR_BAD_MESSAGE', 'more came after the last message'))
    } catch {
      // It is over either way.
    } finally {
      clearTimeout(timer)
    }
  }

  async * #outgoing (): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) yield next
      if (this.#ended) return
      await this.#changed.promise
    }
  }

  #wake (): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
