/**
 * Compressing and decompressing without waiting: for threads that have nothing else to do, and for what is short.
 *
 * @module
 */
import * as zlib from 'node:zlib'
import { MAX_WINDOW_BYTES, ZSTD_LEVEL } from './constants.ts'
import { CastrError } from './errors.ts'
import { KeptZstd } from './kept-zstd.ts'
import { mostCompressed } from './read-chunk.ts'
import { readZstdFrame, type ZstdFrame } from './zstd-codec.ts'

/** What is written here. */
export type WrittenFormat = 'zstd' | 'gzip'

/** One compressor and one decompressor, and an array for what they give: each answer is good until the next question. */
export class AtOnce {
  readonly #level: number
  #kept: { readonly zstd: KeptZstd | undefined } | undefined
  #into = new Uint8Array()

  constructor (level: number = ZSTD_LEVEL) {
    this.#level = level
  }

  compress (bytes: Uint8Array, format: WrittenFormat): Uint8Array {
    if (format === 'gzip') return zlib.gzipSync(bytes)
    const into = this.#room(mostCompressed(bytes.length))
    const length = this.#zstd()?.compress(bytes, into) ?? -1
    return length === -1 ? zlib.zstdCompressSync(bytes, zstdOptions(bytes, this.#level)) : into.subarray(0, length)
  }

  /** zstd alone. `undefined` for anything else, for what does not decompress, and for more than `maxBytes`. To `into`, as far as that is possible, which needs a byte more. */
  decompress (bytes: Uint8Array, maxBytes: number, into?: Uint8Array): Uint8Array | undefined {
    if (formatOf(bytes) !== 'zstd') return undefined
    try {
      const { options } = zstdLimits(bytes, maxBytes)
      return this.decompressKept(bytes, maxBytes, into) ?? zlib.zstdDecompressSync(bytes, options)
    } catch {
      return undefined
    }
  }

  /** Of a frame that `zstdLimits` lets pass. `undefined` when no context can be kept, and for what it could not do: the API of Node then says more. */
  decompressKept (bytes: Uint8Array, maxBytes: number, into: Uint8Array = this.#room(maxBytes + 1)): Uint8Array | undefined {
    const room = into.subarray(0, maxBytes + 1)
    const length = this.#zstd()?.decompress(bytes, room) ?? -1
    return length === -1 ? undefined : room.subarray(0, length)
  }

  #zstd (): KeptZstd | undefined {
    this.#kept ??= { zstd: KeptZstd.open(this.#level) }
    return this.#kept.zstd
  }

  #room (bytes: number): Uint8Array {
    if (this.#into.length < bytes) this.#into = new Uint8Array(bytes)
    return this.#into.subarray(0, bytes)
  }
}

/** All of it in one piece, which spares most of the work besides. */
export function zstdOptions (bytes: Uint8Array, level: number): zlib.ZstdOptions {
  assertZstd()
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: level }, pledgedSrcSize: bytes.length, chunkSize: Math.max(64, mostCompressed(bytes.length)) }
}

/** A frame that is whole and asks for no more than it may. */
export interface AllowedFrame extends ZstdFrame {
  readonly options: zlib.ZstdOptions
}

/** Looks at the frame before anything is allocated for it; throws what is wrong with it. */
export function zstdLimits (bytes: Uint8Array, maxBytes: number): AllowedFrame {
  assertZstd()
  const frame = readZstdFrame(bytes)
  assertLength(frame.contentBytes ?? 0, maxBytes)
  const mostWindow = Math.max(MAX_WINDOW_BYTES, maxBytes)
  if (frame.windowBytes > mostWindow) throw tooLong(`zstd: a window of ${frame.windowBytes} > ${mostWindow} bytes`)
  return { ...frame, options: { maxOutputLength: maxBytes, chunkSize: pieceBytes(maxBytes) } }
}

/** Told by the first bytes. */
export function formatOf (bytes: Uint8Array): 'zstd' | 'xz' | 'gzip' | undefined {
  return FORMATS.find(({ magic }) => magic.every((byte, i) => bytes[i] === byte))?.name
}

const FORMATS = [
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'gzip', magic: [0x1f, 0x8b] }
] as const

/** Output grows by such pieces: it is taken as it comes, whatever was announced. */
export function pieceBytes (maxBytes: number): number {
  return Math.min(Math.max(maxBytes, 64), 256 * 1024)
}

export function assertLength (bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw tooLong(`${bytes} > ${maxBytes} bytes`)
}

export function tooLong (message: string, cause?: unknown): CastrError {
  return new CastrError('ERR_CHUNK_SIZE', message, { cause, remote: true })
}

function assertZstd (): void {
  if (zlib.zstdCompress === undefined) throw new CastrError('ERR_UNSUPPORTED', `node ${process.version} has no zstd: it came with 22.15`)
}
