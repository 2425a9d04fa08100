/**
 * Messages that are one connection each: JSON, and for three of them a header of 500 bytes and a block of 65,536. Pure.
 *
 * @module
 */
import { actionName, actionNumber, hasBlock } from './action-codec.ts'
import { CHUNK_BYTES, HEADER_BYTES, MAX_CHUNKS, MAX_FILES, MESSAGE_BYTES } from './constants.ts'
import { SwarmError } from './errors.ts'
import { asObject, oneEntry, readAddress, readChunk, readInteger, readList, type FieldRules } from './field-codec.ts'
import { formatJson, parseJson, type JsonObject } from './json-codec.ts'
import type { ActionName, ChunkRef, ListedFile, Message, Profile } from './message.ts'
import { lengthWithoutNuls } from './name-codec.ts'

export interface EncodeOptions {
  /** Fill the block up to 65,536 bytes, as the original does. Without it the block ends where its data does, which the original takes. */
  pad?: boolean | undefined
}

export interface DecodeLimits {
  maxChunks?: number | undefined
  maxFiles?: number | undefined
}

/** The bytes of one connection. Throws RangeError for what does not fit: a name of more than the header takes, a list of more than a block. */
export function encodeMessage (profile: Profile, message: Message, options: EncodeOptions = {}): Uint8Array {
  const header = formatJson(headerOf(profile, message))
  if (header.length > HEADER_BYTES) throw new RangeError(`header too long: ${header.length} > ${HEADER_BYTES} bytes`)
  if (message.action === 'Error' || !hasBlock(message.action)) return header

  const block = blockOf(profile, message)
  if (block.length > CHUNK_BYTES) throw new RangeError(`block too long: ${block.length} > ${CHUNK_BYTES} bytes`)
  const bytes = new Uint8Array(options.pad === true ? MESSAGE_BYTES : HEADER_BYTES + block.length)
  bytes.set(header)
  bytes.set(block, HEADER_BYTES)
  return bytes
}

/** Bytes of a list as a block. */
export function listBytes (profile: Profile, files: readonly ListedFile[]): number {
  return formatJson(listOf(profile, files)).length
}

/**
 * The message that one whole connection was, its end included: a cut one is `ERR_TRUNCATED` wherever that can be told. Bytes past
 * the block are ignored; so are keys that nobody knows.
 */
export function decodeMessage (profile: Profile, bytes: Uint8Array, limits: DecodeLimits = {}): Message {
  const rules: FieldRules = {
    profile: profile.name, firstNumber: profile.firstNumber, maxChunks: limits.maxChunks ?? MAX_CHUNKS, maxFiles: limits.maxFiles ?? MAX_FILES
  }
  const head = bytes.subarray(0, HEADER_BYTES)
  const length = lengthWithoutNuls(head)
  if (length === 0) throw new SwarmError('ERR_TRUNCATED', `no header in ${bytes.length} bytes`)
  const header = asObject(parseJson(head.subarray(0, length), { trailingComma: profile.name === 'documented' }))
  const from = readAddress(header)

  const code = readInteger(header, 'code')
  const number = readInteger(header, 'action')
  if (number === undefined) {
    if (code === undefined) throw new SwarmError('ERR_BAD_FIELD', 'neither Action nor Code')
    return { action: 'Error', from, code }
  }
  const action = actionName(profile.name, number)
  if (hasBlock(action) && (bytes.length >= HEADER_BYTES || bytes.length > length)) {
    if (bytes.length < HEADER_BYTES) throw new SwarmError('ERR_TRUNCATED', `header cut: ${bytes.length} < ${HEADER_BYTES} bytes`)
  } else if (!hasBlock(action) && bytes.length > length && lengthWithoutNuls(bytes) > length) {
    throw new SwarmError('ERR_TOO_LARGE', `header longer than it may be: ${bytes.length} > ${HEADER_BYTES} bytes`)
  }
  return body(action, from, header, bytes.subarray(HEADER_BYTES, MESSAGE_BYTES), rules, bytes.length >= HEADER_BYTES)
}

