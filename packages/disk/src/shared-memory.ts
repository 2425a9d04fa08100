/**
 * Memory that several threads see, and the disk takes as it does others.
 *
 * @module
 */

/**
 * An array that `diskMemory` could have given, in memory that other threads see: one of them can hash what is written meanwhile. Whoever changes it waits until
 * nobody reads it. Its `set`, and that of its parts, takes half of the time that it takes elsewhere in shared memory.
 */
export function sharedMemory (bytes: number): Uint8Array<SharedArrayBuffer> {
  return new SharedMemory(new SharedArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes)
}

/** Copies to shared memory, for which `set` and `copy` take at least twice as long: they go word by word, and filling does not. */
export function copyTo (into: Uint8Array, at: number, bytes: Uint8Array): void {
  if (bytes.length > 0) Buffer.from(into.buffer, into.byteOffset, into.length).fill(bytes, at, at + bytes.length)
}

class SharedMemory extends Uint8Array<SharedArrayBuffer> {
  override set (from: ArrayLike<number>, at: number = 0): void {
    if (from instanceof Uint8Array && from.length > 0) copyTo(this, at, from)
    else super.set(from, at)
  }
}
