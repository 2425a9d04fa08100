/**
 * Where chunks end, by the rolling hash of casync. Pure: no I/O, no clock, no promises.
 *
 *      0           begin - 48     begin                        max
 *      +-----------+--------------+----------------------------+
 *      | unseen    | first window | hash tested at every byte  | ends here at the latest
 *      +-----------+--------------+----------------------------+
 *      begin = max(min, 48)
 *
 * The hash begins anew with every chunk, so nothing before the first window is looked at. Specification section 6.
 *
 * @module
 */
import { BUZHASH_TABLE } from './buzhash-table.ts'
import { assertChunkSizes, DEFAULT_CHUNK_SIZES, discriminator, type ChunkSizes } from './chunk-sizes.ts'
import { WINDOW_BYTES } from './constants.ts'
import { ROLL_BYTES, roller, type Roller } from './roller.ts'

const ENTERING = BUZHASH_TABLE
/** What a byte contributes when it leaves the window: its word turned by 48 bits, which is by 16. */
const LEAVING = BUZHASH_TABLE.map(word => word << 16 | word >>> 16)

/** Cuts a stream into chunks, however it comes. Keeps the last 48 bytes and nothing else. */
export class Chunker {
  readonly sizes: ChunkSizes
  readonly #fixed: boolean
  readonly #begin: number
  readonly #divisor: Divisor
  /** The 48 bytes before the slice that comes next, once the chunk has so many. */
  readonly #window: Uint8Array = new Uint8Array(WINDOW_BYTES)
  #length = 0
  #hash = 0

  /** RangeError for sizes that casync refuses. */
  constructor (sizes: ChunkSizes = DEFAULT_CHUNK_SIZES) {
    assertChunkSizes(sizes)
    this.sizes = sizes
    this.#fixed = sizes.min === sizes.max
    this.#begin = Math.max(sizes.min, WINDOW_BYTES)
    this.#divisor = divisor(discriminator(sizes))
  }

  /** Bytes of the chunk that has not ended yet. */
  get length (): number {
    return this.#length
  }

  /** Where in `bytes` chunks end, ascending: each one past the last byte of its chunk. What follows belongs to the next. */
  push (bytes: Uint8Array): number[] {
    const cuts: number[] = []
    for (let cut = this.cut(bytes, 0); cut !== -1; cut = this.cut(bytes, cut)) cuts.push(cut)
    return cuts
  }

  /** Takes in `bytes` from `start` on. Where the chunk ends, one past its last byte; -1 when it goes on beyond `bytes`. */
  cut (bytes: Uint8Array, start: number): number {
    const stop = Math.min(bytes.length, start + this.sizes.max - this.#length)
    const cut = this.#fixed ? -1 : this.#search(bytes, start, stop)
    if (cut !== -1) {
      this.#length = 0
      return cut
    }
    this.#length += stop - start
    if (this.#length < this.sizes.max) return -1
    this.#length = 0
    return stop
  }

  /** The stream has ended, and with it the last chunk. Its length; 0 when there is none. */
  end (): number {
    const length = this.#length
    this.#length = 0
    return length
  }

  /** Where the hash ends the chunk, or -1; then the hash and the window are those of `stop`. */
  #search (bytes: Uint8Array, start: number, stop: number): number {
    let at = start
    if (this.#length < this.#begin) {
      at = start + this.#begin - this.#length
      if (at > stop) {
        this.#remember(bytes, start, stop)
        return -1
      }
      this.#hash = this.#hashBefore(bytes, start, at)
      if (endsChunk(this.#hash, this.#divisor.value)) return at
    }

    const fast = stop - at >= WORTH_BYTES ? roller(this.#divisor.shift > 0) : undefined
    const found = fast === undefined ? this.#rollSlowly(bytes, start, at, stop) : this.#rollFast(fast, bytes, start, at, stop)
    if (found === -1) this.#remember(bytes, start, stop)
    return found
  }

  /** Piece by piece, each with the 48 bytes before it. */
  #rollFast (roller: Roller, bytes: Uint8Array, start: number, at: number, stop: number): number {
    for (let first = at; first < stop; first += ROLL_BYTES) {
      const end = Math.min(stop, first + ROLL_BYTES)
      const behind = first - start
      if (behind < WINDOW_BYTES) roller.bytes.set(this.#window.subarray(behind))
      roller.bytes.set(bytes.subarray(Math.max(start, first - WINDOW_BYTES), end), Math.max(0, WINDOW_BYTES - behind))
      const cut = roller.roll(this.#hash, this.#divisor, end - first)
      if (cut !== -1) return first + cut
      this.#hash = roller.hash
    }
    return -1
  }

  #rollSlowly (bytes: Uint8Array, start: number, at: number, stop: number): number {
    // The bytes that leave lie in the slice before this one at first, then in this one.
    const direct = Math.max(at, Math.min(stop, start + WINDOW_BYTES))
    const near = this.#roll(this.#window, start, bytes, at, direct)
    if (near !== -1) return near
    return this.#roll(bytes, WINDOW_BYTES, bytes, direct, stop)
  }

  /** Takes in `bytes` from `at` to `stop`; what leaves lies in `old`, `back` places before. */
  #roll (old: Uint8Array, back: number, bytes: Uint8Array, at: number, stop: number): number {
    const { value, inverse, shift, limit } = this.#divisor
    const left = -shift & 31
    let hash = this.#hash
    for (let i = at; i < stop; i++) {
      hash = (hash << 1 | hash >>> 31) ^ (LEAVING[old[i - back] as number] as number) ^ (ENTERING[bytes[i] as number] as number)
      const product = Math.imul(hash + 1 | 0, inverse)
      if ((product >>> shift | product << left) >>> 0 <= limit && endsChunk(hash, value)) return i + 1
    }
    this.#hash = hash
    return -1
  }

  #hashBefore (bytes: Uint8Array, start: number, at: number): number {
    let hash = 0
    for (let i = at - WINDOW_BYTES; i < at; i++) {
      const byte = (i < start ? this.#window[WINDOW_BYTES + i - start] : bytes[i]) as number
      hash = (hash << 1 | hash >>> 31) ^ (ENTERING[byte] as number)
    }
    return hash
  }

  #remember (bytes: Uint8Array, start: number, stop: number): void {
    const length = stop - start
    if (this.#length + length <= this.#begin - WINDOW_BYTES) return
    if (length < WINDOW_BYTES) this.#window.copyWithin(0, length)
    this.#window.set(bytes.subarray(Math.max(start, stop - WINDOW_BYTES), stop), Math.max(0, WINDOW_BYTES - length))
  }
}

/**
 * Divisibility without division, which is what takes the time otherwise. For a divisor d = odd * 2^shift, x is a multiple of d exactly when
 * x * inverse(odd) modulo 2^32, turned right by `shift`, is at most (2^32 - 1) / d.
 */
interface Divisor {
  readonly value: number
  readonly inverse: number
  readonly shift: number
  readonly limit: number
}

/** Slices from this length on are worth a call of the roller. Ours. */
const WORTH_BYTES = 256

function divisor (value: number): Divisor {
  const shift = 31 - Math.clz32(value & -value)
  const odd = value >>> shift
  // Newton: each step doubles the number of bits that are right, of which an odd number has three to begin with.
  let inverse = odd
  for (let bits = 3; bits < 32; bits *= 2) inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse))
  return { value, inverse, shift, limit: Math.floor(0xffff_ffff / value) }
}

/** The rule itself: the fast test counts modulo 2^32 and takes the highest hash for a multiple of everything. */
function endsChunk (hash: number, value: number): boolean {
  return (hash >>> 0) % value === value - 1
}
