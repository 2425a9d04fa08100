/**
 * What is left of an archive without the content of its files: with it, a decoder is where another one was. Pure. Ours, of no wire.
 *
 *      4                 n                  4
 *      +-----------------+----------- - - -+----------------------------+
 *      | n, little-endian | records as they | 0x80000000 + bytes of content |  ...
 *      |                  | came            | that stand here               |
 *      +-----------------+----------- - - -+----------------------------+
 *
 * @module
 */
import { writeU32LE } from '@ropewalk/framing'

const HEAD_BYTES = 4
const FIRST_BYTES = 4096
const CONTENT = 0x8000_0000
const MOST = CONTENT - 1

/** Gathers it. Records may begin in one piece and end in another. */
export class ArchiveTrace {
  #bytes = new Uint8Array(FIRST_BYTES)
  #filled = 0

  records (bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#head(bytes.length, bytes.length)
    // Pieces may be lent.
    this.#bytes.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  content (bytes: number): void {
    if (bytes > 0) this.#head(CONTENT + bytes, 0)
  }

  /** What was gathered; it begins anew. */
  take (): Uint8Array {
    const trace = this.#bytes.slice(0, this.#filled)
    this.#filled = 0
    return trace
  }

  #head (head: number, more: number): void {
    const needed = this.#filled + HEAD_BYTES + more
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(2 * needed)
      larger.set(this.#bytes.subarray(0, this.#filled))
      this.#bytes = larger
    }
    writeU32LE(this.#bytes, this.#filled, head)
    this.#filled += HEAD_BYTES
  }
}

/** Records as views of the trace, of content the number of its bytes. RangeError for what ends inside one of them. */
export function * readTrace (trace: Uint8Array): Generator<Uint8Array | number, void, undefined> {
  const view = new DataView(trace.buffer, trace.byteOffset, trace.byteLength)
  for (let at = 0; at < trace.length;) {
    const head = view.getUint32(at, true)
    at += HEAD_BYTES
    if (head > MOST) {
      yield head - CONTENT
      continue
    }
    if (head > trace.length - at) throw new RangeError(`a trace that ends early: ${head} > ${trace.length - at} bytes`)
    yield trace.subarray(at, at + head)
    at += head
  }
}
