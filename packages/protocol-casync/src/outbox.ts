import type { Bytes } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { GATHERED_BYTES, MAX_UNSENT_BYTES } from './constants.ts'

export interface SendOptions {
  /** Called when the reader asks for what comes after. */
  readonly release?: (() => void) | undefined
  /** Another frame is sent at once: they may go together. */
  readonly more?: boolean | undefined
}

/** Frames on their way to the channel, one at a time and whole. */
export class Outbox implements AsyncIterable<Bytes> {
  #frames: Uint8Array[][] = []
  /** Of those frames. */
  #releases: Array<() => void> = []
  #unsent = 0
  #ended = false
  #failure: { error: unknown } | undefined
  #wakeReader: (() => void) | undefined
  #writers: Array<() => void> = []
  readonly #onTaken: () => void

  /** `onTaken` is called whenever the channel takes something. */
  constructor (onTaken: () => void) {
    this.#onTaken = onTaken
  }

  /** Resolves when there is room for more; whoever waits for that before sending on bounds what is kept. */
  async send (parts: Uint8Array[], { release, more = false }: SendOptions = {}): Promise<void> {
    this.#assertWhole()
    if (this.#ended) throw new TypeError('the outbox has ended')
    this.#frames.push(parts)
    if (release !== undefined) this.#releases.push(release)
    this.#unsent += byteLength(parts)
    if (!more || this.#unsent >= GATHERED_BYTES) this.#wakeReader?.()
    while (this.#unsent > MAX_UNSENT_BYTES && this.#failure === undefined) await new Promise<void>(resolve => { this.#writers.push(resolve) })
    this.#assertWhole()
  }

  /** What was sent goes out, and then the end. */
  end (): void {
    this.#ended = true
    this.#wakeReader?.()
  }

  /** What was sent and not taken is dropped; `lastWords` go out instead, and then the end. */
  fail (error: unknown, lastWords: Uint8Array[] | undefined): void {
    this.#failure ??= { error }
    this.#frames = lastWords === undefined || this.#ended ? [] : [lastWords]
    this.#releases = []
    this.#ended = true
    this.#wakeReader?.()
    this.#wakeWriters()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      // All that waits, so that small frames do not travel one by one.
      const parts = this.#frames.flat()
      const releases = this.#releases
      this.#frames = []
      this.#releases = []
      if (parts.length > 0) {
        yield new Uint8ArrayList(...parts)
        for (const release of releases) release()
        this.#unsent = Math.max(0, this.#unsent - byteLength(parts))
        this.#onTaken()
        this.#wakeWriters()
      } else if (this.#ended) {
        return
      } else {
        await new Promise<void>(resolve => { this.#wakeReader = resolve })
        this.#wakeReader = undefined
      }
    }
  }

  #assertWhole (): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #wakeWriters (): void {
    const writers = this.#writers
    this.#writers = []
    for (const wake of writers) wake()
  }
}

function byteLength (parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
