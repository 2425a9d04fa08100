/**
 * The writing half of a connection: one source, written as it comes, never further ahead of the kernel than the stream's own buffer and one item.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import type { AbortOptions, Bytes, Source } from '@ropewalk/interface'
import { isUint8ArrayList } from 'uint8arraylist'
import { BYTES_PER_TURN } from './constants.ts'

const NOTHING = new Uint8Array()

export class Outbound {
  readonly #stream: Writable
  readonly #abort: (reason: Error) => void
  #begun = false
  #finished = false
  #error: Error | undefined
  #running: { resolve (): void, reject (error: Error): void } | undefined
  #iterator: AsyncIterator<Bytes> | Iterator<Bytes> | undefined
  #wake: (() => void) | undefined

  /** `abort` ends the whole connection: half of it cannot be reset. */
  constructor (stream: Writable, abort: (reason: Error) => void) {
    this.#stream = stream
    this.#abort = abort
  }

  /** Everything, the end included, is with the kernel. */
  get finished (): boolean {
    return this.#finished
  }

  async sink (source: Source<Bytes>, options: AbortOptions = {}): Promise<void> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#begun) throw new TypeError('sink() comes once: a connection is written by one source')
    const iterator = iterate(source)
    if (this.#error != null) throw this.#error

    this.#begun = true
    this.#iterator = iterator
    const onAbort = (): void => this.#abort(signal?.reason)
    signal?.addEventListener('abort', onAbort)

    try {
      await new Promise<void>((resolve, reject) => {
        this.#running = { resolve, reject }
        // An error of the source must not look like the end of the data.
        this.#pump(iterator).catch(error => { this.#abort(error) })
      })
    } finally {
      this.#running = undefined
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Ends the direction without data, where no sink does. */
  end (): void {
    if (this.#begun) return
    this.#begun = true
    this.#stream.end()
  }

  /** 'drain': the kernel has taken what was queued. */
  drained (): void {
    this.#wake?.()
  }

  /** 'finish': the kernel has taken the end. */
  finish (): void {
    this.#finished = true
    this.#running?.resolve()
  }

  /** The connection is gone. Nothing that was handed over is known to have arrived. */
  fail (error: Error): void {
    if (this.#finished || this.#error != null) return

    this.#error = error
    this.#running?.reject(error)
    void leave(this.#iterator)
    this.#iterator = undefined
  }

  async #pump (iterator: AsyncIterator<Bytes> | Iterator<Bytes>): Promise<void> {
    const stream = this.#stream
    let written = 0

    for (;;) {
      const { done, value } = await iterator.next()
      if (this.#error != null) return
      if (done === true) break

      written += write(stream, value)

      // Whoever destroyed it will say why.
      if (stream.destroyed) return
      if (stream.writableNeedDrain) {
        written = 0
        await new Promise<void>(resolve => { this.#wake = resolve })
      } else if (stream.writableLength > 0) {
        // Little, and the kernel has no room for it: whoever gave it may use its memory again once he is asked for more.
        written = 0
        await new Promise<void>(resolve => { stream.write(NOTHING, () => { resolve() }) })
      } else if (written > BYTES_PER_TURN) {
        // The kernel takes everything at once: without a pause a source that never waits would starve everybody else.
        written = 0
        await new Promise<void>(resolve => { setImmediate(resolve) })
      }
      if (this.#error != null) return
    }

    this.#iterator = undefined
    if (!stream.destroyed) stream.end()
  }
}

/** Writes one item, all of its buffers with one system call where they fit. Returns its bytes. */
function write (stream: Writable, item: Bytes): number {
  if (item instanceof Uint8Array) {
    if (item.byteLength > 0) stream.write(item)
    return item.byteLength
  }

  if (!isUint8ArrayList(item)) throw new TypeError('a sink takes Uint8Array and Uint8ArrayList')

  stream.cork()
  for (const bytes of item) {
    if (bytes.byteLength > 0) stream.write(bytes)
  }
  stream.uncork()
  return item.byteLength
}

function iterate (source: Source<Bytes>): AsyncIterator<Bytes> | Iterator<Bytes> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}

/** Tells a source that nobody will ask again; what it answers no longer matters. */
async function leave (iterator: AsyncIterator<Bytes> | Iterator<Bytes> | undefined): Promise<void> {
  try {
    await iterator?.return?.()
  } catch {}
}
