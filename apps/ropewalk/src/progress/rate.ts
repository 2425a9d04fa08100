/**
 * A rate that follows what happens and does not flicker: an exponentially weighted mean. Pure; time is a number that you pass.
 *
 * @module
 */

/** After this time a change of speed is shown to 63 %. Ours. */
const SETTLE_MS = 2000

/** Samples nearer than this are put together: their quotient would be noise. Ours. */
const MIN_SAMPLE_MS = 50

export class Rate {
  #at: number
  #bytes = 0
  #perMs: number | undefined

  constructor (now: number) {
    this.#at = now
  }

  /** `bytes` have moved in all until `now`. */
  sample (bytes: number, now: number): void {
    const elapsed = now - this.#at
    if (elapsed < MIN_SAMPLE_MS) return
    const current = (bytes - this.#bytes) / elapsed
    const weight = 1 - Math.exp(-elapsed / SETTLE_MS)
    this.#perMs = this.#perMs === undefined ? current : this.#perMs + weight * (current - this.#perMs)
    this.#at = now
    this.#bytes = bytes
  }

  /** Undefined before the first sample. */
  get bytesPerSecond (): number | undefined {
    return this.#perMs === undefined ? undefined : this.#perMs * 1000
  }

  /** Seconds until `left` bytes have moved; undefined where nothing moves. */
  secondsFor (left: number): number | undefined {
    if (left === 0) return 0
    return this.#perMs === undefined || this.#perMs <= 0 ? undefined : left / this.#perMs / 1000
  }
}
