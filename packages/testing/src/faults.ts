import type { AbortOptions, Bytes, Connection, RemoteInfo, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { pieces } from './bytes.ts'
import type { Clock } from './clock.ts'
import { TestingError } from './errors.ts'
import type { Chunker } from './pipe.ts'

/** What goes wrong on the way, in this order. */
export interface Faults {
  /** Cuts what passes into pieces of at most so many bytes; a Chunker (`seededChunks`) says each time. */
  splitEvery?: number | Chunker
  /** For each byte, by its offset in this direction: bits to flip, 0 for none. */
  corrupt?: (offset: number) => number
  /** The connection dies after so many bytes of this direction: `reset` (the default) is an error, `end` looks like an orderly end. */
  dropAfter?: { bytes: number, how?: 'reset' | 'end' }
  /** Nothing passes while the gate is shut. */
  stall?: Gate
  /** Each piece waits so long before it passes. */
  delayBy?: { clock: Clock, ms: number }
}

/** A gate that a test opens and shuts. */
export class Gate {
  #shut: PromiseWithResolvers<void> | undefined

  shut (): void {
    this.#shut ??= Promise.withResolvers()
  }

  open (): void {
    this.#shut?.resolve()
    this.#shut = undefined
  }

  /** Resolves as soon as the gate is open. */
  async passed (): Promise<void> {
    while (this.#shut != null) await this.#shut.promise
  }
}

/** Sizes between 1 and `maxBytes` that look random and are the same for the same `seed`. */
export function seededChunks (seed: number, maxBytes: number): Chunker {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return 1 + Math.floor(state / 2 ** 32 * maxBytes)
  }
}

/** `connection` with faults in one direction or both. The wrapper has no `attach`. Wrap twice for different faults each way. */
export function faulty (connection: Connection, faults: Faults, direction: 'incoming' | 'outgoing' | 'both' = 'both'): Connection {
  return new FaultyConnection(connection, direction === 'outgoing' ? {} : faults, direction === 'incoming' ? {} : faults)
}

class FaultyConnection implements Connection {
  readonly source: AsyncIterable<Uint8ArrayList>
  readonly #connection: Connection
  readonly #outgoing: Faults
  readonly #gone = new AbortController()

  constructor (connection: Connection, incoming: Faults, outgoing: Faults) {
    this.#connection = connection
    this.#outgoing = outgoing
    this.source = disturb(connection.source, incoming, reason => { this.abort(reason) }, this.#gone.signal)
  }

  get remote (): RemoteInfo {
    return this.#connection.remote
  }

  async sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    await this.#connection.sink(disturb(source, this.#outgoing, reason => { this.abort(reason) }, this.#gone.signal), options)
  }

  abort (reason: Error): void {
    this.#connection.abort(reason)
    this.#gone.abort(reason)
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
    this.#gone.abort(new TestingError('ERR_RESET', 'disposed'))
  }
}

async function * disturb (source: Source<Bytes>, faults: Faults, die: (reason: Error) => void, gone: AbortSignal): AsyncGenerator<Uint8ArrayList> {
  const { dropAfter, stall, delayBy } = faults
  let offset = 0
  for await (const bytes of source) {
    for (let piece of split(bytes, faults.splitEvery)) {
      const left = (dropAfter?.bytes ?? Infinity) - offset
      if (piece.byteLength > left) piece = piece.subarray(0, left)
      if (faults.corrupt != null) piece = piece.map((byte, index) => byte ^ (faults.corrupt?.(offset + index) ?? 0))
      if (stall != null) await unless(gone, stall.passed())
      if (delayBy != null) await delayed(gone, delayBy)
      offset += piece.byteLength
      if (piece.byteLength > 0) yield new Uint8ArrayList(piece)
      if (dropAfter == null || offset < dropAfter.bytes) continue

      if (dropAfter.how === 'end') return
      const reason = new TestingError('ERR_RESET', `the line broke after ${offset} bytes`, { remote: true })
      die(reason)
      throw reason
    }
  }
}

function * split (bytes: Bytes, every: number | Chunker | undefined): Generator<Uint8Array> {
  for (let piece of pieces(bytes)) {
    do {
      const size = every == null ? piece.byteLength : Math.max(1, typeof every === 'number' ? every : every(piece.byteLength))
      yield piece.subarray(0, size)
      piece = piece.subarray(size)
    } while (piece.byteLength > 0)
  }
}

async function delayed (gone: AbortSignal, { clock, ms }: { clock: Clock, ms: number }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.after(ms, resolve)
  try {
    await unless(gone, promise)
  } finally {
    cancel()
  }
}

/** Waits for `wait`, unless the connection is gone before. */
async function unless (gone: AbortSignal, wait: Promise<void>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (): void => { reject(gone.reason) }
  if (gone.aborted) fail()
  gone.addEventListener('abort', fail)
  wait.then(resolve, reject)
  try {
    await promise
  } finally {
    gone.removeEventListener('abort', fail)
  }
}
