/**
 * A FIFO of bytes. Pure: no I/O, no clock, no promises.
 *
 * Chunks are kept as they come, without copying, except small ones: those are copied together into slabs, so that a
 * stream of single bytes costs neither an object nor a search a byte. Removing moves a head; nothing is ever shifted.
 *
 *      chunks:  [ gone | gone | head ..offset.. | chunk | chunk ]   open tail: slab[openStart, openEnd)
 *
 * A slab is only ever appended to, so views of it that were handed out stay true.
 *
 * @module
 */
import { Uint8ArrayList } from 'uint8arraylist'
import { DEFAULT_COALESCE_BYTES, DEFAULT_MAX_QUEUE_BYTES, DEFAULT_MAX_QUEUE_CHUNKS, MAX_SLAB_BYTES } from './constants.ts'
import { FramingError, type ErrorScope } from './errors.ts'
import { assertUnits } from './units.ts'

export interface ByteQueueOptions {
  /** Most bytes queued. Default 1 MiB. */
  maxBytes?: number | undefined
  /** Most chunks queued, after small ones were joined. Default 4,096. */
  maxChunks?: number | undefined
  /** Chunks up to this size are copied together; 0 copies none. Default 512. */
  coalesceBytes?: number | undefined
  /** The scope of the error that a full queue throws. Default `channel`. */
  scope?: ErrorScope | undefined
}

const EMPTY: Uint8Array = new Uint8Array(0)

/** Chunks that were removed from the head are forgotten once there are this many, and as many as those that remain. Ours. */
const COMPACT_AT = 32

export class ByteQueue {
  readonly #maxBytes: number
  readonly #maxChunks: number
  readonly #coalesceBytes: number
  readonly #scope: ErrorScope | undefined
  #chunks: Uint8Array[] = []
  #head = 0
  #offset = 0
  #byteLength = 0
  #slab: Uint8Array = EMPTY
  #openStart = 0
  #openEnd = 0

