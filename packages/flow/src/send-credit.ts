import { DEFAULT_MAX_CREDIT } from './constants.ts'
import { assertBound, assertUnits } from './units.ts'

export interface SendCreditOptions {
  /** Most credit the peer may let pile up. Default 2^32 - 1. */
  maxUnits?: number | undefined
}

/** Send credit: what we may still send. The peer grants, we spend. Pure: no I/O, no clock, no promises. */
export class SendCredit {
  readonly #maxUnits: number
  #available: number

  constructor (units: number, options: SendCreditOptions = {}) {
    this.#maxUnits = options.maxUnits ?? DEFAULT_MAX_CREDIT
    assertBound('maxUnits', this.#maxUnits)
    assertUnits('units', units)
    if (units > this.#maxUnits) throw new RangeError(`begins over its maximum: ${units} > ${this.#maxUnits} units`)
    this.#available = units
  }

  /** Units that may be sent now. */
  get available (): number {
    return this.#available
  }

  /** We send `units`. To send more than there is credit for is the caller's mistake: RangeError. */
  spend (units: number): void {
    assertUnits('units', units)
    if (units > this.#available) throw new RangeError(`spent more than is available: ${units} > ${this.#available} units`)
    this.#available -= units
  }

  /** The peer grants `units` more. False, and nothing changes, if that passes the maximum: the peer is at fault. */
  grant (units: number): boolean {
    assertUnits('units', units)
    if (units > this.#maxUnits - this.#available) return false
    this.#available += units
    return true
  }
}
