import { MAX_HALF_OPEN } from './constants.ts'
import { StorageError } from './errors.ts'

/** Counts connections that have not said who they are, one for everything that accepts: silent ones must not pile up (finding 16). */
export class Arrivals {
  readonly #most: number
  #now = 0

  constructor (most: number = MAX_HALF_OPEN) {
    this.#most = most
  }

  /** One has come. `ERR_MAX_CONNECTIONS` when it is one too many; otherwise call what this returns when it has said who it is, or is gone. */
  enter (): () => void {
    if (this.#now >= this.#most) throw new StorageError('ERR_MAX_CONNECTIONS', 'connection', `${this.#now + 1} > ${this.#most} connections that have not said who they are`)
    this.#now++
    return () => { this.#now-- }
  }
}
