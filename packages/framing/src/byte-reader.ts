/**
 * Reads exact amounts, lines and values from an async source of bytes, strictly in order, however reads are mixed.
 *
 * The source is asked for its next chunk only while what is buffered does not do. At most what a read may ask for, and one chunk
 * of the source, is held.
 *
 * @module
 */
import type { Uint8ArrayList } from 'uint8arraylist'
import { ByteQueue } from './byte-queue.ts'
import { DEFAULT_MAX_READ_BYTES } from './constants.ts'
import type { Cutter } from './cutter.ts'
import { FramingError, type ErrorScope } from './errors.ts'
import { assertUnits } from './units.ts'

export interface ByteReaderOptions {
  /** Most bytes that one exact read may ask for. Default 1 MiB. */
  maxBytes?: number | undefined
  /** The scope of the errors. Default `channel`. */
  scope?: ErrorScope | undefined
}

export interface ReadOptions {
  /** Aborting rejects the read with the signal's reason. No bytes are lost: the next read sees them. */
  signal?: AbortSignal | undefined
}

type Chunk = Uint8Array | Uint8ArrayList

export class ByteReader implements AsyncDisposable {
  readonly #source: AsyncIterable<Chunk>
  readonly #maxBytes: number
  readonly #scope: ErrorScope | undefined
  /** Bounded by the checks of each read, and by what the source itself holds in one chunk. */
  readonly #queue: ByteQueue = new ByteQueue({ maxBytes: Number.MAX_SAFE_INTEGER, maxChunks: Number.MAX_SAFE_INTEGER })
  #iterator: AsyncIterator<Chunk> | undefined
  #requested = false
  #done = false
  #closed = false
  #failure: { readonly error: unknown } | undefined
  #reading = false
  #wake: (() => void) | undefined

