/** Those who want to open a channel while too many wait for the peer's acknowledgement. */
export class Openers {
  readonly #waiting = new Set<PromiseWithResolvers<void>>()
  #error: Error | undefined

  get size (): number {
    return this.#waiting.size
  }

  /** Throws what was given to `fail`. */
  assert (): void {
    if (this.#error !== undefined) throw this.#error
  }

  async wait (signal?: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>()
    const abort = (): void => turn.reject(signal?.reason)
    this.#waiting.add(turn)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await turn.promise
    } finally {
      this.#waiting.delete(turn)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The one who waited longest may try again. */
  release (): void {
    for (const turn of this.#waiting) {
      this.#waiting.delete(turn)
      turn.resolve()
      return
    }
  }

  /** Nobody opens any more. */
  fail (error: Error): void {
    this.#error ??= error
    for (const turn of this.#waiting) turn.reject(error)
    this.#waiting.clear()
  }
}
