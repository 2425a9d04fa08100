/** First capacity. Ours. */
const FIRST_BYTES = 64

/**
 * Bytes copied together until a value is complete. Capacity doubles as bytes arrive, so at no time is more than twice what
 * the peer has really sent allocated, whatever length it announced.
 */
export class KeptBytes {
  #bytes: Uint8Array = new Uint8Array(0)
  #length = 0

  get length (): number {
    return this.#length
  }

  /** What is kept, as a view that the next `append` may leave behind. */
  view (): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** `most` is what the value can become: capacity stops there. */
  append (chunk: Uint8Array, start: number, end: number, most: number): void {
    const length = this.#length + end - start
    if (length > this.#bytes.length) this.#grow(length, most)
    if (end - start === 1) this.#bytes[this.#length] = chunk[start] as number
    else this.#bytes.set(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end), this.#length)
    this.#length = length
  }

  /** Hands the bytes over and begins anew. */
  take (): Uint8Array {
    const bytes = this.#length === this.#bytes.length ? this.#bytes : this.view()
    this.#bytes = new Uint8Array(0)
    this.#length = 0
    return bytes
  }

  #grow (length: number, most: number): void {
    const bytes = new Uint8Array(Math.max(length, Math.min(most, Math.max(FIRST_BYTES, this.#bytes.length * 2))))
    bytes.set(this.view())
    this.#bytes = bytes
  }
}
