/**
 * A rate that several draw from: whoever asks first is served first, each for so many bytes as it moves.
 *
 * @module
 */
import { TokenBucket } from '@ropewalk/flow'
import type { AbortOptions } from '@ropewalk/interface'
import type { Clock } from './clock.ts'
import { formatRate, rateAt, type Rate } from './rate.ts'

/** Smallest burst, and the share of a second that one may have at once. Ours. */
const MIN_BURST_BYTES = 16_384
const BURST_SECONDS = 0.25

/** After so long the timetable is looked at again, whatever somebody waits for. Ours. */
const LOOK_MS = 1000

interface Waiter {
  readonly bytes: number
  readonly resolve: () => void
}

export class Line {
  /** The setting that it comes from. */
  readonly name: string
  readonly #clock: Clock
  readonly #minute: (now: number) => number
  readonly #waiting: Waiter[] = []
  #rate: Rate
  /** At no time of the day there is a limit. */
  #free: boolean
  #speed: number | undefined
  #bucket: TokenBucket | undefined
  #cancel: (() => void) | undefined

  constructor (name: string, rate: Rate, clock: Clock, minute: (now: number) => number) {
    this.name = name
    this.#rate = rate
    this.#free = isFree(rate)
    this.#clock = clock
    this.#minute = minute
  }

  /** Another rate from now on, also for those who wait. */
  set rate (rate: Rate) {
    this.#rate = rate
    this.#free = isFree(rate)
    this.#serve()
  }

  /** Why somebody waits here, while somebody does. */
  get reason (): string | undefined {
    return this.#waiting.length === 0 ? undefined : `${this.name}, ${formatRate(this.#rate)}`
  }

  /** Undefined where `bytes` may go at once; else resolves when they may, and rejects with the signal's reason. */
  take (bytes: number, { signal }: AbortOptions = {}): Promise<void> | undefined {
    if (this.#free && this.#waiting.length === 0) return undefined
    const now = this.#clock.now()
    this.#look(now)
    if (this.#bucket === undefined) return undefined
    if (this.#waiting.length === 0 && this.#bucket.take(bytes, now) === 0) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = (): void => {
      const at = this.#waiting.indexOf(waiter)
      if (at !== -1) this.#waiting.splice(at, 1)
      reject(signal?.reason)
      if (at === 0) this.#serve()
    }
    const waiter: Waiter = {
      bytes,
      resolve: () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }
    }
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    signal?.addEventListener('abort', stop, { once: true })
    this.#waiting.push(waiter)
    if (this.#waiting.length === 1) this.#serve()
    return promise
  }

  #serve (): void {
    this.#cancel?.()
    this.#cancel = undefined
    const now = this.#clock.now()
    this.#look(now)
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const wait = this.#bucket?.take(first.bytes, now) ?? 0
      if (wait > 0) {
        this.#cancel = this.#clock.after(Math.min(wait, LOOK_MS), () => { this.#serve() })
        return
      }
      this.#waiting.shift()
      first.resolve()
    }
  }

  /** The bucket for what the timetable says now. */
  #look (now: number): void {
    const speed = rateAt(this.#rate, this.#minute(now))
    if (speed === this.#speed) return
    this.#speed = speed
    this.#bucket = speed === undefined ? undefined : new TokenBucket({ ratePerSecond: speed, burst: Math.max(MIN_BURST_BYTES, speed * BURST_SECONDS) })
  }
}

function isFree (rate: Rate): boolean {
  return rate.every(({ bytesPerSecond }) => bytesPerSecond === undefined)
}
