import type { Bytes, Source } from '@ropewalk/interface'
import { TestingError } from './errors.ts'

/** The arrays that `bytes` consists of, uncopied. */
export function pieces (bytes: Bytes): Iterable<Uint8Array> {
  return bytes instanceof Uint8Array ? [bytes] : bytes
}

/** An iterator over any source, waiting or not. */
export function iterate<T> (source: Source<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}

/** All bytes of `source` in one array. Throws `ERR_TOO_LONG` beyond `maxBytes` (64 MiB). */
export async function collect (source: Source<Bytes>, options: { maxBytes?: number } = {}): Promise<Uint8Array> {
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024
  const kept: Uint8Array[] = []
  let length = 0

  for await (const bytes of source) {
    length += bytes.byteLength
    if (length > maxBytes) throw new TestingError('ERR_TOO_LONG', `${length} > ${maxBytes} bytes`)
    // Copied: a source may lend the same array again and again.
    for (const piece of pieces(bytes)) kept.push(piece.slice())
  }
  return join(kept, length)
}

/** One array of `length` bytes out of several. */
export function join (arrays: Iterable<Uint8Array>, length: number): Uint8Array {
  const joined = new Uint8Array(length)
  let offset = 0
  for (const array of arrays) {
    joined.set(array, offset)
    offset += array.byteLength
  }
  return joined
}
