/** Room for so many at once; who comes later waits, in turn. */
export class Room {
  #free: number
  readonly #waiting: Array<() => void> = []

  constructor (places: number) {
    this.#free = places
  }

  /** Resolves, when there is a place, to what gives it back. Rejects with the signal's reason. */
  async enter (signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    return () => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }

  #wait (signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(enter)
    })
  }
}

/** Calls `work` for every item, in their order, with at most `width` calls under way. Stops beginning new ones when the signal aborts. */
export async function inParallel<Item> (items: readonly Item[], width: number, signal: AbortSignal, work: (item: Item, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    while (next < items.length && !signal.aborted) {
      const index = next++
      await work(items[index] as Item, index)
    }
  })
  await Promise.all(lanes)
}
