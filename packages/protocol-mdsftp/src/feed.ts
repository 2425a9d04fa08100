/**
 * Where the content of fragments comes from: a source that is read in order and cut without joining, or something that
 * can be read anywhere, into buffers that are used again once the peer has what was in them.
 *
 * @module
 */
import type { Bytes, FragmentReader, Source } from '@ropewalk/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { StorageError } from './errors.ts'

export interface Feed {
  /** Exactly `bytes`. `ERR_INCOMPLETE` when there are fewer. */
  take (bytes: number): Promise<Bytes>
  /** Everything was taken. `ERR_OVERFLOW` when there is more. */
  end (): Promise<void>
  /** The peer has so many fragments more, oldest first. */
  settled (fragments: number): void
  /** Nothing more will be taken. Never throws. */
  leave (): void
}

/** Something that can be read at any position, such as a FragmentReader or a file. */
export type RandomAccess = Pick<FragmentReader, 'read' | 'memory'>

/** What can be uploaded. The arrays of a source must not change until the upload is over. */
export type Content = Source<Bytes> | RandomAccess

/** `size` is only told in errors; `from` is where to begin in what can be read anywhere. */
export function feedOf (content: Content, size: number, reuse: boolean, from = 0): Feed {
  return 'read' in content && typeof content.read === 'function' ? new ReaderFeed(content, from, reuse) : new SourceFeed(content as Source<Bytes>, size)
}

export class SourceFeed implements Feed {
  readonly #iterator: AsyncIterator<Bytes> | Iterator<Bytes>
  readonly #size: number
  /** What the source gave and was not taken: the pieces of one value of the source, from #head and #offset on. */
  #pieces: Uint8Array[] = []
  #head = 0
  #offset = 0
  #taken = 0
  #done = false

  constructor (source: Source<Bytes>, size: number) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
    this.#size = size
  }

  async take (bytes: number): Promise<Uint8ArrayList> {
    const taken: Uint8Array[] = []
    let wanted = bytes
    while (wanted > 0) {
      const piece = this.#pieces[this.#head]
      if (piece === undefined) {
        if (await this.#more()) continue
        throw new StorageError('ERR_INCOMPLETE', 'transfer', `the source ended after ${this.#taken} of ${this.#size} bytes`, { remote: false })
      }
      const end = Math.min(piece.length, this.#offset + wanted)
      if (end > this.#offset) taken.push(piece.subarray(this.#offset, end))
      wanted -= end - this.#offset
      this.#taken += end - this.#offset
      this.#offset = end
      if (end === piece.length) this.#advance()
    }
    return new Uint8ArrayList(...taken)
  }

  async end (): Promise<void> {
    for (;;) {
      const piece = this.#pieces[this.#head]
      if (piece === undefined) {
        if (!await this.#more()) return
      } else if (piece.length > this.#offset) {
        throw new StorageError('ERR_OVERFLOW', 'transfer', `the source goes on after ${this.#size} bytes`, { remote: false })
      } else this.#advance()
    }
  }

  settled (): void {}

  leave (): void {
    if (this.#done) return
    this.#done = true
    try {
      // Not awaited: a source that is stuck must not keep the transfer from failing.
      Promise.resolve(this.#iterator.return?.()).catch(() => {})
    } catch {
      // A source that fails to stop has nobody left to tell.
    }
  }

  #advance (): void {
    this.#head++
    this.#offset = 0
  }

  async #more (): Promise<boolean> {
    if (this.#done) return false
    let result: IteratorResult<Bytes>
    try {
      result = await this.#iterator.next()
    } catch (error) {
      this.#done = true
      throw error
    }
    if (result.done === true) {
      this.#done = true
      return false
    }
    this.#pieces = result.value instanceof Uint8Array ? [result.value] : [...result.value]
    this.#head = this.#offset = 0
    return true
  }
}

export class ReaderFeed implements Feed {
  readonly #reader: RandomAccess
  readonly #reuse: boolean
  #position: number
  /** Read and not acknowledged, oldest first. Never more than the window. */
  #busy: Uint8Array[] = []
  #free: Uint8Array[] = []

  /**
   * `reuse` buffers once the peer has acknowledged what was in them: only where the transport copies, or a peer in the same
   * process would see them change. They are never shared between transfers, so a peer that acknowledges too early
   * spoils nothing but its own.
   */
  constructor (reader: RandomAccess, position: number, reuse: boolean) {
    this.#reader = reader
    this.#position = position
    this.#reuse = reuse
  }

  async take (bytes: number): Promise<Uint8Array> {
    const free = this.#free.pop()
    const buffer = free !== undefined && free.byteLength >= bytes ? free : this.#memory(bytes)
    const into = buffer.subarray(0, bytes)
    let filled = 0
    while (filled < bytes) {
      const read = await this.#reader.read(filled === 0 ? into : into.subarray(filled), this.#position + filled)
      if (read === 0) throw new StorageError('ERR_INCOMPLETE', 'transfer', `the content ended at byte ${this.#position + filled}`, { remote: false })
      filled += read
    }
    this.#position += bytes
    if (this.#reuse) this.#busy.push(buffer)
    return into
  }

  async end (): Promise<void> {}

  settled (fragments: number): void {
    if (this.#reuse) this.#free.push(...this.#busy.splice(0, fragments))
  }

  leave (): void {
    this.#busy = []
    this.#free = []
  }

  #memory (bytes: number): Uint8Array {
    return (this.#reuse ? this.#reader.memory?.(bytes) : undefined) ?? new Uint8Array(bytes)
  }
}
