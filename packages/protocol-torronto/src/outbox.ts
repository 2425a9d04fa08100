/** What waits to be said to one peer: one connection at a time, in order (rule T1). */
import type { Clock } from './clock.ts'
import { MAX_OUTBOX, SEND_PAUSE_MS } from './constants.ts'

export interface OutboxOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether a pause is due between two connections. */
  readonly pause: () => boolean
  /** A connection failed. What waited behind it is gone. */
  readonly failed: () => void
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #items: Array<() => Promise<void>> = []
  #running: Promise<void> | undefined

  constructor (options: OutboxOptions) {
    this.#options = options
  }

  /** Resolves when nothing waits. */
  get idle (): Promise<void> | undefined {
    return this.#running
  }

  push (work: () => Promise<void>): void {
    if (this.#items.length >= MAX_OUTBOX) return
    this.#items.push(work)
    this.#running ??= this.#drain()
  }

  async #drain (): Promise<void> {
    const { clock, signal, pause, failed } = this.#options
    for (let work = this.#items.shift(); work !== undefined && !signal.aborted; work = this.#items.shift()) {
      try {
        await work()
        if (this.#items.length > 0 && pause()) await new Promise<void>(resolve => { clock.after(SEND_PAUSE_MS, resolve) })
      } catch {
        this.#items.length = 0
        failed()
      }
    }
    // Before anybody else can push: what came later would wait for ever.
    this.#running = undefined
  }
}
