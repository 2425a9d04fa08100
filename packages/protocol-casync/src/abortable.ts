/** Whoever waits until a signal aborts, with one listener for all of them: to add one for each takes longer than all else that a chunk takes here. */
class Waits {
  readonly #rejects = new Set<(error: unknown) => void>()
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => { for (const reject of this.#rejects) reject(this.#signal.reason) }

  constructor (signal: AbortSignal) {
    this.#signal = signal
  }

  add (reject: (error: unknown) => void): void {
    if (this.#rejects.size === 0) this.#signal.addEventListener('abort', this.#onAbort)
    this.#rejects.add(reject)
  }

  delete (reject: (error: unknown) => void): void {
    this.#rejects.delete(reject)
    if (this.#rejects.size === 0) this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

const waiting = new WeakMap<AbortSignal, Waits>()

/** What `waited` comes to, or a rejection with the reason of `signal` when that aborts meanwhile. */
export async function abortable<T> (waited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await waited
  let waits = waiting.get(signal)
  if (waits === undefined) waiting.set(signal, waits = new Waits(signal))
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  waits.add(reject)
  try {
    return await Promise.race([waited, aborted])
  } finally {
    waits.delete(reject)
  }
}
