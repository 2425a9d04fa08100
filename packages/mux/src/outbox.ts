/** Bytes that wait to be cut into frames: a queue of pieces with a moving head. */
export class Outbox {
  #pieces: Uint8Array[] = []
  #head = 0
  #offset = 0
  #bytes = 0

  get bytes (): number {
    return this.#bytes
  }

  get pieces (): number {
    return this.#pieces.length - this.#head
  }

  push (piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#pieces.push(piece)
    this.#bytes += piece.length
  }

  /** Bytes of the piece that is next. */
  get next (): number {
    const piece = this.#pieces[this.#head]
    return piece === undefined ? 0 : piece.length - this.#offset
  }

  /** Exactly `bytes` (no more than there are), in pieces. */
  take (bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    this.#bytes -= bytes
    while (bytes > 0) {
      const piece = this.#pieces[this.#head] as Uint8Array
      const end = Math.min(piece.length, this.#offset + bytes)
      taken.push(this.#offset === 0 && end === piece.length ? piece : piece.subarray(this.#offset, end))
      bytes -= end - this.#offset
      this.#offset = end
      if (end === piece.length) this.#advance()
    }
    return taken
  }

  clear (): void {
    this.#pieces = []
    this.#head = this.#offset = this.#bytes = 0
  }

  #advance (): void {
    this.#offset = 0
    this.#head++
    if (this.#head === this.#pieces.length) {
      this.#pieces = []
      this.#head = 0
    } else if (this.#head >= 64) {
      this.#pieces = this.#pieces.slice(this.#head)
      this.#head = 0
    }
  }
}
