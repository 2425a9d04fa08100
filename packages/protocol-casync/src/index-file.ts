import type { Bytes, Source } from '@ropewalk/interface'
import { INDEX_SLICE_BYTES } from './constants.ts'
import { IndexDecoder, IndexEncoder, type IndexHeader, type IndexItem, type IndexLimits, type IndexOptions } from './index-codec.ts'

export interface DecodeIndexOptions extends IndexLimits {
  /** Told once, before the first item. */
  onHeader?: ((header: IndexHeader) => void) | undefined
}

/** An index whose header was read. */
export interface OpenIndex {
  readonly header: IndexHeader
  /** Can be iterated once. */
  readonly items: AsyncGenerator<IndexItem, void, undefined>
}

/** Items to the bytes of an index, in slices of up to 64 KiB. The first slice has the whole header, which casync needs. */
export function encodeIndex (options?: IndexOptions): (items: Source<Pick<IndexItem, 'id' | 'end'>>) => AsyncGenerator<Uint8Array, void, undefined> {
  return async function * (items) {
    const encoder = new IndexEncoder(options)
    let slice = new Uint8Array(INDEX_SLICE_BYTES)
    let filled = 0
    const add = (bytes: Uint8Array): Uint8Array | undefined => {
      let full: Uint8Array | undefined
      if (filled + bytes.length > slice.length) {
        full = slice.subarray(0, filled)
        slice = new Uint8Array(INDEX_SLICE_BYTES)
        filled = 0
      }
      slice.set(bytes, filled)
      filled += bytes.length
      return full
    }

    add(encoder.head())
    for await (const item of items) {
      const full = add(encoder.item(item))
      if (full !== undefined) yield full
    }
    const full = add(encoder.tail())
    if (full !== undefined) yield full
    yield slice.subarray(0, filled)
  }
}

/** The bytes of an index to its items, each checked. `ERR_INDEX`, `ERR_INDEX_TOO_LARGE` or `ERR_TRUNCATED` at the first that is wrong. */
export function decodeIndex (options: DecodeIndexOptions = {}): (source: Source<Bytes>) => AsyncGenerator<IndexItem, void, undefined> {
  return async function * (source) {
    const decoder = new IndexDecoder(options)
    let told = false
    for await (const bytes of source) {
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
        for (const item of decoder.push(piece)) {
          if (!told) options.onHeader?.(decoder.header as IndexHeader)
          told = true
          yield item
        }
      }
    }
    decoder.end()
    if (!told) options.onHeader?.(decoder.header as IndexHeader)
  }
}

/** Reads up to the first item, to know the header before anything else is decided. */
export async function openIndex (source: Source<Bytes>, options: IndexLimits = {}): Promise<OpenIndex> {
  let header: IndexHeader | undefined
  const items = decodeIndex({ ...options, onHeader: read => { header = read } })(source)
  const first = await items.next()
  async function * all (): AsyncGenerator<IndexItem, void, undefined> {
    if (first.done === true) return
    yield first.value
    yield * items
  }
  return { header: header as IndexHeader, items: all() }
}
