/**
 * Frames between our own peers: two lengths, JSON, payload. Pure.
 *
 * @module
 */
import { readU32BE, writeU32BE } from '@ropewalk/framing'
import { Uint8ArrayList } from 'uint8arraylist'
import { actionName, actionNumber } from './action-codec.ts'
import { CHUNK_BYTES, HASHES_PER_ENTRY, MAX_FILES, MAX_HARDENED_CHUNKS, MAX_JSON_BYTES } from './constants.ts'
import { SwarmError } from './errors.ts'
import { asObject, oneEntry, readAddress, readChunk, readHash, readInteger, readList, type FieldRules } from './field-codec.ts'
import { formatJson, parseJson } from './json-codec.ts'
import type { ActionName, ChunkRef, ListedFile, PeerAddress } from './message.ts'
import type { DecodeLimits } from './message-codec.ts'
import { flags } from './message-codec.ts'
import { chunkLength } from './name-codec.ts'

/** What every frame may have: `id` asks for an answer, `re` is one. */
interface FrameBase {
  readonly id?: number | undefined
  readonly re?: number | undefined
}

export type HardenedFrame = FrameBase & (
  | { readonly action: 'Add' | 'Files', readonly from?: PeerAddress | undefined, readonly nonce?: string | undefined, readonly mac?: string | undefined, readonly files: readonly ListedFile[] }
  | { readonly action: 'Remove', readonly from?: PeerAddress | undefined }
  | { readonly action: 'Download' | 'Have', readonly chunk: ChunkRef }
  | { readonly action: 'Upload', readonly chunk: ChunkRef, readonly data: Uint8Array }
  | { readonly action: 'Error', readonly code: number, readonly reason: string }
)

/** Bytes of the two lengths. */
export const FRAME_PREFIX_BYTES = 8

export function encodeFrame (frame: HardenedFrame): Uint8Array {
  return new Uint8ArrayList(...frameParts(frame)).subarray()
}

/** The same as head and payload: that is not copied. */
export function frameParts (frame: HardenedFrame): readonly Uint8Array[] {
  const json = formatJson(fieldsOf(frame))
  const payload = frame.action === 'Upload' && frame.data.length > 0 ? frame.data : undefined
  const length = payload?.length ?? 0
  if (json.length > MAX_JSON_BYTES) throw new RangeError(`JSON too long: ${json.length} > ${MAX_JSON_BYTES} bytes`)
  if (length > CHUNK_BYTES) throw new RangeError(`payload too long: ${length} > ${CHUNK_BYTES} bytes`)
  const head = new Uint8Array(FRAME_PREFIX_BYTES + json.length)
  writeU32BE(head, 0, json.length)
  writeU32BE(head, 4, length)
  head.set(json, FRAME_PREFIX_BYTES)
  return payload === undefined ? [head] : [head, payload]
}

/** A list in parts that each fit a frame: a file of many chunks becomes several entries. Never empty. */
export function splitList (files: readonly ListedFile[]): ListedFile[][] {
  const parts: ListedFile[][] = [[]]
  let room = HASHES_PER_ENTRY
  for (const file of files) {
    const count = file.count ?? 0
    for (let offset = 0; offset === 0 || offset < count; offset += HASHES_PER_ENTRY) {
      const length = Math.min(HASHES_PER_ENTRY, count - offset)
      if (length > room) {
        parts.push([])
        room = HASHES_PER_ENTRY
      }
      room -= length
      const part = count <= HASHES_PER_ENTRY ? file : { ...file, offset, held: file.held.filter(index => index >= offset && index < offset + length), chunkSha256: file.chunkSha256?.slice(offset, offset + length) }
      parts.at(-1)?.push(part)
    }
  }
  return parts
}

/** The lengths of a frame, checked before a byte of it is kept. */
export function frameLengths (prefix: Uint8Array): { json: number, payload: number } {
  const json = readU32BE(prefix, 0)
  const payload = readU32BE(prefix, 4)
  if (json < 1) throw new SwarmError('ERR_TRUNCATED', `JSON of ${json} bytes`)
  if (json > MAX_JSON_BYTES) throw new SwarmError('ERR_TOO_LARGE', `JSON too long: ${json} > ${MAX_JSON_BYTES} bytes`)
  if (payload > CHUNK_BYTES) throw new SwarmError('ERR_TOO_LARGE', `payload too long: ${payload} > ${CHUNK_BYTES} bytes`)
  return { json, payload }
}

