import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { ChunkCompression } from '@ropewalk/interface'
import { AT_ONCE_BYTES, MAX_WINDOW_BYTES, ZSTD_LEVEL } from './constants.ts'
import { CastrError, castrError, damaged } from './errors.ts'
import { readGzipMember } from './gzip-codec.ts'
import { readXzStream } from './xz-codec.ts'
import { readZstdFrame } from './zstd-codec.ts'

export interface CompressionOptions {
  /** How hard to compress, 1 ... 22. Default 3, as casync. */
  level?: number | undefined
}

/** The compressors of Node: writes zstd; reads zstd, gzip and, with a module that is loaded when it is first needed, xz. */
export function nodeCompression ({ level = ZSTD_LEVEL }: CompressionOptions = {}): ChunkCompression {
  if (!(Number.isInteger(level) && level >= 1 && level <= 22)) throw new RangeError(`level ${level}: not 1 ... 22`)
  return {
    async compress (bytes) {
      return bytes.length <= AT_ONCE_BYTES ? compressAtOnce(bytes, 'zstd', level) : await zstdCompress(bytes, zstdOptions(bytes, level))
    },
    async decompress (bytes, maxBytes) {
      switch (formatOf(bytes)) {
        case 'zstd': return await unzstd(bytes, maxBytes)
        case 'gzip': return await gunzip(bytes, maxBytes)
        case 'xz': return await unxz(bytes, maxBytes)
        default: throw damaged('neither zstd nor xz nor gzip')
      }
    }
  }
}

/** What is written here. */
export type WrittenFormat = 'zstd' | 'gzip'

/** For a thread that has nothing else to do. */
export function compressAtOnce (bytes: Uint8Array, format: WrittenFormat, level: number = ZSTD_LEVEL): Uint8Array {
  return format === 'zstd' ? zlib.zstdCompressSync(bytes, zstdOptions(bytes, level)) : zlib.gzipSync(bytes)
}

/** All of it in one piece, which spares most of the work besides. */
function zstdOptions (bytes: Uint8Array, level: number): zlib.ZstdOptions {
  assertZstd()
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: level }, pledgedSrcSize: bytes.length, chunkSize: Math.max(64, bytes.length + bytes.length / 64 + 1024 | 0) }
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

const zstdCompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdCompress)
const zstdDecompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress)

/** For a thread that has nothing else to do: zstd alone, with the same checks. `undefined` for anything else, and for what does not decompress. */
export function decompressAtOnce (bytes: Uint8Array, maxBytes: number): Uint8Array | undefined {
  if (formatOf(bytes) !== 'zstd') return undefined
  try {
    return zlib.zstdDecompressSync(bytes, zstdLimits(bytes, maxBytes))
  } catch {
    return undefined
  }
}

function zstdLimits (bytes: Uint8Array, maxBytes: number): zlib.ZstdOptions {
  assertZstd()
  const { windowBytes, contentBytes } = readZstdFrame(bytes)
  assertLength(contentBytes ?? 0, maxBytes)
  const mostWindow = Math.max(MAX_WINDOW_BYTES, maxBytes)
  if (windowBytes > mostWindow) throw tooLong(`zstd: a window of ${windowBytes} > ${mostWindow} bytes`)
  return { maxOutputLength: maxBytes, chunkSize: pieceBytes(maxBytes) }
}

async function unzstd (bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const options = zstdLimits(bytes, maxBytes)
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

/** Output grows by such pieces: it is taken as it comes, whatever was announced. */
function pieceBytes (maxBytes: number): number {
  return Math.min(Math.max(maxBytes, 64), 256 * 1024)
}

function assertLength (bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw tooLong(`${bytes} > ${maxBytes} bytes`)
}

function tooLong (message: string, cause?: unknown): CastrError {
  return new CastrError('ERR_CHUNK_SIZE', message, { cause, remote: true })
}

function assertZstd (): void {
  if (zlib.zstdCompress === undefined) throw new CastrError('ERR_UNSUPPORTED', `node ${process.version} has no zstd: it came with 22.15`)
}
