/**
 * Token bucket: a mean rate with bursts. Pure: time is a number that you pass, in milliseconds from any origin.
 *
 * The bucket begins full and refills up to `burst`. A take larger than `burst` is let through once the bucket is full and leaves
 * a debt that later takes wait out, so the mean rate holds whatever the sizes.
 *
 * @module
 */
import { assertUnits } from './units.ts'

/** Share of `burst` by which the bucket may fall short, so that rounding in floating point does not ask for one more wait. Ours. */
const TOLERANCE = 1e-9

export interface TokenBucketOptions {
  /** Tokens added a second. More than 0. */
  ratePerSecond: number
  /** Tokens the bucket holds when full. More than 0. */
  burst: number
}

export class TokenBucket {
  readonly #burst: number
  #rate: number
  #tokens: number
  #sinceMs: number | undefined

  constructor (options: TokenBucketOptions) {
    assertPositive('ratePerSecond', options.ratePerSecond)
    assertPositive('burst', options.burst)
    this.#rate = options.ratePerSecond
    this.#burst = options.burst
    this.#tokens = options.burst
  }

  /** Takes `n` tokens and returns 0, or takes nothing and returns the whole milliseconds after which the same take succeeds. */
  take (n: number, nowMs: number): number {
    assertUnits('n', n)
    this.#refill(nowMs)
    const missing = Math.min(n, this.#burst) - this.#tokens
    const tolerance = this.#burst * TOLERANCE
    if (missing > tolerance) return Math.ceil((missing - tolerance / 2) * 1000 / this.#rate)
    this.#tokens -= n
    return 0
  }

  /** Changes the rate from `nowMs` on; what was earned until then was earned at the old one. */
  setRate (ratePerSecond: number, nowMs: number): void {
    assertPositive('ratePerSecond', ratePerSecond)
    this.#refill(nowMs)
    this.#rate = ratePerSecond
  }

  /** A clock that steps back earns nothing and loses nothing: time counts from the new reading, or the bucket would stay dry until the old one. */
  #refill (nowMs: number): void {
    if (!Number.isFinite(nowMs)) throw new RangeError(`nowMs must be finite: ${nowMs}`)
    const elapsedMs = Math.max(0, nowMs - (this.#sinceMs ?? nowMs))
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#rate / 1000)
    this.#sinceMs = nowMs
  }
}

function assertPositive (name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0) throw new RangeError(`${name} must be over 0: ${value}`)
}
