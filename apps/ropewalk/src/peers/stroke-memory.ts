/**
 * Memory in which the content of files is gathered, used again: what each of thousands of files needed would lie about until it is collected, and twice so
 * where another thread has seen it.
 *
 * @module
 */
import { STROKE_BYTES } from '@ropewalk/protocol-warpdrive'
import { diskMemory, sharedMemory } from '@ropewalk/receive'

/** Arrays that are shared, and never let go of. Ours: of each of the four files that a transfer takes at a time one is written while the next is gathered. */
export const SHARED_ITEMS = 8

export class StrokeMemory {
  readonly #free: Array<Uint8Array<SharedArrayBuffer>> = []
  readonly #lent = new Map<SharedArrayBuffer, Uint8Array<SharedArrayBuffer>>()

  /** An array of `bytes` bytes that a disk takes past the cache, in memory that other threads see where there is some left. */
  take (bytes: number): Uint8Array {
    const spare = bytes > STROKE_BYTES ? undefined : this.#free.pop() ?? (this.#lent.size < SHARED_ITEMS ? sharedMemory(STROKE_BYTES) : undefined)
    if (spare === undefined) return diskMemory(bytes)
    this.#lent.set(spare.buffer, spare)
    return bytes === spare.length ? spare : spare.subarray(0, bytes)
  }

  /** Nobody uses it any more. */
  give ({ buffer }: Uint8Array): void {
    const spare = buffer instanceof SharedArrayBuffer ? this.#lent.get(buffer) : undefined
    if (spare === undefined) return
    this.#lent.delete(spare.buffer)
    this.#free.push(spare)
  }
}
