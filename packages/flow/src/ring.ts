/** Slots of a new ring. Ours: it doubles as needed, so that a large bound costs nothing until it is used. */
const INITIAL_SLOTS = 8

/** A FIFO in a circular array. Every operation is O(1), amortised over the doublings; `Array.prototype.shift` is not. */
export class Ring<T> {
  #slots: Array<T | undefined> = new Array(INITIAL_SLOTS).fill(undefined)
  #head = 0
  #length = 0

  get length (): number {
    return this.#length
  }

  push (value: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#slots[this.#slot(this.#length)] = value
    this.#length++
  }

  /** The value `index` places behind the head; `undefined` past the end. */
  at (index: number): T | undefined {
    return index < this.#length ? this.#slots[this.#slot(index)] : undefined
  }

  shift (): T | undefined {
    if (this.#length === 0) return undefined
    const value = this.#slots[this.#head]
    this.discard(1)
    return value
  }

  /** Removes `count` values from the head. The slots are emptied, so that nothing is kept alive by accident. */
  discard (count: number): void {
    for (let index = 0; index < count; index++) this.#slots[this.#slot(index)] = undefined
    this.#head = this.#slot(count)
    this.#length -= count
  }

  clear (): void {
    this.#slots = new Array(INITIAL_SLOTS).fill(undefined)
    this.#head = 0
    this.#length = 0
  }

  /** The number of slots is a power of two, which makes the remainder a mask. */
  #slot (index: number): number {
    return (this.#head + index) & (this.#slots.length - 1)
  }

  #grow (): void {
    const slots: Array<T | undefined> = new Array(this.#slots.length * 2).fill(undefined)
    for (let index = 0; index < this.#length; index++) slots[index] = this.at(index)
    this.#slots = slots
    this.#head = 0
  }
}
