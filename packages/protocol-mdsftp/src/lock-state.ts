/**
 * Who reads and who writes which chunk. Pure, and nobody waits: a lock is given or refused (specification section 6.3).
 *
 *      a chunk has at most `maxReaders` readers and no writer, or one writer and no reader
 *
 * @module
 */
import type { Id, LockKind } from '@ropewalk/muxer-mdsftp'

const WRITER = -1

export class LockState {
  readonly #maxReaders: number
  /** Readers of a chunk, or WRITER. Nothing is kept of a chunk that nobody holds. */
  readonly #holders = new Map<Id, number>()

  constructor (maxReaders: number) {
    this.#maxReaders = maxReaders
  }

  /** Chunks that are locked. */
  get size (): number { return this.#holders.size }

  acquire (id: Id, kind: LockKind): boolean {
    const holders = this.#holders.get(id) ?? 0
    if (kind === 'write' ? holders !== 0 : holders === WRITER || holders >= this.#maxReaders) return false
    this.#holders.set(id, kind === 'write' ? WRITER : holders + 1)
    return true
  }

  /** Of a lock that was acquired, once. */
  release (id: Id, kind: LockKind): void {
    const holders = this.#holders.get(id)
    if (holders === undefined || (holders === WRITER) !== (kind === 'write')) throw new RangeError(`${id} has no ${kind} lock to release`)
    if (holders > 1) this.#holders.set(id, holders - 1)
    else this.#holders.delete(id)
  }
}
