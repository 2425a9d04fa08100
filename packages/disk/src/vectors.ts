/**
 * Bytes to a file, all of them: the system may take fewer than it is given.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import type { Bytes } from '@ropewalk/interface'
import { MAX_VECTORS, MIN_VECTOR_BYTES } from './constants.ts'
import type { DirectFile } from './direct.ts'
import type { DiskFile } from './file.ts'

/**
 * Writes all of them, one behind the other: from `position` on, or where the file is. With `direct`, which is the same file and wants a position, what can
 * go past the system's cache does.
 */
export async function writeAll (file: Pick<DiskFile, 'write' | 'writev'>, vectors: readonly Uint8Array[], position?: number, direct?: DirectFile): Promise<void> {
  let written = direct === undefined || position === undefined ? 0 : await direct.write(vectors, position)
  let rest = skip(vectors, written)
  while (rest.length > 0) {
    const at = position === undefined ? undefined : position + written
    const { bytesWritten } = rest.length === 1
      ? await file.write(rest[0] as Uint8Array, 0, undefined, at)
      : await file.writev(rest.slice(0, MAX_VECTORS), at)
    written += some(bytesWritten, at)
    rest = skip(rest, bytesWritten)
  }
}

/** The same to a descriptor, before it returns: for what is little, and for threads that have nothing else to do. */
export function writeAtOnce (fd: number, bytes: Bytes, position?: number): void {
  const all = bytes instanceof Uint8Array ? bytes : bytes.subarray()
  for (let done = 0; done < all.length;) {
    const at = position === undefined ? undefined : position + done
    done += some(writeSync(fd, all, done, all.length - done, at), at)
  }
}

/** What is to be written, as the system takes it: pieces that are small on average are joined. */
export function vectorsOf (bytes: Bytes): Uint8Array[] {
  if (bytes.byteLength === 0) return []
  if (bytes instanceof Uint8Array) return [bytes]
  const vectors = [...bytes].filter(vector => vector.length > 0)
  return vectors.length > 1 && bytes.byteLength < vectors.length * MIN_VECTOR_BYTES ? [bytes.subarray()] : vectors
}

/** A system that takes nothing and says nothing would be asked for ever. */
function some (written: number, position: number | undefined): number {
  if (written === 0) throw Object.assign(new Error(`EIO: the system took 0 bytes${position === undefined ? '' : ` at ${position}`}, write`), { code: 'EIO', syscall: 'write' })
  return written
}

/** What remains of `vectors` after `bytes` of them are done, without empty ones in front. */
function skip (vectors: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0
  let done = bytes
  while (index < vectors.length && done >= (vectors[index] as Uint8Array).length) done -= (vectors[index++] as Uint8Array).length
  const rest = vectors.slice(index)
  if (done > 0) rest[0] = (rest[0] as Uint8Array).subarray(done)
  return rest
}
