import { Uint8ArrayList } from 'uint8arraylist'

/** Given how many bytes could be delivered now, says how many to deliver: at least 1 is. */
export type Chunker = (availableBytes: number) => number

interface Reader {
  resolve (result: IteratorResult<Uint8ArrayList, undefined>): void
  reject (error: Error): void
}

/**
 * One direction of a memory connection: a bounded queue of bytes with one writer and one reader. At every moment
 *
 *      bytes offered = bytes taken by the reader + bytes held,  bytes held <= capacity
 *
 * and the arrays held are never empty, so that their number is bounded as well.
 */
export class Pipe {
  readonly #capacityBytes: number
  readonly #chunker: Chunker | undefined
  #held: Uint8Array[] = []
  #head = 0
  #heldBytes = 0
  #ended = false
  #finished = false
  #readError: Error | undefined
  #writeError: Error | undefined
  readonly #readers: Reader[] = []
  #wakeWriter: (() => void) | undefined
  #failWriter: ((error: Error) => void) | undefined

  constructor (capacityBytes: number, chunker?: Chunker) {
    this.#capacityBytes = capacityBytes
    this.#chunker = chunker
  }

  /** True once the reader has seen the end, or has stopped. */
  get finished (): boolean {
    return this.#finished
  }

  get ended (): boolean {
    return this.#ended
  }

  /** Takes as much of `bytes` as there is room for; returns what is left. Throws when nothing can be written any more. */
  offer (bytes: Uint8Array): Uint8Array {
    if (this.#writeError != null) throw this.#writeError
    const taken = bytes.subarray(0, this.#capacityBytes - this.#heldBytes)
    if (taken.byteLength > 0) {
      this.#held.push(taken)
      this.#heldBytes += taken.byteLength
      this.#serve()
    }
    return bytes.subarray(taken.byteLength)
  }

  /** No more bytes will come. Throws when nothing can be written any more. */
  end (): void {
    if (this.#writeError != null) throw this.#writeError
    this.#ended = true
    this.#serve()
  }

  /** Waits for `wait` on behalf of the writer: rejects at once when nothing can be written any more. */
  guard<T> (wait: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      wait.then(resolve, reject)
      if (this.#writeError != null) reject(this.#writeError)
      else this.#failWriter = reject
    })
  }

  /** Resolves when the reader has made room. */
  async writable (): Promise<void> {
    if (this.#heldBytes < this.#capacityBytes) return
    await this.guard(new Promise<void>(resolve => { this.#wakeWriter = resolve }))
  }

  /** The next bytes for the reader. */
  read (): Promise<IteratorResult<Uint8ArrayList, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#readError != null) return reject(this.#readError)
      this.#readers.push({ resolve, reject })
      this.#serve()
    })
  }

  /** The reader takes no more: what is held is dropped, and the writer fails with `error`. */
  stop (error: Error): void {
    if (this.#finished) return
    this.#finish()
    if (!this.#ended) this.#refuse(error)
  }

  /** Breaks off: what is held is dropped, the reader fails with `readError`, the writer with `writeError`. Nothing happens after a full end. */
  fail (readError: Error, writeError: Error): void {
    if (this.#finished || this.#readError != null) return
    this.#readError = readError
    this.#drop()
    for (const reader of this.#readers.splice(0)) reader.reject(readError)
    this.#refuse(writeError)
  }

  #serve (): void {
    while (this.#readers.length > 0 && (this.#heldBytes > 0 || this.#ended || this.#finished)) {
      if (this.#heldBytes === 0) return this.#finish()
      this.#readers.shift()?.resolve({ done: false, value: this.#take() })
      this.#wakeWriter?.()
    }
  }

  #finish (): void {
    this.#finished = true
    this.#drop()
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined })
  }

  #refuse (error: Error): void {
    this.#writeError ??= error
    this.#failWriter?.(error)
  }

  #take (): Uint8ArrayList {
    const taken = new Uint8ArrayList()
    let wanted = this.#chunker == null
      ? (this.#held[this.#head] as Uint8Array).byteLength
      : Math.max(1, Math.min(this.#heldBytes, Math.floor(this.#chunker(this.#heldBytes))))
    this.#heldBytes -= wanted
    while (wanted > 0) {
      const first = this.#held[this.#head] as Uint8Array
      const part = first.subarray(0, wanted)
      taken.append(part)
      wanted -= part.byteLength
      if (part.byteLength < first.byteLength) this.#held[this.#head] = first.subarray(part.byteLength)
      else this.#head++
    }
    if (this.#head > 64 && this.#head * 2 > this.#held.length) {
      this.#held = this.#held.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  #drop (): void {
    this.#held = []
    this.#head = 0
    this.#heldBytes = 0
  }
}
