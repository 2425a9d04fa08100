import { Uint8ArrayList } from 'uint8arraylist'
import type { AbortOptions, Bytes, Source, TreeItem } from '@ropewalk/interface'
import { ArchiveDecoder, type ArchiveDecoderOptions, type ArchivePart } from './archive-decoder-codec.ts'
import { ArchiveEncoder } from './archive-encoder-codec.ts'
import { GATHER_BYTES } from './constants.ts'

export interface EncodeArchiveOptions extends AbortOptions {
  /** What is recorded: `archiveFeatures(...)`. Default: everything that the original records. */
  features?: bigint | undefined
}

/** A tree becomes the bytes of a .catar: cut and indexed, those of a .caidx; hashed, its digest. */
export function encodeArchive (options: EncodeArchiveOptions = {}): (items: Source<TreeItem>) => AsyncGenerator<Uint8Array, void, undefined> {
  const { features, signal } = options
  return async function * (items) {
    const encoder = new ArchiveEncoder(features)
    let gathered = new Uint8ArrayList()
    for await (const { node, content } of items) {
      signal?.throwIfAborted()
      if (!encoder.records(node)) continue
      for (const part of encoder.node(node)) gathered.append(part)
      if (content !== undefined && node.type === 'file' && node.size !== 0) {
        for await (const bytes of content({ signal })) {
          encoder.data(bytes)
          gathered.append(bytes)
          if (gathered.length < GATHER_BYTES) continue
          yield gathered.subarray()
          gathered = new Uint8ArrayList()
        }
      }
      if (gathered.length < GATHER_BYTES) continue
      yield gathered.subarray()
      gathered = new Uint8ArrayList()
    }
    for (const part of encoder.end()) gathered.append(part)
    yield gathered.subarray()
  }
}

export interface DecodeArchiveOptions extends ArchiveDecoderOptions, AbortOptions {
  /** Told what the archive records, before its first part comes. */
  onFeatures?: ((features: bigint) => void) | undefined
}

/** The bytes of a .catar become what they say, part by part. Data are views of what came. */
export function decodeArchive (options: DecodeArchiveOptions = {}): (source: Source<Bytes>) => AsyncGenerator<ArchivePart, void, undefined> {
  const { onFeatures, signal } = options
  return async function * (source) {
    const decoder = new ArchiveDecoder(options)
    for await (const bytes of source) {
      signal?.throwIfAborted()
      for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
        const told = decoder.features !== undefined
        const parts = decoder.push(piece)
        if (!told && decoder.features !== undefined) onFeatures?.(decoder.features)
        yield * parts
      }
    }
    decoder.end()
  }
}
