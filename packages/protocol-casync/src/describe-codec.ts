/**
 * Messages as plain fields, with the names that the specification uses. Pure.
 *
 * @module
 */
import type { ChunkId } from '@ropewalk/interface'
import { CHUNK_HEADER_BYTES, FRAME_HEADER_BYTES, REQUEST_HEADER_BYTES } from './constants.ts'
import { helloFlags } from './hello-state.ts'
import { requestedIds, type Message } from './message-codec.ts'

export type MessageFields = Readonly<Record<string, string | number | boolean | readonly string[]>> & {
  readonly type: string
  /** Of the whole frame. */
  readonly size: number
}

/** Ids that are listed; a frame may have half a million. */
const LISTED_IDS = 256

/** The fields of a message. Data are named by their length and, where they are compressed, by their format. */
export function describeMessage (message: Message): MessageFields {
  switch (message.type) {
    case 'HELLO': return { type: message.type, size: 24, flags: `0x${message.flags.toString(16)}`, flag_names: helloFlags(message.flags) }
    case 'INDEX':
    case 'ARCHIVE': return { type: message.type, size: FRAME_HEADER_BYTES + message.data.length, payload: message.data.length }
    case 'REQUEST': {
      const ids = Array.from(first(requestedIds(message.ids), LISTED_IDS))
      return { type: message.type, size: REQUEST_HEADER_BYTES + message.ids.length, flags: message.high ? 1 : 0, high_priority: message.high, n: message.ids.length / 32, ids }
    }
    case 'CHUNK': return {
      type: message.type,
      size: CHUNK_HEADER_BYTES + message.data.length,
      flags: message.compressed ? 1 : 0,
      compressed: message.compressed,
      id: message.id,
      payload: message.data.length,
      format: chunkFormat(message.data)
    }
    case 'MISSING': return { type: message.type, size: 48, id: message.id }
    case 'ABORT': return { type: message.type, size: 25 + new TextEncoder().encode(message.reason).length, error: message.errno, reason: message.reason }
    default: return { type: message.type, size: FRAME_HEADER_BYTES }
  }
}

/** What the first bytes of a chunk look like. */
export function chunkFormat (data: Uint8Array): 'zstd' | 'xz' | 'gzip' | 'raw' {
  const begins = (...bytes: number[]): boolean => bytes.every((byte, i) => data[i] === byte)
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz'
  return begins(0x1f, 0x8b) ? 'gzip' : 'raw'
}

function * first (ids: Iterable<ChunkId>, most: number): Generator<ChunkId> {
  let left = most
  for (const id of ids) {
    if (left-- === 0) return
    yield id
  }
}
