/** The last bytes of a stream, at most `maxBytes` of them, whatever comes. */
export class Tail {
  readonly #maxBytes: number
  #ring: Uint8Array = new Uint8Array(0)
  /** Where the next byte goes, once the ring is full. */
  #at = 0
  #length = 0

  constructor (maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  push (bytes: Uint8Array): void {
    const last = bytes.subarray(Math.max(0, bytes.length - this.#maxBytes))
    this.#grow(Math.min(this.#maxBytes, this.#length + last.length))

    const head = last.subarray(0, this.#ring.length - this.#at)
    this.#ring.set(head, this.#at)
    this.#ring.set(last.subarray(head.length), 0)
    this.#at = (this.#at + last.length) % this.#maxBytes
    this.#length = Math.min(this.#maxBytes, this.#length + last.length)
  }

  bytes (): Uint8Array {
    if (this.#length < this.#maxBytes) return this.#ring.slice(0, this.#length)
    const bytes = new Uint8Array(this.#length)
    bytes.set(this.#ring.subarray(this.#at))
    bytes.set(this.#ring.subarray(0, this.#at), this.#length - this.#at)
    return bytes
  }

  /** Doubles, so that a child that says little costs little. Until the ring is full, its bytes lie in order from 0. */
  #grow (needed: number): void {
    if (needed <= this.#ring.length) return
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#ring.length * 2)))
    grown.set(this.#ring.subarray(0, this.#length))
    this.#ring = grown
  }
}
