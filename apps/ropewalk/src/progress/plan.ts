/**
 * What is moving, as numbers. Pure: fed by TransferEvents, read by whoever draws.
 *
 * Totals never go back: bytes that a failed transfer moved stay counted, and what it will not move any more
 * leaves the goal. One that goes on has not failed, and its bytes count once.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'

export interface Transfer {
  readonly id: string
  readonly name: string
  bytes: number
  size: number | undefined
  /** So many of them were counted before it failed the first time. */
  readonly counted: number
}

export interface Expected {
  /** Transfers that there will be in all, where it is known. */
  files?: number | undefined
  /** Bytes that they will move in all, where it is known. */
  bytes?: number | undefined
}

export interface Totals {
  readonly finished: number
  readonly failed: number
  /** Transfers in all, at least those seen. */
  readonly files: number
  readonly bytes: number
  /** Bytes in all; undefined while some size is unknown. */
  readonly goal: number | undefined
}

export class Plan {
  readonly #expected: Expected
  readonly #active = new Map<string, Transfer>()
  /** Those that failed, of which some go on. */
  readonly #broken = new Map<string, { readonly counted: number, readonly lost: number }>()
  #seen = 0
  #finished = 0
  #failed = 0
  /** Bytes of transfers that are over. */
  #settled = 0
  /** Bytes that were expected and will not move. */
  #lost = 0

  constructor (expected: Expected = {}) {
    this.#expected = expected
  }

  /** In the order of their beginning. */
  get active (): Transfer[] {
    return [...this.#active.values()]
  }

  apply (event: TransferEvent): void {
    const transfer = this.#active.get(event.transfer) ?? this.#begin(event)
    if (event.event === 'started' || event.event === 'progress') transfer.size = event.size ?? transfer.size
    if (event.event !== 'started') transfer.bytes = Math.max(transfer.bytes, event.bytes)
    if (event.event === 'finished' || event.event === 'failed') this.#end(transfer, event.event)
  }

  totals (): Totals {
    let bytes = this.#settled
    let goal: number | undefined = this.#settled
    for (const transfer of this.#active.values()) {
      bytes += movedBy(transfer)
      goal = goal === undefined || transfer.size === undefined ? undefined : goal + Math.max(transfer.size - transfer.counted, movedBy(transfer))
    }
    const files = Math.max(this.#seen, this.#expected.files ?? 0)
    const known = this.#expected.bytes
    if (known !== undefined) goal = Math.max(known - this.#lost, bytes)
    // Sizes of what has not begun are unknown.
    else if (this.#seen < files) goal = undefined
    return { finished: this.#finished, failed: this.#failed, files, bytes, goal }
  }

  /** So many bytes of a transfer that begins now were counted before it broke. */
  countedOf (id: string): number {
    return this.#broken.get(id)?.counted ?? 0
  }

  #begin ({ transfer: id, name }: TransferEvent): Transfer {
    const broken = this.#broken.get(id)
    const transfer: Transfer = { id, name, bytes: 0, size: undefined, counted: broken?.counted ?? 0 }
    this.#active.set(id, transfer)
    if (broken === undefined) this.#seen++
    else {
      this.#broken.delete(id)
      this.#failed--
      this.#lost -= broken.lost
    }
    return transfer
  }

  #end (transfer: Transfer, how: 'finished' | 'failed'): void {
    this.#active.delete(transfer.id)
    this.#settled += movedBy(transfer)
    if (how === 'finished') {
      this.#finished++
    } else {
      const [counted, lost] = [Math.max(transfer.counted, transfer.bytes), Math.max(0, (transfer.size ?? 0) - transfer.bytes)]
      this.#failed++
      this.#lost += lost
      this.#broken.set(transfer.id, { counted, lost })
    }
  }
}

/** Bytes that are not counted yet. */
function movedBy ({ bytes, counted }: Transfer): number {
  return Math.max(0, bytes - counted)
}
