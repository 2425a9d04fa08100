/**
 * What a receiver of content has received, and whether that is what was announced. Pure.
 *
 * The reference checks neither numbers nor totals (findings 9 and 10): what is short is complete to it, and what is long
 * is accepted.
 *
 * @module
 */
import { StorageError } from './errors.ts'

export class ReceiverState {
  readonly #size: number | undefined
  #received = 0
  #next = 0
  #complete = false

  /** `size` is what was announced; `undefined` where the wire cannot tell (Retrieve in the seed profile). */
  constructor (size: number | undefined) {
    this.#size = size
  }

  get received (): number { return this.#received }
  /** The last fragment has come, and everything before it. */
  get complete (): boolean { return this.#complete }

  /** A fragment came. Throws, before it is counted, when it cannot belong to the transfer. */
  fragment (number: number, bytes: number, last: boolean): void {
    if (number !== this.#next) throw new StorageError('ERR_FRAGMENT_ORDER', 'transfer', `fragment ${number} instead of ${this.#next}`)
    const received = this.#received + bytes
    if (this.#size !== undefined && received > this.#size) throw new StorageError('ERR_OVERFLOW', 'transfer', `${received} > ${this.#size} bytes announced`)
    if (this.#size !== undefined && last && received < this.#size) throw new StorageError('ERR_INCOMPLETE', 'transfer', `${received} < ${this.#size} bytes announced`)
    this.#received = received
    this.#next = number + 1
    this.#complete = last
  }
}
