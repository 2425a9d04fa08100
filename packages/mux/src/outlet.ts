/**
 * The sending half of a channel of bytes: a source that is pulled as far as there is room, and what of it waits to be
 * cut into frames.
 *
 * @module
 */
import type { AbortOptions, Bytes, Source } from '@ropewalk/interface'
import { Feeder, type FeederTarget } from './feeder.ts'
import { Outbox } from './outbox.ts'

/** Bytes that wait on one channel before its source is pulled no further. Ours. */
export const SEND_BUFFER_BYTES = 196_608

/** Arrays that wait on one channel before its source is pulled no further. Ours. */
export const SEND_BUFFER_PIECES = 1024

export interface OutletTarget {
  /** There may be something to write. */
  ready (): void
  /** The source failed, or the signal of the sink aborted. */
  abort (error: Error): void
}

export class Outlet implements FeederTarget {
  readonly #target: OutletTarget
  readonly #outbox: Outbox = new Outbox()
  #feeder: Feeder | undefined
  #resolve: (() => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #exhausted = false
  #adopted = false
  #error: Error | undefined

  constructor (target: OutletTarget) {
    this.#target = target
  }

  /** Bytes that wait to be written. */
  get waiting (): number {
    return this.#outbox.bytes
  }

  /** Bytes of the array that is next. */
  get next (): number {
    return this.#outbox.next
  }

  /** The source has ended: behind what waits there is only the end. */
  get exhausted (): boolean {
    return this.#exhausted
  }

  /** Resolves when `finish` says that all was written. */
  sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    if (this.#feeder !== undefined || this.#adopted) return Promise.reject(new TypeError('a channel has one sink'))
    const feeder = this.#feeder = new Feeder(source, this)
    const sent = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (signal?.aborted === true) this.#target.abort(asError(signal.reason))
    if (this.#error !== undefined) this.#stop(this.#error)
    else feeder.pull()
    if (signal === undefined) return sent
    const abort = (): void => this.#target.abort(asError(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    return sent.finally(() => signal.removeEventListener('abort', abort))
  }

  /** From now on an adapter writes with `take` and `ended`; there is no sink any more. */
  adopt (): void {
    this.#adopted = true
  }

  /** Puts `bytes` behind what waits, without a source. False when that is enough: the caller bounds what it writes. */
  take (bytes: Bytes): boolean {
    if (this.#error !== undefined || this.#exhausted) return false
    if (bytes instanceof Uint8Array) this.#outbox.push(bytes)
    else for (const piece of bytes) this.#outbox.push(piece)
    if (this.#outbox.bytes > 0) this.#target.ready()
    return this.#outbox.bytes < SEND_BUFFER_BYTES && this.#outbox.pieces < SEND_BUFFER_PIECES
  }

  /** Ends behind what waits. */
  ended (): void {
    this.#exhausted = true
    this.#target.ready()
  }

  /** The source failed. */
  broken (error: Error): void {
    this.#target.abort(error)
  }

  /** Exactly `bytes` of what waits, in pieces. */
  cut (bytes: number): Uint8Array[] {
    return this.#outbox.take(bytes)
  }

  /** There is room for more of the source. */
  get roomy (): boolean {
    return this.#outbox.bytes < SEND_BUFFER_BYTES / 2 && this.#outbox.pieces < SEND_BUFFER_PIECES
  }

  /** Pulls the source again if there is room. True when there is something to write at once. */
  refill (): boolean {
    if (this.roomy) this.#feeder?.pull()
    // A source that answers at once has refilled the outbox, or ended it, by now.
    return this.#outbox.bytes > 0 || this.#exhausted
  }

  /** The end was written. */
  finish (): void {
    this.#resolve?.()
  }

  /** Nothing more is written: leaves the source, and fails the sink, now or when there will be one. */
  fail (error: Error): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#stop(error)
  }

  #stop (error: Error): void {
    this.#outbox.clear()
    this.#feeder?.stop()
    this.#reject?.(error)
  }
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
