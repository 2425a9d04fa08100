/**
 * Which blocks of one transfer are there. Pure.
 *
 *      held + missing = all blocks, and a block that is held was marked, or was not among what was missing
 *
 * @module
 */
import type { UploadPlan } from './ports.ts'
import type { MissingRange } from './readme-codec.ts'

/** Names a block: by its UUID. */
export type Naming = (file: number, index: number) => string

export interface BlockPlace {
  /** Among all blocks of the transfer. */
  readonly number: number
  readonly file: number
  readonly index: number
}

export class TransferState {
  readonly plan: UploadPlan
  readonly blocks: number
  readonly #starts: number[] = []
  readonly #left: number[]
  readonly #held: Uint8Array
  readonly #naming: Naming | undefined
  readonly #named = new Map<string, number>()
  readonly #foreign = new Map<string, number>()
  #namedUpTo = 0
  #leftInAll = 0
  #assignedUpTo = 0

  constructor (plan: UploadPlan, missing: readonly MissingRange[], naming?: Naming) {
    this.plan = plan
    this.#naming = naming
    let blocks = 0
    for (const { size } of plan.files) {
      this.#starts.push(blocks)
      blocks += Math.ceil(size / plan.blockBytes)
    }
    this.blocks = blocks
    this.#left = plan.files.map(() => 0)
    this.#held = new Uint8Array(blocks).fill(1)
    for (const [file, first, last] of missing) {
      for (let index = first; index <= last; index++) this.#lose(file, index)
    }
  }

  get complete (): boolean {
    return this.#leftInAll === 0
  }

  fileComplete (file: number): boolean {
    return this.#left[file] === 0
  }

  has (number: number): boolean {
    return this.#held[number] === 1
  }

  /** Block `index` of `file`, if there is one. */
  at (file: number, index: number): BlockPlace | undefined {
    if (!(Number.isInteger(index) && index >= 0 && index < this.#count(file))) return undefined
    return { number: (this.#starts[file] as number) + index, file, index }
  }

  /** Bytes that the block must have. */
  length ({ file, index }: BlockPlace): number {
    const { size } = this.plan.files[file] as { size: number }
    return Math.min(this.plan.blockBytes, size - index * this.plan.blockBytes)
  }

  /** The block of that UUID, or that count. */
  find (id: string): BlockPlace | undefined {
    const number = /^(0|[1-9]\d{0,8})$/.test(id) ? Number(id) : this.#byName(id.toLowerCase()) ?? this.#foreign.get(id)
    return number === undefined || number >= this.blocks ? undefined : this.#place(number)
  }

  /** Gives an id that means nothing to us the first missing block that no other such id has, and remembers it. */
  assign (id: string): BlockPlace | undefined {
    while (this.#assignedUpTo < this.blocks && this.has(this.#assignedUpTo)) this.#assignedUpTo++
    if (this.#assignedUpTo >= this.blocks) return undefined
    this.#foreign.set(id, this.#assignedUpTo)
    return this.#place(this.#assignedUpTo++)
  }

  mark ({ number, file }: BlockPlace): void {
    if (this.#held[number] === 1) return
    this.#held[number] = 1
    this.#left[file] = (this.#left[file] as number) - 1
    this.#leftInAll--
  }

  /** All blocks of the file are missing again. */
  reset (file: number): void {
    for (let index = 0; index < this.#count(file); index++) this.#lose(file, index)
    this.#assignedUpTo = 0
    this.#foreign.clear()
  }

  /** The lowest missing index of a file; its number of blocks when none is. */
  nextMissing (file: number): number {
    const start = this.#starts[file] as number
    const end = start + this.#count(file)
    const found = this.#held.subarray(start, end).indexOf(0)
    return found === -1 ? end - start : found
  }

  /** At most `most` ranges: what is left out will be asked for again. */
  missing (most: number = Infinity): MissingRange[] {
    const ranges: MissingRange[] = []
    for (const file of this.plan.files.keys()) {
      const count = this.#count(file)
      for (let first = 0; first < count && ranges.length < most; first++) {
        if (this.has((this.#starts[file] as number) + first)) continue
        let last = first
        while (last + 1 < count && !this.has((this.#starts[file] as number) + last + 1)) last++
        ranges.push([file, first, last])
        first = last
      }
    }
    return ranges
  }

  #count (file: number): number {
    const { size } = this.plan.files[file] ?? { size: 0 }
    return Math.ceil(size / this.plan.blockBytes)
  }

  #lose (file: number, index: number): void {
    const place = this.at(file, index)
    if (place === undefined) throw new RangeError(`no block ${file}/${index}`)
    if (this.#held[place.number] === 0) return
    this.#held[place.number] = 0
    this.#left[file] = (this.#left[file] as number) + 1
    this.#leftInAll++
  }

  #place (number: number): BlockPlace {
    let file = this.#starts.length - 1
    while ((this.#starts[file] as number) > number || this.#count(file) === 0) file--
    return { number, file, index: number - (this.#starts[file] as number) }
  }

  /** Names are computed no further than they are needed, each once. */
  #byName (id: string): number | undefined {
    const known = this.#named.get(id)
    if (known !== undefined || this.#naming === undefined) return known
    while (this.#namedUpTo < this.blocks) {
      const { number, file, index } = this.#place(this.#namedUpTo++)
      const name = this.#naming(file, index)
      this.#named.set(name, number)
      if (name === id) return number
    }
    return undefined
  }
}
