/**
 * Bytes on disk of reservations that are not complete. They are reserved, and not available any more either: space counts
 * them once. Pure.
 *
 * @module
 */
export class WrittenBytes {
  readonly #bytes = new Map<string, number>()
  #sum = 0

  get sum (): number { return this.#sum }

  /** The store has so many bytes of the reservation: more than before, or fewer after a new start. */
  record (id: string, bytes: number): void {
    this.#sum += bytes - (this.#bytes.get(id) ?? 0)
    this.#bytes.set(id, bytes)
  }

  /** It is complete, or gone. */
  forget (id: string): void {
    this.#sum -= this.#bytes.get(id) ?? 0
    this.#bytes.delete(id)
  }
}
