/**
 * The table at the end of a folder, in which its names are found without reading what lies before.
 *
 *      24 x names                                                 24
 *      +-------------------------------------------------- - - +------------------------------------------+
 *      | distance back to the name, length, hash of the name   | distance back to the entry, size, marker |
 *      +-------------------------------------------------- - - +------------------------------------------+
 *
 * The items are a binary search tree by hash, level by level: what stands left of item i is at 2i + 1, what stands right of it at 2i + 2.
 *
 * @module
 */
import { GOODBYE_ITEM_BYTES, GOODBYE_TAIL_MAGIC, RECORD_HEADER_BYTES, RECORD_TYPES } from './constants.ts'
import { putU64, putWord } from './record-codec.ts'
import type { Hash64 } from './siphash.ts'

/** What a folder that is being read or written has in it: where each name begins, where it ends, and its hash. */
export class GoodbyeTable {
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #high: number[] = []
  readonly #low: number[] = []

  get size (): number {
    return this.#starts.length
  }

  /** Bytes of the whole record. */
  get byteLength (): number {
    return RECORD_HEADER_BYTES + GOODBYE_ITEM_BYTES * (this.size + 1)
  }

  begin (start: number, [high, low]: Hash64): void {
    this.#starts.push(start)
    this.#high.push(high)
    this.#low.push(low)
  }

  /** What began last ends here. Nothing when nothing did. */
  end (at: number): void {
    if (this.#ends.length < this.#starts.length) this.#ends.push(at)
  }

  /** The record, when it stands at `at`, of a folder whose entry stands at `entry`. */
  encode (at: number, entry: number): Uint8Array {
    const bytes = new Uint8Array(this.byteLength)
    putU64(bytes, 0, bytes.length)
    putWord(bytes, 8, RECORD_TYPES.GOODBYE)
    const sorted = this.#sorted()
    let rank = 0
    inOrder(this.size, item => {
      const child = sorted[rank++] as number
      const offset = RECORD_HEADER_BYTES + GOODBYE_ITEM_BYTES * item
      const start = this.#starts[child] as number
      putU64(bytes, offset, at - start)
      putU64(bytes, offset + 8, (this.#ends[child] as number) - start)
      putHash(bytes, offset + 16, this.#high[child] as number, this.#low[child] as number)
    })
    const tail = bytes.length - GOODBYE_ITEM_BYTES
    putU64(bytes, tail, at - entry)
    putU64(bytes, tail + 8, bytes.length)
    putWord(bytes, tail + 16, GOODBYE_TAIL_MAGIC)
    return bytes
  }

  #sorted (): Uint32Array {
    const order = Uint32Array.from({ length: this.size }, (_, i) => i)
    return order.sort((a, b) =>
      (this.#high[a] as number) - (this.#high[b] as number) || (this.#low[a] as number) - (this.#low[b] as number) || a - b)
  }
}

/** The items of a tree of `size`, from the least to the greatest. */
function inOrder (size: number, visit: (item: number) => void): void {
  const above: number[] = []
  for (let item = 0; item < size || above.length > 0;) {
    while (item < size) {
      above.push(item)
      item = 2 * item + 1
    }
    const next = above.pop() as number
    visit(next)
    item = 2 * next + 2
  }
}

function putHash (bytes: Uint8Array, at: number, high: number, low: number): void {
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = low >>> 8 * i
    bytes[at + 4 + i] = high >>> 8 * i
  }
}
