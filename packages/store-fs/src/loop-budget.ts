/**
 * How long the event loop may be held up by the disk.
 *
 * What the system has at hand it answers in some microseconds; asking a thread for it costs ten times as much, most of it to wake
 * somebody. So such calls are made at once, as long as they are as quick as that. Whatever time they take is counted: when it
 * is more than its share, as with a disk that is slow or a burst of calls, threads make them until the share is there again.
 *
 * @module
 */
import { LOOP_MS, LOOP_SHARE } from './constants.ts'

export class LoopBudget {
  readonly #now: () => number
  /** Milliseconds that may be spent now; negative after a call that took long. */
  #left = LOOP_MS
  #at: number

  /** `now` is a clock in milliseconds. */
  constructor (now: () => number) {
    this.#now = now
    this.#at = now()
  }

  /** What `atOnce` returns or throws; or what `later` brings, where time is short. */
  async run<T> (atOnce: () => T, later: () => Promise<T>): Promise<T> {
    const begun = this.#now()
    this.#left = Math.min(LOOP_MS, this.#left + (begun - this.#at) * LOOP_SHARE)
    this.#at = begun
    if (this.#left <= 0) return await later()
    try {
      return atOnce()
    } finally {
      this.#left -= this.#now() - begun
    }
  }
}
