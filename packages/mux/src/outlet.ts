/**
 * The sending half of a channel of bytes: a source that is pulled as far as there is room, and what of it waits to be
 * cut into frames.
 *
 * @module
 */
import type { AbortOptions, Bytes, Source } from '@ropewalk/interface'
import { Feeder } from './feeder.ts'
import { Outbox } from './outbox.ts'

/** Bytes that wait on one channel before its source is pulled no further. Ours. */
export const SEND_BUFFER_BYTES = 131_072

/** Arrays that wait on one channel before its source is pulled no further. Ours. */
export const SEND_BUFFER_PIECES = 1024

export interface OutletTarget {
  /** There may be something to write. */
  ready (): void
  /** The source failed, or the signal of the sink aborted. */
  abort (error: Error): void
}

interface Sender { feeder: Feeder, resolve: () => void, reject: (error: Error) => void }

export class Outlet {
  readonly #target: OutletTarget
  readonly #outbox: Outbox = new Outbox()
  #sender: Sender | undefined
  #exhausted = false
  #error: Error | undefined

  constructor (target: OutletTarget) {
    this.#target = target
  }

  /** Bytes that wait to be written. */
  get waiting (): number {
    return this.#outbox.bytes
  }

  /** The source has ended: behind what waits there is only the end. */
  get exhausted (): boolean {
    return this.#exhausted
  }

  /** Resolves when `finish` says that all was written. */
  sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    if (this.#sender !== undefined) return Promise.reject(new TypeError('a channel has one sink'))
    const sent = new Promise<void>((resolve, reject) => {
      const feeder = new Feeder(source, {
        take: bytes => this.#take(bytes),
        exhausted: () => {
          this.#exhausted = true
          this.#target.ready()
        },
        broken: error => this.#target.abort(error)
      })
      this.#sender = { feeder, resolve, reject }
      if (signal?.aborted === true) this.#target.abort(asError(signal.reason))
      if (this.#error !== undefined) this.#stop(this.#error)
      else feeder.pull()
    })
    if (signal === undefined) return sent
    const abort = (): void => this.#target.abort(asError(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    return sent.finally(() => signal.removeEventListener('abort', abort))
  }

  /** Exactly `bytes` of what waits, in pieces. */
  take (bytes: number): Uint8Array[] {
    return this.#outbox.take(bytes)
  }

  /** Pulls the source again if there is room. True when there is something to write at once. */
  refill (): boolean {
    if (this.#outbox.bytes < SEND_BUFFER_BYTES / 2 && this.#outbox.pieces < SEND_BUFFER_PIECES) this.#sender?.feeder.pull()
    // A source that answers at once has refilled the outbox, or ended it, by now.
    return this.#outbox.bytes > 0 || this.#exhausted
  }

  /** The end was written. */
  finish (): void {
    this.#sender?.resolve()
  }

  /** Nothing more is written: leaves the source, and fails the sink, now or when there will be one. */
  fail (error: Error): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#stop(error)
  }

  #take (bytes: Bytes): boolean {
    if (bytes instanceof Uint8Array) this.#outbox.push(bytes)
    else for (const piece of bytes) this.#outbox.push(piece)
    if (this.#outbox.bytes > 0) this.#target.ready()
    return this.#outbox.bytes < SEND_BUFFER_BYTES && this.#outbox.pieces < SEND_BUFFER_PIECES
  }

  #stop (error: Error): void {
    this.#outbox.clear()
    this.#sender?.feeder.stop()
    this.#sender?.reject(error)
  }
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
