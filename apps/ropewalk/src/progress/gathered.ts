import type { Output } from './report.ts'

/** Between two writes of what may wait. Ours: nobody waits for so little. */
const GATHER_MS = 20

/** Of small files there are many lines, and a write, which wakes who reads it, costs more than they do: some of them are one write. */
export class Gathered {
  readonly #out: Output
  readonly #now: () => number
  #lines = ''
  #flushedAt = -Infinity
  #timer: NodeJS.Timeout | undefined
  /** Lines may come a moment later, as long as this is true. Else they come when the event loop turns. */
  waits = false

  /** `now`: milliseconds of a clock that never goes back. */
  constructor (out: Output, now: () => number) {
    this.#out = out
    this.#now = now
  }

  add (line: string): void {
    if (this.#lines === '') {
      const wait = this.waits ? this.#flushedAt + GATHER_MS - this.#now() : 0
      if (wait > 0) this.#timer = setTimeout(() => { this.flush() }, wait)
      else setImmediate(() => { this.flush() })
    }
    this.#lines += line
  }

  /** What was added is written before this returns. */
  flush (): void {
    const lines = this.#lines
    this.#lines = ''
    clearTimeout(this.#timer)
    if (lines === '') return
    this.#flushedAt = this.#now()
    this.#out.write(lines)
  }
}
