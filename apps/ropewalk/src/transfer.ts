/**
 * One transfer as this program sees it: from the file's opening to its very end, which is more than the library's part of it.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'
import { codeOf, messageOf } from './errors.ts'

export interface TransferOptions {
  readonly transfer: string
  readonly name: string
  readonly direction: TransferEvent['direction']
  readonly emit: (event: TransferEvent) => void
}

export class Transfer {
  readonly #base: Pick<TransferEvent, 'transfer' | 'name' | 'direction'>
  readonly #emit: (event: TransferEvent) => void
  #size: number | undefined
  #bytes = 0

  constructor ({ transfer, name, direction, emit }: TransferOptions) {
    this.#base = { transfer, name, direction }
    this.#emit = emit
  }

  /** Moved so far. */
  get bytes (): number {
    return this.#bytes
  }

  started (size?: number): void {
    this.#size = size
    this.#emit({ event: 'started', ...this.#base, size })
  }

  /** Takes the library's events of this transfer; of them only progress counts. */
  readonly follow = (event: TransferEvent): void => {
    if (event.event === 'progress') this.moved(event.bytes)
  }

  /** So many bytes in all. */
  moved (bytes: number): void {
    if (bytes <= this.#bytes) return
    this.#bytes = bytes
    this.#emit({ event: 'progress', ...this.#base, bytes, size: this.#size })
  }

  finished (): void {
    this.#emit({ event: 'finished', ...this.#base, bytes: this.#bytes })
  }

  failed (error: unknown): void {
    this.#emit({ event: 'failed', ...this.#base, bytes: this.#bytes, code: codeOf(error), message: messageOf(error) })
  }
}
