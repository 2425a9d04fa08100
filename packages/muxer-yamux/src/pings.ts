/** Our own pings: one at a time is under way, whoever asks meanwhile shares it. */
import type { AbortOptions } from '@ropewalk/interface'
import type { Clock } from './clock.ts'

export class Pings {
  readonly #clock: Clock
  readonly #send: (value: number) => void
  #value = 0
  #sentMs = 0
  #current: PromiseWithResolvers<number> | undefined

  constructor (clock: Clock, send: (value: number) => void) {
    this.#clock = clock
    this.#send = send
  }

  /** Resolves to the round trip in milliseconds. */
  async ping ({ signal }: AbortOptions = {}): Promise<number> {
    signal?.throwIfAborted()
    const { promise } = this.#current ??= this.#begin()
    if (signal === undefined) return await promise
    const aborted = Promise.withResolvers<never>()
    const abort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([promise, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** An answer came. False when nobody asked for it. */
  answered (value: number): boolean {
    const current = this.#current
    if (current === undefined || value !== this.#value) return false
    this.#current = undefined
    current.resolve(this.#clock.now() - this.#sentMs)
    return true
  }

  fail (error: Error): void {
    this.#current?.reject(error)
    this.#current = undefined
  }

  #begin (): PromiseWithResolvers<number> {
    const ping = Promise.withResolvers<number>()
    ping.promise.catch(() => {})
    this.#value = (this.#value + 1) >>> 0
    this.#sentMs = this.#clock.now()
    this.#send(this.#value)
    return ping
  }
}
