import type { AbortOptions, Bytes, Source, TreeItem } from '@ropewalk/interface'
import { ArchiveDecoder, type ArchiveDecoderOptions, type ArchivePart } from './archive-decoder-codec.ts'
import { ArchiveEncoder } from './archive-encoder-codec.ts'
import { GATHER_BYTES } from './constants.ts'

export interface EncodeArchiveOptions extends AbortOptions {
  /** What is recorded: `archiveFeatures(...)`. Default: everything that the original records. */
  features?: bigint | undefined
  /** Each piece is good until the next is asked for: its memory is used again. Default false. */
  lend?: boolean | undefined
}

/** A tree becomes the bytes of a .catar: cut and indexed, those of a .caidx; hashed, its digest. Of content nothing is kept when the next piece is asked for. */
export function encodeArchive (options: EncodeArchiveOptions = {}): (items: Source<TreeItem>) => AsyncGenerator<Uint8Array, void, undefined> {
  const { features, lend = false, signal } = options
  return async function * (items) {
    const encoder = new ArchiveEncoder(features)
    const gathered = new Gathered(lend)
    for await (const { node, content } of items) {
      signal?.throwIfAborted()
      if (!encoder.records(node)) continue
      for (const part of encoder.node(node)) for (const piece of gathered.add(part)) yield piece
      if (content === undefined || node.type !== 'file' || node.size === 0) continue
      for await (const bytes of content({ signal })) {
        encoder.data(bytes)
        for (const piece of gathered.add(bytes)) yield piece
      }
    }
    for (const part of encoder.end()) for (const piece of gathered.add(part)) yield piece
    for (const piece of gathered.rest()) yield piece
  }
}

/** Bytes one behind the other, given as soon as there are enough. */
class Gathered {
  readonly #lend: boolean
  #room = new Uint8Array(GATHER_BYTES)
  #filled = 0

  constructor (lend: boolean) {
    this.#lend = lend
  }

  * add (bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    // What is much by itself need not be copied for somebody who keeps nothing of it.
    if (this.#lend && bytes.length >= GATHER_BYTES) {
      yield * this.rest()
      yield bytes
      return
    }
    for (let at = 0; at < bytes.length;) {
      const taken = bytes.subarray(at, at + GATHER_BYTES - this.#filled)
      this.#room.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled === GATHER_BYTES) yield * this.rest()
    }
  }

  * rest (): Generator<Uint8Array, void, undefined> {
    if (this.#filled === 0) return
    yield this.#room.subarray(0, this.#filled)
    this.#filled = 0
    if (!this.#lend) this.#room = new Uint8Array(GATHER_BYTES)
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
