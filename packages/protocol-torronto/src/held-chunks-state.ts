/** Chunks that are here, and where the next is that is not. Pure. */
export class HeldChunks extends Set<number> {
  /** From a chunk that is here over others that are. */
  readonly #over = new Map<number, number>()

  /** The first from `index` on that is not here; it may lie behind the last. What was passed once is passed at one stride. */
  missingFrom (index: number): number {
    let at = index
    while (this.has(at)) at = this.#over.get(at) ?? at + 1
    if (at > index + 1) this.#over.set(index, at)
    return at
  }

  override delete (index: number): boolean {
    this.#over.clear()
    return super.delete(index)
  }

  override clear (): void {
    this.#over.clear()
    super.clear()
  }
}
