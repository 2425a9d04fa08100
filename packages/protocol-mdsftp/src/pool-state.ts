/**
 * How long to wait before a node is dialled again. Pure: randomness is an argument.
 *
 *      the n-th failure waits between half of and all of  first * 2^(n - 1),  at most `most`
 *
 * @module
 */
export interface BackoffLimits {
  readonly firstMs: number
  readonly mostMs: number
}

export class Backoff {
  readonly #limits: BackoffLimits
  #failures = 0
  #notBefore = 0

  constructor (limits: BackoffLimits) {
    this.#limits = limits
  }

  /** Milliseconds until the next attempt may begin; 0 for now. */
  wait (now: number): number {
    return Math.max(0, this.#notBefore - now)
  }

  /** An attempt failed. `random` is at least 0 and below 1: without it, all who lost a node would come back to it together. */
  failed (now: number, random: number): void {
    const { firstMs, mostMs } = this.#limits
    const whole = Math.min(mostMs, firstMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    this.#notBefore = now + whole / 2 + whole / 2 * random
  }

  succeeded (): void {
    this.#failures = 0
    this.#notBefore = 0
  }
}
