import { CHUNK_BYTES } from './constants.ts'
import type { LocalFile, PartialFile } from './facts.ts'
import { chunkLength, lengthWithoutNuls } from './name-codec.ts'
import type { SwarmStore } from './store.ts'

/** The bytes of `source` in chunks of 65,536. */
export async function * inChunks (source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunk = new Uint8Array(CHUNK_BYTES)
  let length = 0
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + CHUNK_BYTES - length)
      chunk.set(part, length)
      length += part.length
      at += part.length
      if (length === CHUNK_BYTES) {
        yield chunk
        chunk = new Uint8Array(CHUNK_BYTES)
        length = 0
      }
    }
  }
  if (length > 0) yield chunk.subarray(0, length)
}

/** The hashes of a file that lies in the store. */
export async function chunkHashes (store: SwarmStore, { name, size }: LocalFile, hash: (bytes: Uint8Array) => Promise<string>): Promise<string[]> {
  const hashes: string[] = []
  for (let index = 0; index * CHUNK_BYTES < size; index++) hashes.push(await hash(await store.read(name, index) ?? new Uint8Array(0)))
  return hashes
}

/** Which chunks of what was written are there, and are what their hashes say. */
export async function wholeChunks (store: SwarmStore, { name, size, chunkSha256 }: PartialFile, hash: (bytes: Uint8Array) => Promise<string>): Promise<number[]> {
  const held: number[] = []
  for (const [index, sha256] of chunkSha256.entries()) {
    const bytes = await store.read(name, index)
    if (bytes !== undefined && await hash(bytes.subarray(0, chunkLength(size, index))) === sha256) held.push(index)
  }
  return held
}

/** Whether an original's `copy` is what we hold: behind the end of a file it sends NULs. */
export function isCopy (copy: Uint8Array, own: Uint8Array): boolean {
  return copy.length >= lengthWithoutNuls(own) && copy.every((byte, at) => byte === (own[at] ?? 0))
}
