/**
 * Blocks and their acknowledgements without JSON, between two of our own that have agreed on it. Pure.
 *
 *      Block    sequence (4, big endian), file (4), block (4), content
 *      Taken    for each block: sequence (4), SHA-256 of what was stored (64 hex digits)
 *
 * @module
 */
import { readU32BE, writeU32BE } from '@ropewalk/framing'
import { MAX_BLOCK_BYTES, MAX_WINDOW, ReadmeType } from './constants.ts'
import { IpcUploadError } from './errors.ts'
import { malformed } from './json-codec.ts'
import type { Encoded } from './readme-codec.ts'

/** A block by its number in its transfer, the one that was authenticated last. An error that answers it has the sequence for its id. */
export interface RawBlock {
  readonly type: 'Block'
  /** Chosen by the client, fresh for every block that is sent. */
  readonly sequence: number
  readonly file: number
  readonly index: number
  readonly data: Uint8Array
}

export interface TakenBlock {
  readonly sequence: number
  /** In hex. */
  readonly digest: string
}

export interface Taken {
  readonly type: 'Taken'
  readonly blocks: readonly TakenBlock[]
}

const BLOCK_HEADER_BYTES = 12
const DIGEST_CHARACTERS = 64
const TAKEN_BYTES: number = 4 + DIGEST_CHARACTERS

/** The content is not copied. */
export function encodeBlock ({ sequence, file, index, data }: RawBlock): Encoded {
  const payload = new Uint8Array(BLOCK_HEADER_BYTES)
  writeU32BE(payload, 0, sequence)
  writeU32BE(payload, 4, file)
  writeU32BE(payload, 8, index)
  return { userType: ReadmeType.Block, payload, tail: data }
}

/** The content is a view of `payload`. Throws `ERR_MALFORMED` or `ERR_BAD_DATA`. */
export function decodeBlock (payload: Uint8Array): RawBlock {
  if (payload.length < BLOCK_HEADER_BYTES) throw malformed(`block of ${payload.length} < ${BLOCK_HEADER_BYTES} bytes`)
  const sequence = readU32BE(payload, 0)
  const data = payload.subarray(BLOCK_HEADER_BYTES)
  if (data.length > MAX_BLOCK_BYTES) {
    throw new IpcUploadError('ERR_BAD_DATA', 'transfer', `block too large: ${data.length} > ${MAX_BLOCK_BYTES} bytes`, { messageId: String(sequence) })
  }
  return { type: 'Block', sequence, file: readU32BE(payload, 4), index: readU32BE(payload, 8), data }
}

export function encodeTaken ({ blocks }: Taken): Encoded {
  const payload = new Uint8Array(blocks.length * TAKEN_BYTES)
  for (const [at, { sequence, digest }] of blocks.entries()) {
    writeU32BE(payload, at * TAKEN_BYTES, sequence)
    ENCODER.encodeInto(digest, payload.subarray(at * TAKEN_BYTES + 4, (at + 1) * TAKEN_BYTES))
  }
  return { userType: ReadmeType.Taken, payload }
}

/** Throws `ERR_MALFORMED`. */
export function decodeTaken (payload: Uint8Array): Taken {
  const count = payload.length / TAKEN_BYTES
  if (!Number.isInteger(count) || count < 1 || count > MAX_WINDOW) throw malformed(`acknowledgement of ${payload.length} bytes, not 1 to ${MAX_WINDOW} times ${TAKEN_BYTES}`)
  const blocks: TakenBlock[] = []
  for (let at = 0; at < payload.length; at += TAKEN_BYTES) {
    blocks.push({ sequence: readU32BE(payload, at), digest: DECODER.decode(payload.subarray(at + 4, at + TAKEN_BYTES)) })
  }
  return { type: 'Taken', blocks }
}

const ENCODER = new TextEncoder()
const DECODER = new TextDecoder('latin1')
