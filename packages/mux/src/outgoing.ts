/**
 * Gathers frames for one write: headers and small payloads are copied into a slab, large payloads go as they are,
 * because joining a header to a large payload costs more than writing both.
 *
 * @module
 */
import { Uint8ArrayList } from 'uint8arraylist'

/** A piece of content up to this is copied behind what was gathered. Ours: measured. */
const COPY_BYTES = 4096

/** Slabs begin small and double to this: of a thousand connections, most say little. */
const SLAB_BYTES = 32_768
const FIRST_SLAB_BYTES = 1024

export class Outgoing {
  #buffers: Uint8Array[] = []
  #bytes = 0
  #slab = new Uint8Array(0)
  /** The part of the slab that belongs to this batch and is not in the list yet: from #from to #used. */
  #from = 0
  #used = 0

  get bytes (): number {
    return this.#bytes
  }

  /** Where `reserve` reserves; another one after each call. */
  get slab (): Uint8Array {
    return this.#slab
  }

  /** A whole frame, or a small piece of one. */
  packet (bytes: Uint8Array): void {
    // Reserving may replace the slab.
    const at = this.reserve(bytes.length)
    this.#slab.set(bytes, at)
  }

  /** Room for `bytes` that the caller writes into `slab` at once, from the offset that this returns. */
  reserve (bytes: number): number {
    if (this.#used + bytes > this.#slab.length) {
      this.#cut()
      this.#slab = new Uint8Array(Math.max(Math.min(SLAB_BYTES, 2 * this.#slab.length), FIRST_SLAB_BYTES, bytes))
      this.#from = 0
      this.#used = 0
    }
    const at = this.#used
    this.#used += bytes
    this.#bytes += bytes
    return at
  }

  /** Content in pieces, which are not copied unless they are small. */
  content (pieces: Uint8Array[]): void {
    for (const piece of pieces) {
      if (piece.length <= COPY_BYTES) {
        this.packet(piece)
        continue
      }
      this.#cut()
      this.#buffers.push(piece)
      this.#bytes += piece.length
    }
  }

  /** What was gathered, for one write; begins a new batch. */
  take (): Uint8ArrayList {
    this.#cut()
    const list = new Uint8ArrayList(...this.#buffers)
    this.#buffers = []
    this.#bytes = 0
    return list
  }

  #cut (): void {
    if (this.#used > this.#from) this.#buffers.push(this.#slab.subarray(this.#from, this.#used))
    this.#from = this.#used
  }
}
