import type { TransferEvent } from '@ropewalk/interface'

let transfers = 0

/** Tells of one transfer as TransferEvents. Without a listener it does nothing. */
export class Report {
  readonly #emit: ((event: TransferEvent) => void) | undefined
  readonly #base: Pick<TransferEvent, 'transfer' | 'name' | 'direction'>
  readonly #size: number | undefined
  #bytes = 0

  constructor (emit: ((event: TransferEvent) => void) | undefined, name: string, direction: TransferEvent['direction'], size?: number) {
    this.#emit = emit
    this.#base = { transfer: emit === undefined ? '' : String(++transfers), name, direction }
    this.#size = size
    emit?.({ event: 'started', ...this.#base, size })
  }

  /** So many bytes in all. */
  progress (bytes: number): void {
    this.#bytes = bytes
    this.#emit?.({ event: 'progress', ...this.#base, bytes, size: this.#size })
  }

  finished (): void {
    this.#emit?.({ event: 'finished', ...this.#base, bytes: this.#bytes })
  }

  failed (error: unknown): void {
    const { code, message } = (error ?? {}) as { code?: unknown, message?: unknown }
    this.#emit?.({ event: 'failed', ...this.#base, bytes: this.#bytes, code: typeof code === 'string' ? code : 'ERR_ABORTED', message: typeof message === 'string' ? message : String(error) })
  }
}
