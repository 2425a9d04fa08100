/**
 * Pulls a source on demand, without an async function in between: the pump says when there is room, a value goes
 * straight into the outbox. Settles once; a source that is left early is told so.
 */
import type { Bytes, Source } from '@ropewalk/interface'

export interface FeederTarget {
  /** Takes a value. False when it has enough: call `pull` when there is room again. */
  take (bytes: Bytes): boolean
  /** The source has ended. */
  ended (): void
  /** The source failed. */
  broken (error: Error): void
}

export class Feeder {
  readonly #target: FeederTarget
  readonly #async: AsyncIterator<Bytes> | undefined
  readonly #sync: Iterator<Bytes> | undefined
  // Made once, and only where the source makes us wait.
  #came: ((result: IteratorResult<Bytes>) => void) | undefined
  #failed: ((error: unknown) => void) | undefined
  #waiting = false
  #done = false

  constructor (source: Source<Bytes>, target: FeederTarget) {
    this.#target = target
    if (Symbol.asyncIterator in source) this.#async = source[Symbol.asyncIterator]()
    else this.#sync = source[Symbol.iterator]()
  }

  /** Takes values until the target has enough. */
  pull (): void {
    if (this.#done || this.#waiting) return
    if (this.#async !== undefined) this.#next(this.#async)
    else this.#drain(this.#sync as Iterator<Bytes>)
  }

  /** Leaves the source. */
  stop (): void {
    if (this.#done) return
    this.#done = true
    try {
      const left = (this.#async ?? this.#sync)?.return?.()
      if (left instanceof Promise) left.catch(() => {})
    } catch {
      // A source that fails to stop has nobody left to tell.
    }
  }

  #drain (iterator: Iterator<Bytes>): void {
    try {
      for (;;) {
        const result = iterator.next()
        if (this.#done || this.#finish(result) || !this.#target.take(result.value as Bytes)) return
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #next (iterator: AsyncIterator<Bytes>): void {
    this.#waiting = true
    this.#came ??= result => {
      this.#waiting = false
      if (this.#done || this.#finish(result)) return
      if (this.#target.take(result.value as Bytes)) this.#next(iterator)
    }
    this.#failed ??= error => {
      this.#waiting = false
      this.#fail(error)
    }
    iterator.next().then(this.#came, this.#failed)
  }

  #finish (result: IteratorResult<Bytes>): boolean {
    if (result.done !== true) return false
    this.#done = true
    this.#target.ended()
    return true
  }

  #fail (error: unknown): void {
    if (this.#done) return
    this.#done = true
    this.#target.broken(error instanceof Error ? error : new Error(String(error)))
  }
}
