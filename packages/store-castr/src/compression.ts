import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { ChunkCompression } from '@ropewalk/interface'
import { assertLength, AtOnce, formatOf, pieceBytes, tooLong, zstdLimits, zstdOptions } from './at-once.ts'
import { AT_ONCE_BYTES, MAX_WINDOW_BYTES, ZSTD_LEVEL } from './constants.ts'
import { CastrError, castrError, damaged } from './errors.ts'
import { readGzipMember } from './gzip-codec.ts'
import { mostCompressed } from './read-chunk.ts'
import { readXzStream } from './xz-codec.ts'

export interface CompressionOptions {
  /** How hard to compress, 1 ... 22. Default 3, as casync. */
  level?: number | undefined
}

/** The compressors of Node: writes zstd; reads zstd, gzip and, with a module that is loaded when it is first needed, xz. */
export function nodeCompression ({ level = ZSTD_LEVEL }: CompressionOptions = {}): ChunkCompression {
  if (!(Number.isInteger(level) && level >= 1 && level <= 22)) throw new RangeError(`level ${level}: not 1 ... 22`)
  const atOnce = new AtOnce(level)
  return {
    async compress (bytes) {
      return bytes.length <= AT_ONCE_BYTES ? atOnce.compress(bytes, 'zstd').slice() : await zstdCompress(bytes, zstdOptions(bytes, level))
    },
    async decompress (bytes, maxBytes) {
      switch (formatOf(bytes)) {
        case 'zstd': return await unzstd(bytes, maxBytes, atOnce)
        case 'gzip': return await gunzip(bytes, maxBytes)
        case 'xz': return await unxz(bytes, maxBytes)
        default: throw damaged('neither zstd nor xz nor gzip')
      }
    }
  }
}

const zstdCompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)
const zstdDecompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)

async function unzstd (bytes: Uint8Array, maxBytes: number, atOnce: AtOnce): Promise<Uint8Array> {
  const { windowBytes, contentBytes, options } = zstdLimits(bytes, maxBytes)
  // Whatever it might be, most chunks are short.
  const most = Math.min(maxBytes, AT_ONCE_BYTES)
  const isShort = (contentBytes ?? 0) <= most && windowBytes <= MAX_WINDOW_BYTES && bytes.length <= mostCompressed(most)
  const short = isShort ? atOnce.decompressKept(bytes, most) : undefined
  if (short !== undefined) return short.slice()
  return await within(maxBytes, 'zstd', async () => maxBytes <= AT_ONCE_BYTES ? zlib.zstdDecompressSync(bytes, options) : await zstdDecompress(bytes, options))
}

async function gunzip (bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const { start, end, crc32, contentBytes } = readGzipMember(bytes)
  assertLength(contentBytes, maxBytes)
  const content = bytes.subarray(start, end)
  const inflated = await within(maxBytes, 'gzip', () => inflate(content, maxBytes))
  if (inflated.taken !== content.length) throw damaged(`gzip: ends at byte ${start + inflated.taken} of ${bytes.length}`)
  if (inflated.bytes.length !== contentBytes) throw damaged(`gzip: ${inflated.bytes.length} bytes, not the ${contentBytes} that it says`)
  if (zlib.crc32(inflated.bytes) !== crc32) throw damaged('gzip: another checksum')
  return inflated.bytes
}

async function inflate (content: Uint8Array, maxBytes: number): Promise<{ bytes: Uint8Array, taken: number }> {
  return await new Promise((resolve, reject) => {
    zlib.inflateRaw(content, { maxOutputLength: maxBytes, chunkSize: pieceBytes(maxBytes), info: true }, (error, result) => {
      if (error !== null) return reject(error)
      const { buffer, engine } = result as unknown as { buffer: Buffer, engine: { bytesWritten: number } }
      resolve({ bytes: buffer, taken: engine.bytesWritten })
    })
  })
}

async function unxz (bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const { contentBytes } = readXzStream(bytes)
  assertLength(contentBytes, maxBytes)
  const { XzReadableStream } = (await import('xz-decompress')).default
  const pieces: Uint8Array[] = []
  let filled = 0
  const reader = new XzReadableStream(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (value.length > contentBytes - filled) throw damaged(`xz: more than the ${contentBytes} bytes that it says`)
      pieces.push(value.slice())
      filled += value.length
    }
  } catch (error) {
    throw error instanceof CastrError ? error : damaged('xz: does not decompress', error)
  } finally {
    await reader.cancel().catch(() => {})
  }
  if (filled !== contentBytes) throw damaged(`xz: ${filled} bytes, not the ${contentBytes} that it says`)
  return Buffer.concat(pieces)
}

async function within<T> (maxBytes: number, format: string, decompress: () => Promise<T>): Promise<T> {
  try {
    return await decompress()
  } catch (error) {
    if (error instanceof CastrError) throw error
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(`${format}: more than ${maxBytes} bytes`, error)
    if (error instanceof RangeError && !('errno' in error)) throw castrError(error, format)
    throw damaged(`${format}: does not decompress`, error)
  }
}
