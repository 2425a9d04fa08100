import type { TransferEvent } from '@ropewalk/interface'

/** Between two lines on how far one transfer is. Ours: a picture is drawn as often. */
const PROGRESS_MS = 100

/** Who wants to know what moves: of offers that are received by their id, of files that are sent by their path. */
export class EventHub {
  readonly #listeners = new Map<string, Set<(event: TransferEvent) => void>>()

  readonly #told = new Map<string, number>()

  readonly #every: (key: string, event: TransferEvent, peer?: string) => void

  /** `every` hears everything, unthinned. */
  constructor (every: (key: string, event: TransferEvent, peer?: string) => void = () => {}) {
    this.#every = every
  }

  /** `peer`: of whom it comes, where it comes. */
  readonly emit = (key: string, event: TransferEvent, peer?: string): void => {
    this.#every(key, event, peer)
    if (!this.#listeners.has(key)) return
    const now = Date.now()
    if (event.event !== 'progress') this.#told.delete(event.transfer)
    else if (now - (this.#told.get(event.transfer) ?? 0) < PROGRESS_MS) return
    else this.#told.set(event.transfer, now)
    for (const listener of this.#listeners.get(key) ?? []) listener(event)
  }

  /** Calls `listener` for every event of these keys until the function that it returns is called. */
  listen (keys: readonly string[], listener: (event: TransferEvent) => void): () => void {
    for (const key of keys) this.#listeners.set(key, (this.#listeners.get(key) ?? new Set()).add(listener))
    return () => {
      for (const key of keys) {
        const listeners = this.#listeners.get(key)
        listeners?.delete(listener)
        if (listeners?.size === 0) this.#listeners.delete(key)
      }
    }
  }
}
