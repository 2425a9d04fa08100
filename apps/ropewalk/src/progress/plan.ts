/**
 * What is moving, as numbers. Pure: fed by TransferEvents, read by whoever draws.
 *
 * Totals never go back: bytes that a failed transfer moved stay counted, and what it will not move any more
 * leaves the goal.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'

export interface Transfer {
  readonly id: string
  readonly name: string
  bytes: number
  size: number | undefined
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
      bytes += transfer.bytes
      goal = goal === undefined || transfer.size === undefined ? undefined : goal + Math.max(transfer.size, transfer.bytes)
    }
    const files = Math.max(this.#seen, this.#expected.files ?? 0)
    const known = this.#expected.bytes
    if (known !== undefined) goal = Math.max(known - this.#lost, bytes)
    // Sizes of what has not begun are unknown.
    else if (this.#seen < files) goal = undefined
    return { finished: this.#finished, failed: this.#failed, files, bytes, goal }
  }

  #begin ({ transfer: id, name }: TransferEvent): Transfer {
    const transfer: Transfer = { id, name, bytes: 0, size: undefined }
    this.#active.set(id, transfer)
    this.#seen++
    return transfer
  }

  #end (transfer: Transfer, how: 'finished' | 'failed'): void {
    this.#active.delete(transfer.id)
    this.#settled += transfer.bytes
    if (how === 'finished') {
      this.#finished++
    } else {
      this.#failed++
      this.#lost += Math.max(0, (transfer.size ?? 0) - transfer.bytes)
    }
  }
}
