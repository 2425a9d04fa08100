/**
 * Channels that the peer opened and nobody has taken yet, and those who wait for one. Whoever puts in bounds it.
 *
 * @module
 */
export class AcceptQueue<Channel> {
  readonly #onTaken: (channel: Channel) => void
  #waiting: Channel[] = []
  #takers: Array<PromiseWithResolvers<Channel | undefined>> = []
  #ended = false
  #error: Error | undefined

  /** `onTaken` is told of each channel before it is handed out. */
  constructor (onTaken: (channel: Channel) => void) {
    this.#onTaken = onTaken
  }

  put (channel: Channel): void {
    const taker = this.#takers.shift()
    if (taker === undefined) {
      this.#waiting.push(channel)
      return
    }
    this.#onTaken(channel)
    taker.resolve(channel)
  }

  /** The next channel; `undefined` when there will be none. Rejects when the end was an error. */
  take (): Promise<Channel | undefined> {
    const channel = this.#waiting.shift()
    if (channel !== undefined) {
      this.#onTaken(channel)
      return Promise.resolve(channel)
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve(undefined)
    const taker = Promise.withResolvers<Channel | undefined>()
    this.#takers.push(taker)
    return taker.promise
  }

  /** `channel` is over and not worth taking any more. */
  remove (channel: Channel): void {
    const at = this.#waiting.indexOf(channel)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** No more will come. What waits may still be taken after a clean end; an error takes it away. Gives what was dropped. */
  end (error?: Error): Channel[] {
    if (this.#ended) return []
    this.#ended = true
    this.#error = error
    for (const taker of this.#takers.splice(0)) {
      if (error === undefined) taker.resolve(undefined)
      else taker.reject(error)
    }
    return error === undefined ? [] : this.#waiting.splice(0)
  }

  /** Nobody takes any more. Gives what waited. */
  close (): Channel[] {
    this.end()
    return this.#waiting.splice(0)
  }
}
