/**
 * Gathers what comes in pieces for writes that are worth their while. While one write is under way the next is gathered, so no more
 * than two buffers are ever held.
 *
 * @module
 */
import { STROKE_BYTES } from './constants.ts'

export class Strokes {
  readonly #write: (bytes: Uint8Array) => Promise<void>
  readonly #memory: (bytes: number) => Uint8Array
  readonly #capacity: number
  #filling: Uint8Array
  #filled = 0
  #spare: Uint8Array | undefined
  #writing: Promise<Uint8Array> | undefined

  /** For `bytes` in all. `write` may not keep what it gets; `memory` is what it likes to get. */
  constructor (bytes: number, write: (bytes: Uint8Array) => Promise<void>, memory: (bytes: number) => Uint8Array = ordinary) {
    this.#write = write
    this.#memory = memory
    this.#capacity = Math.min(bytes, STROKE_BYTES)
    this.#filling = this.#memory(this.#capacity)
  }

  /** So many bytes can be put before `flush` has to be called. */
  get room (): number {
    return this.#capacity - this.#filled
  }

  put (bytes: Uint8Array): void {
    this.#filling.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  /** Has what was put written. Resolves as soon as there is room again; rejects when the write before has failed. */
  async flush (): Promise<void> {
    this.#spare = await this.#writing ?? this.#spare
    if (this.#filled === 0) return
    const [full, filled] = [this.#filling, this.#filled]
    this.#filled = 0
    this.#writing = this.#write(full.subarray(0, filled)).then(() => full)
    // It is awaited by the next flush; until then its failure must not count as nobody's.
    this.#writing.catch(() => {})
    this.#filling = this.#spare ?? this.#memory(this.#capacity)
    this.#spare = undefined
  }

  /** Everything that was put is written. */
  async end (): Promise<void> {
    await this.flush()
    await this.#writing
  }
}

function ordinary (bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}