  constructor (source: AsyncIterable<Chunk>, options: ByteReaderOptions = {}) {
    this.#source = source
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_READ_BYTES
    this.#scope = options.scope
    assertUnits('maxBytes', this.#maxBytes, 1)
  }

  /** Bytes that have arrived and were not read. */
  get buffered (): number {
    return this.#queue.byteLength
  }

  /** Nothing has arrived that was not read, and nothing was asked for: the source may be read past this reader, until the next read. */
  get idle (): boolean {
    return !this.#requested && !this.#done && this.#queue.byteLength === 0
  }

  /** Whether the source is known to have ended and everything was read. To find out, ask `atEnd`. */
  get ended (): boolean {
    return this.#done && this.#queue.byteLength === 0
  }

  /** Whether nothing is left to read. Waits until that is known, without taking anything. */
  async atEnd (options: ReadOptions = {}): Promise<boolean> {
    this.#enter(options)
    try {
      return !await this.#fill(1, options)
    } finally {
      this.#reading = false
    }
  }

  /**
   * Exactly `n` bytes. `ERR_TOO_LARGE`, before waiting, if `n` is over the limit; `ERR_TRUNCATED`, with `wanted` and `got`, if the
   * source ends before: what there is can still be read.
   */
  async read (n: number, options: ReadOptions = {}): Promise<Uint8Array> {
    assertUnits('n', n)
    this.#enter(options)
    try {
      this.#assertSize(n, this.#maxBytes)
      if (!await this.#fill(n, options)) this.#truncated(n)
      return this.#queue.take(n)
    } finally {
      this.#reading = false
    }
  }

  /** At least one byte and at most `n`, uncopied; `undefined` at the end. */
  async readUpTo (n: number, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    assertUnits('n', n, 1)
    this.#enter(options)
    try {
      if (!await this.#fill(1, options)) return undefined
      return this.#queue.take(Math.min(n, (this.#queue.first() as Uint8Array).length))
    } finally {
      this.#reading = false
    }
  }

  /** Everything up to and including the first `byte`. `ERR_TOO_LARGE` if that is not among the first `maxBytes`; `ERR_TRUNCATED` if the source ends before. */
  async readUntil (byte: number, maxBytes: number, options: ReadOptions = {}): Promise<Uint8Array> {
    assertUnits('maxBytes', maxBytes, 1)
    this.#enter(options)
    try {
      let searched = 0
      for (;;) {
        const found = this.#queue.indexOf(byte, searched)
        searched = this.#queue.byteLength
        const wanted = found === -1 ? searched + 1 : found + 1
        this.#assertSize(wanted, maxBytes)
        if (found !== -1) return this.#queue.take(wanted)
        if (!await this.#fill(wanted, options)) this.#truncated(wanted)
      }
    } finally {
      this.#reading = false
    }
  }

  /** The next value that `cutter` cuts out, `undefined` at the end. What follows the value stays unread; what precedes its end is the cutter's. */
  async next (cutter: Cutter, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    this.#enter(options)
    try {
      while (await this.#fill(1, options)) {
        const chunk = this.#queue.first() as Uint8Array
        const cut = cutter.cut(chunk, 0)
        this.#queue.discard(cut?.end ?? chunk.length)
        if (cut !== undefined) return cut.value
      }
      return cutter.end()
    } finally {
      this.#reading = false
    }
  }

  /** Everything left, beginning with what is buffered. Leaving the loop early closes the source, as it would without a reader. */
  async * rest (options: ReadOptions = {}): AsyncGenerator<Uint8ArrayList, void, undefined> {
    for (;;) {
      this.#enter(options)
      try {
        if (!await this.#fill(1, options)) return
      } finally {
        this.#reading = false
      }

      let left = true
      try {
        yield this.#queue.takeList()
        left = false
      } finally {
        if (left) await this.close()
      }
    }
  }

  /** Drops what is buffered and tells the source that nobody will read on. Later reads reject with TypeError. */
  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#queue.clear()
    this.#failure = { error: new TypeError('the reader is closed') }
    this.#wake?.()
    if (this.#done) return
    this.#done = true

    const returned = this.#iterator?.return?.()
    // An async generator answers only after the chunk that it was asked for, which may never come.
    if (this.#requested) returned?.catch(() => {})
    else await returned
  }

  async [Symbol.asyncDispose] (): Promise<void> {
    await this.close()
  }

  #enter (options: ReadOptions): void {
    if (this.#reading) throw new TypeError('a read is outstanding: await it before the next')
    options.signal?.throwIfAborted()
    this.#reading = true
  }

  #assertSize (n: number, maxBytes: number): void {
    if (n > maxBytes) throw new FramingError('ERR_TOO_LARGE', `read too large: ${n} > ${maxBytes} bytes`, { scope: this.#scope, wanted: n })
  }

  #truncated (wanted: number): never {
    const got = this.#queue.byteLength
    throw new FramingError('ERR_TRUNCATED', `stream ended early: ${got} < ${wanted} bytes`, { scope: this.#scope, wanted, got })
  }

  /** Waits until `n` bytes are buffered. False if the source ends before; rejects if it fails before. */
  async #fill (n: number, { signal }: ReadOptions): Promise<boolean> {
    while (this.#queue.byteLength < n) {
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#done) return false
      if (!this.#requested) void this.#request()
      // A source may fail at once, before there is anybody to wake.
      if (this.#requested) await this.#arrival(signal)
    }
    return true
  }

  /** Belongs to no read in particular: if the read that caused it is aborted, its chunk is there for the next. Never rejects. */
  async #request (): Promise<void> {
    this.#requested = true
    try {
      this.#iterator ??= this.#source[Symbol.asyncIterator]()
      const { done, value } = await this.#iterator.next()
      if (this.#closed) return
      if (done === true) this.#done = true
      else if (value instanceof Uint8Array) this.#queue.push(value)
      else for (const chunk of value) this.#queue.push(chunk)
    } catch (error) {
      this.#done = true
      this.#failure ??= { error }
    } finally {
      this.#requested = false
      this.#wake?.()
    }
  }

  async #arrival (signal: AbortSignal | undefined): Promise<void> {
    let onAbort: (() => void) | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve
        onAbort = () => { reject(signal?.reason) }
        signal?.addEventListener('abort', onAbort)
      })
    } finally {
      this.#wake = undefined
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    }
  }
}
