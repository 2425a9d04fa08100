/**
 * The code that is out, and whether its one guess is left. Pure: time is a number.
 *
 * @module
 */
import { CODE_LIFETIME_MS } from './constants.ts'
import { formatCode, type Code } from './code-codec.ts'
import { PairError } from './errors.ts'

export class CodeState {
  readonly #lifetimeMs: number
  #code: Code | undefined
  #until = -Infinity

  constructor (options: { lifetimeMs?: number | undefined } = {}) {
    this.#lifetimeMs = options.lifetimeMs ?? CODE_LIFETIME_MS
  }

  /** Puts a code out. One that was out before is void. */
  issue (code: Code, now: number): void {
    this.#code = code
    this.#until = now + this.#lifetimeMs
  }

  /** The public part of the code that is out, undefined where none is. */
  plate (now: number): number | undefined {
    return now < this.#until ? this.#code?.plate : undefined
  }

  /** The code for the one guess that it is good for: it is void from here on, whatever becomes of the guess. */
  take (now: number): string {
    const code = this.#code
    const late = now >= this.#until
    this.revoke()
    if (code === undefined || late) throw new PairError('ERR_NO_CODE', 'no code is out')
    return formatCode(code)
  }

  revoke (): void {
    this.#code = undefined
    this.#until = -Infinity
  }
}