function body (action: ActionName, from: Message['from'], header: JsonObject, block: Uint8Array, rules: FieldRules, whole: boolean): Message {
  switch (action) {
    case 'Add':
    case 'Files': {
      const length = lengthWithoutNuls(block)
      const list = length === 0 ? undefined : asObject(parseJson(block.subarray(0, length), { trailingComma: rules.profile === 'documented' })).get('files')
      const message = { action, from, files: readList(list, rules) }
      const extension = header.get('ext')
      const version = extension instanceof Map ? readInteger(extension as JsonObject, 'v') : undefined
      return version === undefined ? message : { ...message, extension: version }
    }
    case 'Upload':
      if (!whole) throw new SwarmError('ERR_TRUNCATED', 'a chunk without its block')
      return { action, from, chunk: readChunk(header, rules), data: block }
    case 'Download':
    case 'Have': return { action, from, chunk: readChunk(header, rules) }
    case 'Insert': {
      const entry = oneEntry(header)
      const path = entry.get('filename') ?? entry.get('file')
      if (typeof path !== 'string' || path === '' || path.includes('\0')) throw new SwarmError('ERR_BAD_NAME', 'bad path: none, or a NUL in it')
      return { action, from, path }
    }
    default: return { action, from }
  }
}

/** In the order in which the original writes its keys. */
function headerOf (profile: Profile, message: Message): Record<string, unknown> {
  const address = { HostName: message.from.host, PortNumber: message.from.port }
  if (message.action === 'Error') return { ...address, Code: message.code }
  const head = { ...address, Action: actionNumber(profile.name, message.action) }
  const none = profile.name === 'as-implemented' ? { Files: null } : {}
  switch (message.action) {
    case 'Join':
    case 'Leave':
    case 'Query': return head
    case 'Remove': return { ...head, ...none }
    case 'Insert': return { ...head, Files: [{ FileName: message.path }] }
    case 'Add':
    case 'Files': return { ...head, ...none, ...(message.extension === undefined ? {} : { Ext: { V: message.extension } }) }
    default: return { ...head, Files: [chunkOf(profile, message.chunk)] }
  }
}

function chunkOf (profile: Profile, chunk: ChunkRef): Record<string, unknown> {
  if (profile.name === 'documented') {
    if (profile.firstNumber === 'size' && chunk.size === undefined) throw new RangeError('the documented profile needs the size of the file')
    return { FileName: chunk.name, chunks: [profile.firstNumber === 'size' ? chunk.size : chunk.count, chunk.index] }
  }
  return { FileName: chunk.name, Chunks: [chunk.count, chunk.index], ...(chunk.size === undefined ? {} : { Size: chunk.size }) }
}

function blockOf (profile: Profile, message: Message): Uint8Array {
  if (message.action === 'Upload') return message.data
  return formatJson(listOf(profile, message.action === 'Add' || message.action === 'Files' ? message.files : []))
}

function listOf (profile: Profile, files: readonly ListedFile[]): { Files: unknown[] | null } {
  if (files.length === 0) return { Files: null }
  return {
    Files: files.map(({ name, count, held, size, sha256 }) => {
      const extra = { ...(size === undefined ? {} : { Size: size }), ...(sha256 === undefined ? {} : { Sha256: sha256 }) }
      if (profile.name === 'documented') return { FileName: name, chunks: held, ...(size === undefined ? {} : { size }) }
      return { FileName: name, Chunks: flags(count ?? 0, held), ...extra }
    })
  }
}

/** One number a chunk: 1 where it is held. */
export function flags (count: number, held: readonly number[], offset: number = 0): number[] {
  const list = new Array<number>(count).fill(0)
  for (const index of held) {
    if (index >= offset && index < offset + count) list[index - offset] = 1
  }
  return list
}