/** One whole frame, its prefix included. */
export function decodeFrame (bytes: Uint8Array, limits: DecodeLimits = {}): HardenedFrame {
  if (bytes.length < FRAME_PREFIX_BYTES) throw new SwarmError('ERR_TRUNCATED', `frame cut: ${bytes.length} < ${FRAME_PREFIX_BYTES} bytes`)
  const { json, payload } = frameLengths(bytes)
  const wanted = FRAME_PREFIX_BYTES + json + payload
  if (bytes.length < wanted) throw new SwarmError('ERR_TRUNCATED', `frame cut: ${bytes.length} < ${wanted} bytes`)
  const object = asObject(parseJson(bytes.subarray(FRAME_PREFIX_BYTES, FRAME_PREFIX_BYTES + json)))
  const rules: FieldRules = {
    profile: 'hardened', firstNumber: 'count', maxChunks: limits.maxChunks ?? MAX_HARDENED_CHUNKS, maxFiles: limits.maxFiles ?? MAX_FILES
  }
  const base: FrameBase = { id: readInteger(object, 'id'), re: readInteger(object, 're') }

  const number = readInteger(object, 'action')
  if (number === undefined) {
    const code = readInteger(object, 'code')
    if (code === undefined) throw new SwarmError('ERR_BAD_FIELD', 'neither Action nor Code')
    const reason = object.get('reason')
    return { ...base, action: 'Error', code, reason: typeof reason === 'string' ? reason.slice(0, 200) : '' }
  }
  const action: ActionName = actionName('as-implemented', number)
  const from = object.has('hostname') ? readAddress(object) : undefined
  switch (action) {
    case 'Add':
    case 'Files': return { ...base, action, from, nonce: text(object.get('nonce')), mac: readHash(object, 'mac'), files: readList(object.get('files'), rules) }
    case 'Remove': return { ...base, action, from }
    case 'Download':
    case 'Have': return { ...base, action, chunk: readChunk(object, rules) }
    case 'Upload': {
      const chunk = readChunk(object, rules)
      const length = readInteger(oneEntry(object), 'len')
      if (length !== payload || (chunk.size !== undefined && payload !== chunkLength(chunk.size, chunk.index))) {
        throw new SwarmError('ERR_BAD_CHUNK', `a chunk of ${payload} bytes that says ${length ?? 'nothing'}`)
      }
      return { ...base, action, chunk, data: bytes.subarray(FRAME_PREFIX_BYTES + json, wanted) }
    }
    default: throw new SwarmError('ERR_BAD_ACTION', `${action} is no action between peers`)
  }
}

function fieldsOf (frame: HardenedFrame): Record<string, unknown> {
  const head: Record<string, unknown> = {}
  if (frame.id !== undefined) head.Id = frame.id
  if (frame.re !== undefined) head.Re = frame.re
  if (frame.action === 'Error') return { ...head, Code: frame.code, Reason: frame.reason }
  if ('from' in frame && frame.from !== undefined) {
    head.HostName = frame.from.host
    head.PortNumber = frame.from.port
  }
  head.Action = actionNumber('as-implemented', frame.action)
  switch (frame.action) {
    case 'Add':
    case 'Files':
      if (frame.nonce !== undefined) head.Nonce = frame.nonce
      if (frame.mac !== undefined) head.Mac = frame.mac
      return { ...head, Files: frame.files.map(listed) }
    case 'Remove': return head
    case 'Upload':
      return { ...head, Files: [{ ...entry(frame.chunk), Len: frame.data.length, ...hashOf(frame.chunk) }] }
    case 'Have': return { ...head, Files: [{ ...entry(frame.chunk), ...hashOf(frame.chunk) }] }
    default: return { ...head, Files: [entry(frame.chunk)] }
  }
}

function entry ({ name, count, index, size }: ChunkRef): Record<string, unknown> {
  return { FileName: name, Chunks: [count, index], ...(size === undefined ? {} : { Size: size }) }
}

function hashOf ({ sha256 }: ChunkRef): Record<string, unknown> {
  return sha256 === undefined ? {} : { Sha256: sha256 }
}

function listed (file: ListedFile): Record<string, unknown> {
  const { name, size, sha256, chunkSha256, offset = 0, count = 0 } = file
  const length = chunkSha256?.length ?? Math.min(HASHES_PER_ENTRY, count - offset)
  const fields: Record<string, unknown> = { FileName: name }
  if (size !== undefined) fields.Size = size
  if (sha256 !== undefined) fields.Sha256 = sha256
  if (offset !== 0) fields.Offset = offset
  fields.Chunks = flags(length, file.held, offset)
  if (chunkSha256 !== undefined) fields.ChunkSha256 = chunkSha256
  return fields
}

function text (value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[0-9a-f]{32,128}$/.test(value)) throw new SwarmError('ERR_BAD_FIELD', 'Nonce is no hex of 16 to 64 bytes')
  return value
}
