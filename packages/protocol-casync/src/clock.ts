/**
 * Time as an argument: nothing in this package reads a clock but the one it is given.
 *
 * @module
 */

export interface Clock {
  /** Milliseconds since some moment, never going back. */
  now (): number
  /** Calls `run` once, `ms` from now. Returns what cancels it. */
  after (ms: number, run: () => void): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, LONGEST_MS))
    // A limit on waiting is no reason to wait: where timers can keep a process from ending, ours do not.
    if (typeof timer === 'object') (timer as { unref (): void }).unref()
    return () => { clearTimeout(timer) }
  }
}

/** Longer, and a timer would run at once. */
const LONGEST_MS = 2_147_483_647

/** A limit that is moved far more often than it is reached: a moved limit costs no timer, the one that is set looks again when it runs. */
export class Deadline {
  readonly #clock: Clock
  readonly #expired: (what: string, ms: number) => void
  #at = Infinity
  #ms = 0
  #what = ''
  #cancel: (() => void) | undefined
  #dueAt = Infinity

  constructor (clock: Clock, expired: (what: string, ms: number) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  /** `what` must happen within `ms` from now. */
  set (ms: number, what: string): void {
    this.#at = this.#clock.now() + ms
    this.#ms = ms
    this.#what = what
    if (this.#at < this.#dueAt) this.#arm()
  }

  /** Nothing is awaited for now. */
  clear (): void {
    this.#at = Infinity
  }

  /** Nothing is awaited any more. */
  stop (): void {
    this.#at = this.#dueAt = Infinity
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm (): void {
    this.#cancel?.()
    this.#dueAt = this.#at
    this.#cancel = this.#clock.after(this.#at - this.#clock.now(), () => {
      this.#dueAt = Infinity
      this.#cancel = undefined
      if (this.#at === Infinity) return
      if (this.#clock.now() < this.#at) return this.#arm()
      this.#at = Infinity
      this.#expired(this.#what, this.#ms)
    })
  }
}
