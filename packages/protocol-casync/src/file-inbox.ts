import type { CasyncError } from './errors.ts'

/** A file that comes with the messages: read once, while it comes. */
export class FileInbox implements AsyncIterable<Uint8Array> {
  readonly #maxBytes: number
  readonly #onFull: ((bytes: number) => CasyncError) | undefined
  #pieces: Uint8Array[] = []
  #held = 0
  #ended = false
  #failure: { error: unknown } | undefined
  #wakeReader: (() => void) | undefined
  #wakeWriter: (() => void) | undefined

  /** Beyond `maxBytes` of what nobody has read yet it fails with what `onFull` says; without it, whoever brings more waits. */
  constructor (maxBytes: number, onFull?: (bytes: number) => CasyncError) {
    this.#maxBytes = maxBytes
    this.#onFull = onFull
  }

  push (data: Uint8Array): void | Promise<void> {
    this.#held += data.length
    if (this.#held > this.#maxBytes && this.#onFull !== undefined) throw this.#onFull(this.#held)
    this.#pieces.push(data)
    this.#wakeReader?.()
    if (this.#held > this.#maxBytes) return this.#room()
  }

  end (): void {
    this.#ended = true
    this.#wakeReader?.()
  }

  fail (error: unknown): void {
    this.#failure ??= { error }
    this.#wakeReader?.()
    this.#wakeWriter?.()
  }

  async * [Symbol.asyncIterator] (): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const pieces = this.#pieces
      this.#pieces = []
      for (const piece of pieces) {
        this.#held -= piece.length
        if (this.#held <= this.#maxBytes) this.#wakeWriter?.()
        yield piece
      }
      if (this.#pieces.length > 0) continue
      if (this.#ended) return
      if (this.#failure !== undefined) throw this.#failure.error
      await new Promise<void>(resolve => { this.#wakeReader = resolve })
      this.#wakeReader = undefined
    }
  }

  async #room (): Promise<void> {
    while (this.#held > this.#maxBytes && this.#failure === undefined) await new Promise<void>(resolve => { this.#wakeWriter = resolve })
  }
}