  constructor (options: ByteQueueOptions = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_QUEUE_BYTES
    this.#maxChunks = options.maxChunks ?? DEFAULT_MAX_QUEUE_CHUNKS
    this.#coalesceBytes = options.coalesceBytes ?? DEFAULT_COALESCE_BYTES
    this.#scope = options.scope
    assertUnits('maxBytes', this.#maxBytes, 1)
    assertUnits('maxChunks', this.#maxChunks, 1)
    assertUnits('coalesceBytes', this.#coalesceBytes)
  }

  /** Bytes queued. */
  get byteLength (): number {
    return this.#byteLength
  }

  /** Arrays kept for them. */
  get chunkCount (): number {
    return this.#chunks.length - this.#head + (this.#openEnd > this.#openStart ? 1 : 0)
  }

  /**
   * Appends. Unless it is small, `chunk` itself is kept: do not write to it afterwards.
   * Throws `ERR_QUEUE_FULL`, and nothing changes, if a bound would be passed.
   */
  push (chunk: Uint8Array): void {
    const length = chunk.length
    if (length === 0) return
    if (length > this.#maxBytes - this.#byteLength) {
      throw new FramingError('ERR_QUEUE_FULL', `queue is full: ${this.#byteLength} + ${length} > ${this.#maxBytes} bytes`, { scope: this.#scope })
    }

    const small = length <= this.#coalesceBytes
    const joins = small && this.#openEnd > this.#openStart && length <= this.#slab.length - this.#openEnd
    if (!joins) {
      if (this.chunkCount >= this.#maxChunks) {
        throw new FramingError('ERR_QUEUE_FULL', `queue is full: ${this.chunkCount + 1} > ${this.#maxChunks} chunks`, { scope: this.#scope })
      }
      this.#seal()
    }

    if (small) this.#append(chunk)
    else this.#chunks.push(chunk)
    this.#byteLength += length
  }

  /** Removes exactly `n` bytes: a view of the chunk that holds them all, else one copy. RangeError if there are fewer. */
  take (n: number): Uint8Array {
    const bytes = this.peek(n)
    this.#advance(n)
    return bytes
  }

  /** The first `n` bytes, left where they are: a view, else one copy. RangeError if there are fewer. */
  peek (n: number): Uint8Array {
    this.#assertThere(n)
    if (n === 0) return EMPTY
    const first = this.#part(this.#head, n)
    if (first.length === n) return first

    const bytes = new Uint8Array(n)
    bytes.set(first)
    for (let index = this.#head + 1, filled = first.length; filled < n; index++) {
      const part = this.#part(index, n - filled)
      bytes.set(part, filled)
      filled += part.length
    }
    return bytes
  }

  /** What is left of the first chunk, left where it is; `undefined` when there is nothing. Never copies. */
  first (): Uint8Array | undefined {
    return this.#byteLength === 0 ? undefined : this.#part(this.#head, this.#byteLength)
  }

  /** Removes at most `max` bytes, all by default, as they lie. Never copies. */
  takeList (max: number = this.#byteLength): Uint8ArrayList {
    assertUnits('max', max)
    const length = Math.min(max, this.#byteLength)
    const parts: Uint8Array[] = []
    for (let left = length; left > 0;) {
      const part = this.#part(this.#head, left)
      parts.push(part)
      left -= part.length
      this.#advance(part.length)
    }
    return Uint8ArrayList.fromUint8Arrays(parts, length)
  }

  /** The byte at `index`. For a few bytes near the head; to search, use `indexOf`. RangeError past the end. */
  at (index: number): number {
    assertUnits('index', index)
    if (index >= this.#byteLength) throw new RangeError(`index past the end: ${index} >= ${this.#byteLength} bytes`)
    let position = index + this.#offset
    for (let n = this.#head; n < this.#chunks.length; n++) {
      const chunk = this.#chunks[n] as Uint8Array
      if (position < chunk.length) return chunk[position] as number
      position -= chunk.length
    }
    return this.#slab[this.#openStart + position] as number
  }

  /** Where `byte` occurs first at or behind `from`, or -1. Takes time for what lies behind `from`, none for what lies before. */
  indexOf (byte: number, from: number = 0): number {
    if ((byte & 0xff) !== byte) throw new RangeError(`not a byte: ${byte}`)
    assertUnits('from', from)
    // From the back: whoever searches what has just arrived passes over one chunk, not over all of them.
    let index = this.#chunks.length
    let position = this.#byteLength - (this.#openEnd - this.#openStart)
    while (position > from && index > this.#head) {
      index--
      position -= this.#part(index, Infinity).length
    }

    for (; position < this.#byteLength; index++) {
      const part = this.#part(index, Infinity)
      const found = part.indexOf(byte, Math.max(0, from - position))
      if (found !== -1) return position + found
      position += part.length
    }
    return -1
  }

  /** Removes `n` bytes unseen. RangeError if there are fewer. */
  discard (n: number): void {
    this.#assertThere(n)
    this.#advance(n)
  }

  /** Removes everything, the slab included. */
  clear (): void {
    this.#chunks = []
    this.#head = this.#offset = this.#byteLength = 0
    this.#slab = EMPTY
    this.#openStart = this.#openEnd = 0
  }

  #assertThere (n: number): void {
    assertUnits('n', n)
    if (n > this.#byteLength) throw new RangeError(`fewer bytes than asked for: ${n} > ${this.#byteLength} bytes`)
  }

  #append (chunk: Uint8Array): void {
    if (chunk.length > this.#slab.length - this.#openEnd) {
      // Slabs double, so that a queue which only ever holds a few bytes keeps a small one.
      const doubled = Math.min(MAX_SLAB_BYTES, this.#slab.length * 2)
      this.#slab = new Uint8Array(Math.max(this.#coalesceBytes, doubled))
      this.#openStart = this.#openEnd = 0
    }
    if (chunk.length === 1) this.#slab[this.#openEnd] = chunk[0] as number
    else this.#slab.set(chunk, this.#openEnd)
    this.#openEnd += chunk.length
  }

  /** Makes the open tail an ordinary chunk. The next small chunk opens another, behind it in the same slab, if it fits. */
  #seal (): void {
    if (this.#openEnd === this.#openStart) return
    this.#chunks.push(this.#slab.subarray(this.#openStart, this.#openEnd))
    this.#openStart = this.#openEnd
  }

  /** At most `max` bytes of the chunk at `index`; the open tail counts as the last chunk. */
  #part (index: number, max: number): Uint8Array {
    const chunk = this.#chunks[index]
    if (chunk === undefined) return this.#slab.subarray(this.#openStart, Math.min(this.#openEnd, this.#openStart + max))
    const start = index === this.#head ? this.#offset : 0
    return start === 0 && max >= chunk.length ? chunk : chunk.subarray(start, start + max)
  }

  #advance (n: number): void {
    this.#byteLength -= n
    this.#offset += n
    while (this.#head < this.#chunks.length) {
      const { length } = this.#chunks[this.#head] as Uint8Array
      if (this.#offset < length) break
      this.#offset -= length
      this.#chunks[this.#head] = EMPTY
      this.#head++
    }
    if (this.#head === this.#chunks.length) {
      this.#openStart += this.#offset
      this.#offset = 0
    }
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#chunks.length) {
      this.#chunks.splice(0, this.#head)
      this.#head = 0
    }
  }
}
