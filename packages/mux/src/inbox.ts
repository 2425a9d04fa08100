/**
 * Bytes that arrived and were not taken yet. Pieces may be slices of large read buffers, which they would keep alive:
 * a piece is kept as it is only when it fills at least a quarter of its buffer, or when the piece before it keeps that buffer
 * anyway; small ones are gathered in a slab.
 * So what is held is at most four times what is queued, and the number of pieces is bounded with the bytes.
 */
import { Uint8ArrayList } from 'uint8arraylist'

/** A piece is copied unless it is this part of the buffer that it would keep alive. Ours. */
const KEPT_PART = 1 / 4

/** Pieces smaller than this are gathered. Ours. */
const SMALL_BYTES = 4096

const SLAB_BYTES = 16_384

/** Pieces up to this are copied into memory that all channels share, as Node's small Buffers are: an array of their own costs more than their bytes. Ours. */
const POOLED_BYTES = 1024

const POOL_BYTES = 8192

let pool = new Uint8Array(0)
let pooled = 0

function copy (bytes: Uint8Array): Uint8Array {
  const length = bytes.length
  // Not slice(): a Buffer's slice is a view.
  if (length > POOLED_BYTES) return new Uint8Array(bytes)
  if (pooled + length > pool.length) {
    pool = new Uint8Array(POOL_BYTES)
    pooled = 0
  }
  const made = pool.subarray(pooled, pooled += length)
  made.set(bytes)
  return made
}

export class Inbox {
  #pieces: Uint8Array[] = []
  #bytes = 0
  /** The slab that small pieces go to; its filled part from #from is the last piece. */
  #slab: Uint8Array | undefined
  #from = 0
  #used = 0

  get bytes (): number {
    return this.#bytes
  }

  /** `lent` bytes are copied: they are only valid now. */
  push (bytes: Uint8Array, lent: boolean): void {
    const length = bytes.length
    this.#bytes += length
    if (length < SMALL_BYTES && this.#pieces.length > 0) return this.#gather(bytes)
    // The slab goes on behind it, as a piece of its own.
    this.#from = this.#used
    const kept = !lent && (length >= bytes.buffer.byteLength * KEPT_PART || this.#pieces.at(-1)?.buffer === bytes.buffer)
    this.#pieces.push(kept ? bytes : copy(bytes))
  }

  /** Everything, and forgets it. */
  take (): Uint8ArrayList {
    const list = this.#pieces.length === 1 ? new Uint8ArrayList(this.#pieces[0] as Uint8Array) : new Uint8ArrayList(...this.#pieces)
    this.clear()
    return list
  }

  /** The first piece, which there must be, and forgets it; of one longer than `most` its beginning. */
  shift (most: number): Uint8Array {
    const piece = this.#pieces[0] as Uint8Array
    const taken = piece.length <= most ? piece : piece.subarray(0, most)
    if (taken === piece) this.#pieces.shift()
    else this.#pieces[0] = piece.subarray(most)
    this.#bytes -= taken.length
    // The slab goes on behind what is left, as a piece of its own.
    this.#from = this.#used
    return taken
  }

  clear (): void {
    this.#pieces = []
    this.#bytes = 0
    this.#from = this.#used
  }

  #gather (bytes: Uint8Array): void {
    if (this.#slab === undefined || this.#used + bytes.length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#from = this.#used = 0
    }
    this.#slab.set(bytes, this.#used)
    if (this.#used > this.#from) this.#pieces.pop()
    this.#used += bytes.length
    this.#pieces.push(this.#slab.subarray(this.#from, this.#used))
  }
}
