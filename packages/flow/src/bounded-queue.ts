import { Ring } from './ring.ts'
import { assertBound, assertUnits } from './units.ts'

export interface BoundedQueueLimits {
  /** Most items. */
  maxItems: number
  /** Most weight of all items together, in whatever unit `push` is told; usually bytes. */
  maxWeight: number
}

interface Weighed<T> {
  readonly item: T
  readonly weight: number
}

/** A FIFO bounded in items and in weight, since a peer that may fill only one of them fills the other. Pure. */
export class BoundedQueue<T> {
  readonly #maxItems: number
  readonly #maxWeight: number
  readonly #ring: Ring<Weighed<T>> = new Ring()
  #weight = 0

  constructor (limits: BoundedQueueLimits) {
    assertBound('maxItems', limits.maxItems)
    assertBound('maxWeight', limits.maxWeight)
    this.#maxItems = limits.maxItems
    this.#maxWeight = limits.maxWeight
  }

  /** Items queued. */
  get size (): number {
    return this.#ring.length
  }

  /** Weight of the items queued. */
  get weight (): number {
    return this.#weight
  }

  /** Whether an item of weight 1 would be refused. */
  get full (): boolean {
    return this.size >= this.#maxItems || this.#weight >= this.#maxWeight
  }

  /** Appends. False, and nothing changes, if a bound would be passed. */
  push (item: T, weight: number): boolean {
    assertUnits('weight', weight)
    if (this.size >= this.#maxItems || weight > this.#maxWeight - this.#weight) return false
    this.#ring.push({ item, weight })
    this.#weight += weight
    return true
  }

  /** Removes the oldest item; `undefined` when there is none. */
  shift (): T | undefined {
    const oldest = this.#ring.shift()
    if (oldest === undefined) return undefined
    this.#weight -= oldest.weight
    return oldest.item
  }

  /** The oldest item, left where it is. */
  peek (): T | undefined {
    return this.#ring.at(0)?.item
  }

  clear (): void {
    this.#ring.clear()
    this.#weight = 0
  }
}
