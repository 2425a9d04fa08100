/** Longest array that is kept for the next frame. Ours: chunks are seldom longer. */
const KEPT_BYTES = 1024 * 1024

/** The bytes of one frame, as they come, in an array that is used again. It grows with what has come, whatever is said to come. Pure. */
export class FrameBuffer {
  #array = new Uint8Array()
  #length = 0

  /** Bytes that have come. */
  get length (): number {
    return this.#length
  }

  get bytes (): Uint8Array {
    return this.#array.subarray(0, this.#length)
  }

  /** Of a frame of at most `mostBytes`. */
  push (bytes: Uint8Array, mostBytes: number): void {
    const length = this.#length + bytes.length
    if (length > this.#array.length) {
      const grown = new Uint8Array(Math.max(length, Math.min(2 * this.#array.length, mostBytes)))
      grown.set(this.bytes)
      this.#array = grown
    }
    this.#array.set(bytes, this.#length)
    this.#length = length
  }

  /** All that has come, good until the next `push`; the next frame begins. */
  take (): Uint8Array {
    const bytes = this.bytes
    this.#length = 0
    if (this.#array.length > KEPT_BYTES) this.#array = new Uint8Array()
    return bytes
  }
}
