/**
 * Who listens to changes. Each has a bounded queue; who reads too slowly is disconnected.
 *
 * @module
 */
import type { AbortOptions } from '@ropewalk/interface'
import { MAX_QUEUED_EVENTS } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import type { Offer } from './json-codec.ts'

interface Listener { readonly accepts: (offer: Offer) => boolean, readonly queue: Offer[], failed: boolean, wake: () => void }

export class Listeners {
  readonly #listeners = new Set<Listener>()
  readonly #maxQueued: number

  constructor (maxQueued: number = MAX_QUEUED_EVENTS) {
    this.#maxQueued = maxQueued
  }

  publish (offer: Offer): void {
    for (const listener of this.#listeners) {
      if (!listener.accepts(offer)) continue
      if (listener.queue.length >= this.#maxQueued) listener.failed = true
      else listener.queue.push(offer)
      listener.wake()
    }
  }

  /** What is published from this call on. `ERR_SLOW` when more is waiting than is kept. */
  listen (accepts: (offer: Offer) => boolean, { signal }: AbortOptions): AsyncIterable<Offer> {
    const listener: Listener = { accepts, queue: [], failed: false, wake: () => {} }
    this.#listeners.add(listener)
    return this.#events(listener, signal)
  }

  async * #events (listener: Listener, signal: AbortSignal | undefined): AsyncGenerator<Offer, void, undefined> {
    const stop = (): void => { listener.wake() }
    signal?.addEventListener('abort', stop)
    try {
      for (;;) {
        if (listener.failed) throw new WarpdriveError('ERR_SLOW', `a listener lags: more than ${this.#maxQueued} events`)
        const next = listener.queue.shift()
        if (next !== undefined) yield next
        else if (signal?.aborted === true) return
        else await new Promise<void>(resolve => { listener.wake = resolve })
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#listeners.delete(listener)
    }
  }
}
