import type { ChunkId } from '@ropewalk/interface'
import { CastrError } from './errors.ts'

/**
 * A set of ids in 16 bytes each, by their first 128 bits. Two ids with the same would be taken for one, which nobody will see happen, and which would
 * keep a chunk too many.
 */
export class IdSet {
  readonly #maxSize: number
  #words = new Uint32Array(4 * 1024)
  #size = 0
  #hasZero = false

  constructor (maxSize: number) {
    this.#maxSize = maxSize
  }

  get size (): number {
    return this.#size
  }

  add (id: ChunkId): void {
    const words = parse(id)
    if (words.every(word => word === 0)) {
      this.#hasZero = true
      return
    }
    const place = find(this.#words, words)
    if (place === undefined) return
    if (this.#size >= this.#maxSize) throw new CastrError('ERR_TOO_MANY_CHUNKS', `more than ${this.#maxSize} chunks to keep`)
    this.#words.set(words, place)
    if (++this.#size * 8 > this.#words.length) this.#grow()
  }

  has (id: ChunkId): boolean {
    const words = parse(id)
    return words.every(word => word === 0) ? this.#hasZero : find(this.#words, words) === undefined
  }

  #grow (): void {
    const before = this.#words
    this.#words = new Uint32Array(before.length * 2)
    for (let at = 0; at < before.length; at += 4) {
      const words = before.subarray(at, at + 4)
      const place = words.some(word => word !== 0) ? find(this.#words, words) : undefined
      if (place !== undefined) this.#words.set(words, place)
    }
  }
}

function parse (id: ChunkId): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, i) => Number.parseInt(id.slice(8 * i, 8 * i + 8), 16))
}

/** The free place for the words; `undefined` when they are there. Ids are hashes already: their own bits are the place to begin. */
function find (table: Uint32Array, words: Uint32Array): number | undefined {
  const mask = table.length / 4 - 1
  for (let slot = (words[0] as number) & mask; ; slot = slot + 1 & mask) {
    const at = slot * 4
    if (table[at] === 0 && table[at + 1] === 0 && table[at + 2] === 0 && table[at + 3] === 0) return at
    if (table[at] === words[0] && table[at + 1] === words[1] && table[at + 2] === words[2] && table[at + 3] === words[3]) return undefined
  }
}
