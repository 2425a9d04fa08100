import type { AbortOptions, ByteFlow, ByteReceiver, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { iterate, pieces } from './bytes.ts'
import { TestingError } from './errors.ts'
import { lend } from './lend.ts'
import { Pipe, type Chunker } from './pipe.ts'

/** Bytes that one direction holds before its writer waits. Ours: what a socket on loopback holds, roughly. */
export const DEFAULT_CAPACITY_BYTES: number = 256 * 1024

export interface PairOptions {
  /** Bytes that each direction holds before its sink waits; `DEFAULT_CAPACITY_BYTES`. */
  capacityBytes?: number
  /** Deliver at most so many bytes at a time, however they were written. Without it bytes come as they were written. */
  chunkBytes?: number
  /** Says how many bytes to deliver each time; overrides `chunkBytes`. Shared by both directions. */
  chunk?: Chunker
  /** Gives both ends `attach`, the fast lane. What it lends is overwritten as soon as the call returns. */
  attach?: boolean
}

/** A pair, and the knife. */
export interface Link {
  readonly left: Connection
  readonly right: Connection
  /**
   * Cuts both directions between the ends; bytes on their way are lost. `reset`: both ends see an error. `end`: both read
   * an end, as from a peer that vanished politely in the middle of a sentence, and can write no more.
   */
  cut (how: 'reset' | 'end'): void
}

/** Two ends of one connection in memory: bounded, half-closing, deterministic (no timers, no randomness). */
export function duplexPair (options: PairOptions = {}): [Connection, Connection] {
  const { left, right } = link(options)
  return [left, right]
}

/** Like `duplexPair`, with a way to cut the line from outside. */
export function link (options: PairOptions = {}): Link {
  const { capacityBytes = DEFAULT_CAPACITY_BYTES, chunkBytes, attach = false } = options
  if (!(capacityBytes >= 1)) throw new RangeError(`capacityBytes must be at least 1, not ${capacityBytes}`)
  if (chunkBytes != null && !(chunkBytes >= 1)) throw new RangeError(`chunkBytes must be at least 1, not ${chunkBytes}`)

  const chunker = options.chunk ?? (chunkBytes == null ? undefined : () => chunkBytes)
  const rightward = new Pipe(capacityBytes, chunker)
  const leftward = new Pipe(capacityBytes, chunker)
  return {
    left: new MemoryConnection(leftward, rightward, attach),
    right: new MemoryConnection(rightward, leftward, attach),
    cut (how): void {
      for (const pipe of [rightward, leftward]) {
        const error = new TestingError('ERR_RESET', 'the connection was cut', { remote: true })
        if (how === 'reset') pipe.fail(error, error)
        else pipe.stop(error)
      }
    }
  }
}

class MemoryConnection implements Connection {
  readonly remote: RemoteInfo = { address: 'memory' }
  readonly source: AsyncIterable<Uint8ArrayList>
  readonly attach?: (receiver: ByteReceiver) => ByteFlow
  readonly #incoming: Pipe
  readonly #outgoing: Pipe
  #sinking = false

  constructor (incoming: Pipe, outgoing: Pipe, attach: boolean) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.source = { [Symbol.asyncIterator]: () => new PipeIterator(incoming) }
    if (attach) this.attach = receiver => lend(incoming, receiver)
  }

  async sink (source: Source<Bytes>, { signal }: AbortOptions = {}): Promise<void> {
    if (this.#sinking) throw new TypeError('sink can be called once')
    signal?.throwIfAborted()
    this.#sinking = true

    const cancel = (): void => { this.abort(signal?.reason) }
    signal?.addEventListener('abort', cancel)
    const iterator = iterate(source)
    let exhausted = false
    try {
      for (;;) {
        const result = await this.#outgoing.guard(Promise.resolve(iterator.next()).catch(error => {
          exhausted = true
          throw error
        }))
        if (result.done === true) {
          exhausted = true
          return this.#outgoing.end()
        }
        for (let piece of pieces(result.value)) {
          for (piece = this.#outgoing.offer(piece); piece.byteLength > 0; piece = this.#outgoing.offer(piece)) {
            await this.#outgoing.writable()
          }
        }
      }
    } catch (error) {
      this.#outgoing.fail(reset(error), error as Error)
      this.#incoming.fail(error as Error, reset(error))
      // Not awaited: a source that is stuck must not keep the sink from failing.
      if (!exhausted) void Promise.resolve(iterator.return?.()).catch(() => {})
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  abort (reason: Error): void {
    this.#incoming.fail(reason, reset(reason))
    this.#outgoing.fail(reset(reason), reason)
  }

  /** What has been sent to its end stays readable for the peer; everything else is broken off. */
  async [Symbol.asyncDispose] (): Promise<void> {
    const reason = new TestingError('ERR_RESET', 'disposed')
    this.#incoming.fail(reason, reset(reason))
    if (!this.#outgoing.ended) this.#outgoing.fail(reset(reason), reason)
  }
}

class PipeIterator implements AsyncIterator<Uint8ArrayList, undefined> {
  readonly #pipe: Pipe

  constructor (pipe: Pipe) {
    this.#pipe = pipe
  }

  next (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    return this.#pipe.read()
  }

  async return (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    this.#pipe.stop(new TestingError('ERR_STOPPED', 'the peer has stopped reading', { remote: true }))
    return { done: true, value: undefined }
  }
}

function reset (cause: unknown): TestingError {
  return new TestingError('ERR_RESET', 'the peer broke the connection off', { remote: true, cause })
}
