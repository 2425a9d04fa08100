import { StoreError } from './errors.ts'

/** Counts bytes against a limit before they are written. */
export class Quota {
  readonly maxBytes: number
  #used: number

  constructor (maxBytes: number, used: number) {
    this.maxBytes = maxBytes
    this.#used = used
  }

  get available (): number {
    return Math.max(0, this.maxBytes - this.#used)
  }

  take (bytes: number): void {
    if (bytes > this.available) throw new StoreError('ERR_NO_SPACE', `quota: ${this.#used} + ${bytes} > ${this.maxBytes} bytes`)
    this.#used += bytes
  }

  giveBack (bytes: number): void {
    this.#used -= bytes
  }
}
