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

const HEAD_BYTES = 4
const CONTENT = 0x8000_0000
const MOST = CONTENT - 1

/** Gathers it. Records may begin in one piece and end in another. */
export class ArchiveTrace {
  #steps: Array<Uint8Array | number> = []

  records (bytes: Uint8Array): void {
    // Pieces may be lent.
    if (bytes.length > 0) this.#steps.push(bytes.slice())
  }

  content (bytes: number): void {
    if (bytes > 0) this.#steps.push(bytes)
  }

  /** What was gathered; it begins anew. */
  take (): Uint8Array {
    const length = this.#steps.reduce<number>((sum, step) => sum + HEAD_BYTES + (typeof step === 'number' ? 0 : step.length), 0)
    const trace = new Uint8Array(length)
    const view = new DataView(trace.buffer)
    let at = 0
    for (const step of this.#steps) {
      if (typeof step === 'number') view.setUint32(at, CONTENT + step, true)
      else {
        view.setUint32(at, step.length, true)
        trace.set(step, at + HEAD_BYTES)
      }
      at += HEAD_BYTES + (typeof step === 'number' ? 0 : step.length)
    }
    this.#steps = []
    return trace
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
