/** A source that is written line by line while it is read: a line is taken when the next is asked for. */
export class Script implements AsyncIterableIterator<Uint8Array> {
  readonly #lines: Array<{ bytes: Uint8Array, taken: () => void }> = []
  #spoken: (() => void) | undefined
  #asked: ((result: IteratorResult<Uint8Array>) => void) | undefined
  #closed = false

  /** Resolves once the reader has taken `bytes`. */
  say (bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new TypeError('the script has ended'))
    return new Promise(resolve => {
      this.#lines.push({ bytes, taken: resolve })
      this.#serve()
    })
  }

  /** No more lines. */
  close (): void {
    this.#closed = true
    this.#serve()
  }

  next (): Promise<IteratorResult<Uint8Array>> {
    this.#spoken?.()
    this.#spoken = undefined
    return new Promise(resolve => {
      this.#asked = resolve
      this.#serve()
    })
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  #serve (): void {
    if (this.#asked == null) return
    const line = this.#lines.shift()
    if (line == null && !this.#closed) return
    this.#spoken = line?.taken
    this.#asked(line == null ? { done: true, value: undefined } : { done: false, value: line.bytes })
    this.#asked = undefined
  }
}
