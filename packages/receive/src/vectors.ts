/**
 * Bytes to a descriptor and from it.
 *
 * @module
 */
import { read as readFile, write as writeFile, writeSync, writev as writevFile } from 'node:fs'
import { promisify } from 'node:util'
import type { Bytes } from '@ropewalk/interface'
import { GATHER_PIECES, MIN_VECTOR_BYTES } from './constants.ts'
import { ReceiveError } from './errors.ts'

export const read: typeof readFile.__promisify__ = promisify(readFile)
const write: typeof writeFile.__promisify__ = promisify(writeFile)
const writev: typeof writevFile.__promisify__ = promisify(writevFile)

/** Writes all of them at `position`, in a thread. */
export async function writeAll (fd: number, vectors: Uint8Array[], position: number): Promise<void> {
  for (let begin = 0; begin < vectors.length; begin += GATHER_PIECES) {
    let rest = vectors.slice(begin, begin + GATHER_PIECES)
    while (rest.length > 0) {
      const { bytesWritten } = rest.length === 1
        ? await write(fd, rest[0] as Uint8Array, 0, undefined, position)
        : await writev(fd, rest, position)
      position = advanced(position, bytesWritten)
      rest = skip(rest, bytesWritten)
    }
  }
}

/** The same, before it returns: for what is little. */
export function writeAtOnce (fd: number, bytes: Bytes, position: number): void {
  const all = bytes instanceof Uint8Array ? bytes : bytes.subarray()
  for (let done = 0; done < all.length;) {
    const written = writeSync(fd, all, done, undefined, position)
    position = advanced(position, written)
    done += written
  }
}

function advanced (position: number, written: number): number {
  if (written === 0) throw new ReceiveError('ERR_IO', `the system took 0 bytes at ${position}`)
  return position + written
}

export function vectorsOf (bytes: Bytes): Uint8Array[] {
  if (bytes.byteLength === 0) return []
  if (bytes instanceof Uint8Array) return [bytes]
  const vectors = [...bytes].filter(vector => vector.length > 0)
  return vectors.length > 1 && bytes.byteLength < vectors.length * MIN_VECTOR_BYTES ? [bytes.subarray()] : vectors
}

/** What remains of `vectors` after `bytes` of them are done. */
export function skip (vectors: Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0
  let done = bytes
  while (index < vectors.length && done >= (vectors[index] as Uint8Array).length) done -= (vectors[index++] as Uint8Array).length
  const rest = vectors.slice(index)
  if (done > 0) rest[0] = (rest[0] as Uint8Array).subarray(done)
  return rest
}
