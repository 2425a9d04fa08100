/**
 * Asks a peer that has been silent for long whether it is still there.
 */
import type { Clock } from './clock.ts'

export interface HeartbeatOptions {
  clock: Clock
  /** Silence after which the peer is asked. */
  intervalMs: number
  /** Further silence after which it counts as gone. */
  timeoutMs: number
  ask: () => void
  gone: () => void
}

export class Heartbeat {
  readonly #options: HeartbeatOptions
  #cancel: () => void
  #heard = false

  constructor (options: HeartbeatOptions) {
    this.#options = options
    this.#cancel = this.#wait()
  }

  /** Something came. */
  heard (): void {
    this.#heard = true
  }

  stop (): void {
    this.#cancel()
  }

  #wait (): () => void {
    this.#heard = false
    const { clock, intervalMs } = this.#options
    return clock.after(intervalMs, () => { this.#cancel = this.#heard ? this.#wait() : this.#ask() })
  }

  #ask (): () => void {
    const { clock, timeoutMs, ask, gone } = this.#options
    const cancel = clock.after(timeoutMs, () => {
      if (this.#heard) this.#cancel = this.#wait()
      else gone()
    })
    ask()
    return cancel
  }
}
