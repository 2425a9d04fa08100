import type { Chunk, ChunkCompression, ChunkId } from '@ropewalk/interface'
import { CasyncError } from './errors.ts'
import type { Verifier } from './identify.ts'

/** A chunk as it came: compressed or not, and perhaps another. */
export interface Packed {
  readonly id: ChunkId
  readonly compressed: boolean
  readonly data: Uint8Array
}

/**
 * Decompresses and verifies. `maxBytes` bounds the length; `length` is what it must be, where that is known.
 * `ERR_CHUNK_DAMAGED` or `ERR_CHUNK_SIZE`, whoever decompresses.
 */
export async function unpack ({ id, compressed, data }: Packed, compression: ChunkCompression, verifier: Verifier, maxBytes: number, length?: number): Promise<Chunk> {
  assertPackedBytes({ id, data }, Math.min(length ?? maxBytes, maxBytes))
  const bytes = compressed ? await decompress(id, data, compression, Math.min(length ?? maxBytes, maxBytes)) : data
  if (length !== undefined ? bytes.length !== length : bytes.length > maxBytes) {
    throw new CasyncError('ERR_CHUNK_SIZE', 'transfer', `chunk ${id}: ${bytes.length}, not ${length ?? `up to ${maxBytes}`} bytes`, { id })
  }
  await verifier.assert(id, bytes, 'that came')
  return compressed ? { id, bytes, compressed: data } : { id, bytes }
}

/** No compressor makes much more of what does not compress: what is longer need not be looked at. */
export function assertPackedBytes ({ id, data }: Pick<Packed, 'id' | 'data'>, maxBytes: number): void {
  const most = mostPackedBytes(maxBytes)
  if (data.length > most) throw new CasyncError('ERR_CHUNK_SIZE', 'transfer', `chunk ${id}: ${data.length} bytes for a chunk of up to ${maxBytes}`, { id })
}

/** What a chunk of `bytes` may become when it is compressed. */
export function mostPackedBytes (bytes: number): number {
  return bytes + Math.ceil(bytes / 64) + 1024
}

async function decompress (id: ChunkId, data: Uint8Array, compression: ChunkCompression, maxBytes: number): Promise<Uint8Array> {
  try {
    return await compression.decompress(data, maxBytes)
  } catch (error) {
    const tooLong = error instanceof Error && 'code' in error && error.code === 'ERR_CHUNK_SIZE'
    throw new CasyncError(tooLong ? 'ERR_CHUNK_SIZE' : 'ERR_CHUNK_DAMAGED', 'transfer', `chunk ${id}: ${(error as Error).message}`, { id, cause: error })
  }
}

/** Counts the bytes that are being unpacked, so that whoever reads can wait for it. */
export class Unpacking {
  readonly #maxBytes: number
  #bytes = 0
  #wake: Array<() => void> = []

  constructor (maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  async run<T> (bytes: number, work: () => Promise<T>): Promise<T> {
    this.#bytes += bytes
    try {
      return await work()
    } finally {
      this.#bytes -= bytes
      const waiting = this.#wake
      this.#wake = []
      for (const wake of waiting) wake()
    }
  }

  /** Nothing when there is room, as there almost always is. */
  room (): void | Promise<void> {
    if (this.#bytes > this.#maxBytes) return this.#wait()
  }

  async #wait (): Promise<void> {
    while (this.#bytes > this.#maxBytes) await new Promise<void>(resolve => { this.#wake.push(resolve) })
  }
}
