/**
 * zstd whose contexts are kept from chunk to chunk. The functions of Node make one for each call, which takes two to ten times as long as what is
 * done with it, and leaves memory behind that is collected late.
 *
 * What is needed for that is no part of Node's API: it is looked for, and tried against that API before it is used. Where it is missing or does
 * something else, nothing is kept, and whoever asks uses that API.
 *
 * @module
 */
import * as zlib from 'node:zlib'
import { ZSTD_LEVEL } from './constants.ts'

/** The part of a stream of Node that runs a piece through at once. */
interface Engine {
  readonly _handle: { writeSync (flush: number, from: Uint8Array, fromAt: number, fromBytes: number, into: Uint8Array, intoAt: number, intoBytes: number): void } | null
  /** Bytes of `into` and of `from` that are left. */
  readonly _writeState: Uint32Array
}

/** Compresses and decompresses frames, each in one call. */
export class KeptZstd {
  readonly #level: number
  #compressor: (zlib.ZstdCompress & Partial<Engine>) | undefined
  #decompressor: (zlib.ZstdDecompress & Partial<Engine>) | undefined

  /** `undefined` where nothing can be kept. */
  static open (level: number = ZSTD_LEVEL): KeptZstd | undefined {
    able ??= KeptZstd.#isAble()
    return able ? new KeptZstd(level) : undefined
  }

  /** Whether this Node has it, and it gives the same as the API: twice, since the second time the contexts are not new. */
  static #isAble (): boolean {
    try {
      const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251 ^ i >> 7)
      const compressed = zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL }, pledgedSrcSize: bytes.length })
      const kept = new KeptZstd(ZSTD_LEVEL)
      const into = new Uint8Array(8192)
      const holds = (length: number, expected: Uint8Array): boolean => length === expected.length && expected.every((byte, i) => into[i] === byte)
      return [1, 2].every(() => holds(kept.compress(bytes, into), compressed) && holds(kept.decompress(compressed, into), bytes))
    } catch {
      return false
    }
  }

  private constructor (level: number) {
    this.#level = level
  }

  /** One frame, the same as `zstdCompressSync` makes of it, at the beginning of `into`, which has room for what does not compress. Its length; -1 when it failed. */
  compress (bytes: Uint8Array, into: Uint8Array): number {
    this.#compressor ??= quiet(zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: this.#level } }))
    const length = run(this.#compressor, bytes, into)
    if (length === -1) this.#compressor = closed(this.#compressor)
    return length
  }

  /** What the frame `bytes` holds, at the beginning of `into`, which has room for at least one byte more. Its length; -1 when it does not decompress, or has no room. */
  decompress (bytes: Uint8Array, into: Uint8Array): number {
    this.#decompressor ??= quiet(zlib.createZstdDecompress())
    const length = run(this.#decompressor, bytes, into)
    // A context that was left within a frame would take the next for the rest of it.
    if (length === -1) this.#decompressor = closed(this.#decompressor)
    return length
  }
}

let able: boolean | undefined

function run (stream: (zlib.ZstdCompress | zlib.ZstdDecompress) & Partial<Engine>, bytes: Uint8Array, into: Uint8Array): number {
  const { _handle: handle, _writeState: state } = stream
  if (handle == null || state === undefined) return -1
  handle.writeSync(zlib.constants.ZSTD_e_end, bytes, 0, bytes.length, into, 0, into.length)
  const [roomLeft = 0, bytesLeft = 0] = state
  return stream.destroyed || bytesLeft > 0 || roomLeft === 0 ? -1 : into.length - roomLeft
}

/** What went wrong is told by the length. */
function quiet<T extends zlib.ZstdCompress | zlib.ZstdDecompress> (stream: T): T {
  stream.on('error', () => {})
  return stream
}

function closed (stream: zlib.ZstdCompress | zlib.ZstdDecompress): undefined {
  stream.destroy()
}
