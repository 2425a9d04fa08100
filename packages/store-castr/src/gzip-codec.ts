/**
 * The outline of a gzip member: where its deflated content begins, and what stands behind it. Pure.
 *
 * @module
 */
import { readU32LE } from '@ropewalk/framing'
import { damaged } from './errors.ts'

export interface GzipMember {
  /** Where the content begins. */
  readonly start: number
  /** One past its last byte, if nothing follows the member. */
  readonly end: number
  readonly crc32: number
  /** Length of what was compressed, modulo 2^32. */
  readonly contentBytes: number
}

const TRAILER_BYTES = 8
const FIXED_BYTES = 10

/** RFC 1952. `ERR_CHUNK_DAMAGED` unless `bytes` begin like a member. */
export function readGzipMember (bytes: Uint8Array): GzipMember {
  const flags = at(bytes, 3)
  if (at(bytes, 2) !== 8) throw damaged(`gzip: compressed by method ${bytes[2]}, not 8`)
  if ((flags & 0xe0) !== 0) throw damaged('gzip: a reserved bit is set')
  let start = FIXED_BYTES
  if ((flags & 4) !== 0) start += 2 + (at(bytes, start) | at(bytes, start + 1) << 8)
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    while (at(bytes, start) !== 0) start++
    start++
  }
  if ((flags & 2) !== 0) start += 2
  const end = bytes.length - TRAILER_BYTES
  if (end < start) throw damaged(`gzip: cut short at byte ${bytes.length}`)
  return { start, end, crc32: readU32LE(bytes, end), contentBytes: readU32LE(bytes, end + 4) }
}

function at (bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset]
  if (byte === undefined) throw damaged(`gzip: cut short at byte ${bytes.length}`)
  return byte
}
