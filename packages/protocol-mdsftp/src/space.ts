import type { FragmentStore, Ledger, LedgerLimits } from '@ropewalk/interface'
import { MAX_OWNER_RESERVATIONS, MAX_RESERVATION_AGE_MS, MAX_RESERVATIONS, RESERVATION_LIFE_MS } from './constants.ts'
import type { NodeOptions } from './node-options.ts'
import { WrittenBytes } from './written-state.ts'

/** How much may be promised, to whom, and for how long. */
export class Space {
  readonly written: WrittenBytes = new WrittenBytes()
  readonly #store: FragmentStore
  readonly #ledger: Ledger
  readonly #options: NodeOptions
  #asking: Promise<{ available: number, writtenBefore: number }> | undefined

  constructor (store: FragmentStore, ledger: Ledger, options: NodeOptions) {
    this.#store = store
    this.#ledger = ledger
    this.#options = options
  }

  /** What the ledger is to heed now. */
  async limits (): Promise<LedgerLimits> {
    const { maxBytes = Infinity, maxReservations: maxOpen = MAX_RESERVATIONS, maxOwnerReservations: maxOwnerOpen = MAX_OWNER_RESERVATIONS, maxOwnerBytes = Infinity } = this.#options
    // Asked once for all that come meanwhile.
    this.#asking ??= this.#ask(this.written.sum).finally(() => { this.#asking = undefined })
    const { available, writtenBefore } = await this.#asking
    // Whatever was written or given back meanwhile, this is at most what there is.
    return { maxBytes, maxOpen, maxOwnerOpen, maxOwnerBytes, maxReservedBytes: available + Math.min(writtenBefore, this.written.sum) }
  }

  async #ask (writtenBefore: number): Promise<{ available: number, writtenBefore: number }> {
    return { available: await this.#store.available(), writtenBefore }
  }

  /** Bytes that somebody new could reserve. */
  async left ({ maxBytes, maxOpen, maxReservedBytes }: LedgerLimits): Promise<number> {
    const { usedBytes, reservedBytes, open } = await this.#ledger.usage()
    return open >= maxOpen ? 0 : Math.max(0, Math.min(maxBytes - usedBytes - reservedBytes, maxReservedBytes - reservedBytes))
  }

  /** When what was reserved at `createdAt`, and is prolonged at `now`, is over. */
  life (createdAt: number, now: number): number {
    const { reservationLifeMs = RESERVATION_LIFE_MS, maxReservationAgeMs = MAX_RESERVATION_AGE_MS } = this.#options
    return Math.min(now + reservationLifeMs, createdAt + maxReservationAgeMs)
  }
}
