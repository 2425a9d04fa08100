import { CHUNK_BYTES } from './constants.ts'

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
