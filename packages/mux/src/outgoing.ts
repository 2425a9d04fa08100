/**
 * Gathers frames for one write: headers and small payloads are copied into a slab, large payloads go as they are,
 * because joining a header to a large payload costs more than writing both.
 *
 * @module
 */
import { Uint8ArrayList } from 'uint8arraylist'

/** A piece of content up to this is copied behind what was gathered. Ours: measured. */
const COPY_BYTES = 4096

const SLAB_BYTES = 32_768

const NONE: Uint8Array = new Uint8Array(0)

/** What is gathered into, one for all connections: of a thousand, most say little. What was gathered is never written to again. */
let shared = NONE
let used = 0

export class Outgoing {
  #buffers: Uint8Array[] = []
  #bytes = 0
  #slab = NONE
  /** The part of the slab that belongs to this batch and is not in the list yet. */
  #from = 0
  #to = 0

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
    if (used + bytes > shared.length) {
      shared = new Uint8Array(Math.max(SLAB_BYTES, bytes))
      used = 0
    }
    // Another slab, or somebody else has gathered meanwhile.
    if (this.#slab !== shared || this.#to !== used) {
      this.#cut()
      this.#slab = shared
      this.#from = used
    }
    const at = used
    this.#to = used += bytes
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
    // One that waits must not keep a slab for itself.
    this.#slab = NONE
    return list
  }

  #cut (): void {
    if (this.#to > this.#from) this.#buffers.push(this.#slab.subarray(this.#from, this.#to))
    this.#from = this.#to
  }
}
