/**
 * The outline of a zstd frame, without decompressing it: whether there is exactly one, whole and with nothing behind it, and how much
 * memory it asks for. The decompressor itself takes what follows a frame in silence, and allocates what its header says. Pure.
 *
 * @module
 */
import { damaged } from './errors.ts'

export interface ZstdFrame {
  /** How far back it refers; what a decompressor allocates. */
  readonly windowBytes: number
  /** Length of the content, where the frame says it. */
  readonly contentBytes: number | undefined
}

/** RFC 8878, section 3.1.1. `ERR_CHUNK_DAMAGED` unless `bytes` are one frame. */
export function readZstdFrame (bytes: Uint8Array): ZstdFrame {
  const descriptor = at(bytes, 4)
  const single = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw damaged('zstd: a reserved bit is set')
  if ((descriptor & 0x03) !== 0) throw damaged('zstd: the frame needs a dictionary')
  let offset = 5
  let windowBytes = 0
  if (!single) {
    const window = at(bytes, offset++)
    const base = 2 ** (10 + (window >> 3))
    windowBytes = base + base / 8 * (window & 7)
  }

  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? single ? 1 : 0 : 2 ** sizeFlag
  let contentBytes: number | undefined
  if (sizeBytes > 0) {
    contentBytes = sizeBytes === 2 ? 256 : 0
    for (let i = 0; i < sizeBytes; i++) contentBytes += at(bytes, offset + i) * 256 ** i
    offset += sizeBytes
  }
  if (single) windowBytes = contentBytes as number

  for (let last = false; !last;) {
    const header = at(bytes, offset) | at(bytes, offset + 1) << 8 | at(bytes, offset + 2) << 16
    last = (header & 1) === 1
    const type = header >> 1 & 3
    if (type === 3) throw damaged(`zstd: a block of the reserved type at byte ${offset}`)
    offset += 3 + (type === 1 ? 1 : header >> 3)
  }
  if ((descriptor & 0x04) !== 0) offset += 4
  if (offset !== bytes.length) throw damaged(`zstd: the frame ends at byte ${offset} of ${bytes.length}`)
  return { windowBytes, contentBytes }
}

function at (bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset]
  if (byte === undefined) throw damaged(`zstd: cut short at byte ${bytes.length}`)
  return byte
}
