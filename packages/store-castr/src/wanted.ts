/**
 * Chunks that a file lacks, and where each of them belongs, in memory that threads share: whoever comes upon one takes its place, and nobody else gets it.
 *
 *     slot:  0 id, 8 words   8 length   9 whether it was taken   10 place, as a f64
 *
 * @module
 */
import type { ChunkId } from '@ropewalk/interface'
import { ID_DIGITS, MAX_WANTED_CHUNKS } from './constants.ts'
import { checkId } from './layout.ts'

const SLOT_BYTES = 48
const SLOT_WORDS: number = SLOT_BYTES / 4
const LENGTH_AT = 8
const TAKEN_AT = 9
const PLACE_AT = 5
const WORD_DIGITS = 8

/** Slots that are looked at for one id. Ours: whoever makes up ids that begin alike finds no room for them, and costs no time. */
const MAX_STEPS = 32

export class WantedChunks {
  readonly memory: SharedArrayBuffer
  readonly #words: Uint32Array
  readonly #places: Float64Array
  readonly #mask: number

  /** For so many, or 131,072; or what another thread has made. */
  constructor (chunks: number | SharedArrayBuffer) {
    this.memory = typeof chunks === 'number' ? new SharedArrayBuffer(SLOT_BYTES * slotsFor(Math.min(chunks, MAX_WANTED_CHUNKS))) : chunks
    this.#words = new Uint32Array(this.memory)
    this.#places = new Float64Array(this.memory)
    this.#mask = this.memory.byteLength / SLOT_BYTES - 1
  }

  /** False when there is no room, or it is here already with another place. */
  add (id: ChunkId, place: number, length: number): boolean {
    checkId(id)
    const first = wordOf(id, 0)
    for (let step = 0; step < MAX_STEPS; step++) {
      const slot = first + step & this.#mask
      const at = SLOT_WORDS * slot
      if (this.#words[at + LENGTH_AT] !== 0) {
        if (this.#is(at, id, first)) return false
        continue
      }
      for (let i = 0; i < ID_DIGITS / WORD_DIGITS; i++) this.#words[at + i] = wordOf(id, i)
      this.#words[at + LENGTH_AT] = length
      this.#places[slot * SLOT_BYTES / 8 + PLACE_AT] = place
      return true
    }
    return false
  }

  /** The place of a chunk that is wanted and was not taken, which it is from now on. */
  take (id: ChunkId, length: number): number | undefined {
    const first = wordOf(id, 0)
    for (let step = 0; step < MAX_STEPS; step++) {
      const slot = first + step & this.#mask
      const at = SLOT_WORDS * slot
      if (this.#words[at + LENGTH_AT] === 0) return undefined
      if (!this.#is(at, id, first)) continue
      if (this.#words[at + LENGTH_AT] !== length || Atomics.exchange(this.#words, at + TAKEN_AT, 1) === 1) return undefined
      return this.#places[slot * SLOT_BYTES / 8 + PLACE_AT]
    }
    return undefined
  }

  #is (at: number, id: ChunkId, first: number): boolean {
    if (this.#words[at] !== first) return false
    for (let i = 1; i < ID_DIGITS / WORD_DIGITS; i++) if (this.#words[at + i] !== wordOf(id, i)) return false
    return true
  }
}

function wordOf (id: ChunkId, index: number): number {
  return Number.parseInt(id.slice(WORD_DIGITS * index, WORD_DIGITS * (index + 1)), 16)
}

/** A power of two, at most half of which is full. */
function slotsFor (chunks: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, 2 * chunks)))
}
