/**
 * Time as an argument: the operations of this package read no clock but the one they are given.
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
    if (typeof timer === 'object') timer.unref()
    return () => { clearTimeout(timer) }
  }
}

/** Waits so long, or rejects with the signal's reason. Unlike a limit it is a reason to wait: a process does not end meanwhile. */
export function pause (clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (clock === systemClock ? afterAll : clock.after.bind(clock))(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    const abort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

function afterAll (ms: number, run: () => void): () => void {
  const timer = setTimeout(run, Math.min(ms, LONGEST_MS))
  return () => { clearTimeout(timer) }
}

/** Longer, and a timer would run at once. */
const LONGEST_MS = 2_147_483_647

/**
 * A limit that is moved far more often than it is reached: a moved limit costs no timer, the one that is set looks again
 * when it runs.
 */
export class Deadline {
  readonly #clock: Clock
  readonly #expired: (what: string, ms: number) => void
  #at = Infinity
  #ms = 0
  #what = ''
  #dueAt = Infinity
  #cancel: (() => void) | undefined

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
