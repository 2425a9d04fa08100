/** What is done about one id happens one after the other, in the order it was asked; different ids do not wait for each other. */
export class Turns {
  readonly #tails = new Map<string, Promise<unknown>>()

  run<T> (id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(id) ?? Promise.resolve()
    const turn = before.then(work)
    const tail = turn.catch(() => {}).finally(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id)
    })
    this.#tails.set(id, tail)
    return turn
  }
}
