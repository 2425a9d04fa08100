import { turn } from './turn.ts'

/** Time as an argument. Structural: a package that needs a clock declares the same shape and never imports this one. */
export interface Clock {
  /** Milliseconds since some moment. */
  now (): number
  /** Calls `run` once, `ms` from now. Returns what cancels it. */
  after (ms: number, run: () => void): () => void
}

interface Timer {
  readonly at: number
  readonly run: () => void
}

/** A clock that stands still until it is told to move. */
export class VirtualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor (now: number = 0) {
    this.#now = now
  }

  now (): number {
    return this.#now
  }

  /** Timers that have neither run nor been cancelled. Zero when everything has cleaned up after itself. */
  get pending (): number {
    return this.#timers.size
  }

  after (ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), run }
    this.#timers.add(timer)
    return () => { this.#timers.delete(timer) }
  }

  /**
   * Moves on by `ms`: runs what becomes due, earliest first and in the order of setting among equals, and after each lets
   * everything that waits on promises happen, timers that are set meanwhile included.
   */
  async advance (ms: number): Promise<void> {
    const until = this.#now + ms
    await turn()
    for (let timer = this.#due(until); timer != null; timer = this.#due(until)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.at)
      timer.run()
      await turn()
    }
    this.#now = until
  }

  #due (until: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= until && (first == null || timer.at < first.at)) first = timer
    }
    return first
  }
}
