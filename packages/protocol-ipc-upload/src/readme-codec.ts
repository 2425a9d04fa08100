/** Messages of the profile `readme`. Pure. */
import { decodeBase64 } from './base64-codec.ts'
import { decodeBlock, decodeTaken, encodeBlock, encodeTaken, type RawBlock, type Taken } from './block-codec.ts'
import { MAX_BLOCK_BYTES, MAX_TOKEN_CHARACTERS, ReadmeType } from './constants.ts'
import { IpcUploadError } from './errors.ts'
import { idOf, integerOf, isObject, malformed, parseObject, RawJson, textOf, textsOf, u64Of, writeObject, type JsonObject } from './json-codec.ts'
import type { MachineBase64 } from './ports.ts'
import { decodeTransfer, encodeTransfer } from './transfer-codec.ts'

export interface AnnouncedFile {
  readonly name: string
  readonly size: bigint
  /** SHA-256 of the content, in hex. An extra key. */
  readonly digest?: string | undefined
}

/** File, first block, last block. */
export type MissingRange = readonly [file: number, first: number, last: number]

export interface Authentication {
  readonly type: 'Authentication'
  readonly messageId: string
  readonly token: string
  readonly files: readonly AnnouncedFile[]
  readonly fid?: string | undefined
  readonly tags: readonly string[]
  /** Largest block, and most blocks under way, that the client can do. Extra keys. */
  readonly blockSize?: number | undefined
  readonly window?: number | undefined
  /** The client can send blocks as they are. An extra key. */
  readonly rawBlocks?: boolean | undefined
}

export interface Response {
  readonly type: 'Response'
  readonly messageId: string
  readonly response: 'Ok' | 'Error'
  readonly reason?: string | undefined
  readonly code?: number | undefined
  readonly fid?: string | undefined
  readonly missing?: readonly MissingRange[] | undefined
  readonly blockSize?: number | undefined
  readonly window?: number | undefined
  /** Blocks may come as they are. An extra key. */
  readonly rawBlocks?: boolean | undefined
  /** SHA-256 of the block that is acknowledged, in hex. An extra key. */
  readonly digest?: string | undefined
  readonly complete?: boolean | undefined
}

export interface Transfer {
  readonly type: 'Transfer'
  readonly messageId: string
  readonly chunk: string
  readonly data: Uint8Array
}

export type ReadmeMessage = Authentication | Response | Transfer | RawBlock | Taken

/** How content is written: as base64, or literally as the README has it, as numbers. */
export type DataEncoding = 'base64' | 'array'

export interface Encoded {
  readonly userType: number
  readonly payload: Uint8Array
  /** The rest of the payload, which is not copied where that can be avoided. */
  readonly tail?: Uint8Array | undefined
  /** Bytes that are free before the payload, in the same buffer, for a header. */
  readonly headroom?: number | undefined
}

export function encodeReadme (message: ReadmeMessage, dataEncoding: DataEncoding = 'base64', machine?: MachineBase64): Encoded {
  switch (message.type) {
    case 'Authentication': {
      const { messageId, token, fid, tags, blockSize, window, rawBlocks } = message
      const files = message.files.map(({ name, size, digest }) => new RawJson(writeObject({ name, size, digest })))
      return encoded(ReadmeType.Authentication, { 'message-id': messageId, token, files, fid, tags, 'block-size': blockSize, window, 'raw-blocks': rawBlocks })
    }
    case 'Response': {
      const { messageId, response, reason, code, fid, missing, blockSize, window, rawBlocks, digest, complete } = message
      return encoded(ReadmeType.Response, { 'message-id': messageId, response, reason, code, fid, missing, 'block-size': blockSize, window, 'raw-blocks': rawBlocks, digest, complete })
    }
    case 'Transfer': {
      const { messageId, chunk, data } = message
      if (dataEncoding === 'array') return encoded(ReadmeType.Transfer, { 'message-id': messageId, chunk, data: Array.from(data) })
      return encodeTransfer(messageId, chunk, data, machine)
    }
    case 'Block': return encodeBlock(message)
    case 'Taken': return encodeTaken(message)
  }
}

/** Throws `ERR_MALFORMED`, `ERR_UNKNOWN_TYPE` or `ERR_BAD_DATA`, with the message's id where that can be read. */
export function decodeReadme (userType: number, payload: Uint8Array, machine?: MachineBase64): ReadmeMessage {
  if (userType === ReadmeType.Block) return decodeBlock(payload)
  if (userType === ReadmeType.Taken) return decodeTaken(payload)
  const transfer = machine === undefined || userType !== ReadmeType.Transfer ? undefined : decodeTransfer(payload, machine)
  if (transfer !== undefined) return transfer
  const json = parseObject(payload, userType !== ReadmeType.Transfer)
  const key = json['message-id'] === undefined ? 'mid' : 'message-id'
  const messageId = idOf(json, key, userType === ReadmeType.Response ? 0 : 1)
  try {
    switch (userType) {
      case ReadmeType.Authentication: return authentication(messageId, json)
      case ReadmeType.Response: return response(messageId, json)
      case ReadmeType.Transfer: return { type: 'Transfer', messageId, chunk: idOf(json, 'chunk'), data: dataOf(json['data']) }
      default: throw new IpcUploadError('ERR_UNKNOWN_TYPE', 'transfer', `unknown user type: ${userType}`)
    }
  } catch (error) {
    const { code, scope, message } = error as IpcUploadError
    throw new IpcUploadError(code, scope, message, { messageId })
  }
}

function authentication (messageId: string, json: JsonObject): Authentication {
  const token = textOf(json, 'token')
  if (token.length > MAX_TOKEN_CHARACTERS) throw malformed(`token of ${token.length} > ${MAX_TOKEN_CHARACTERS} characters`)
  const files = json['files']
  if (!Array.isArray(files)) throw malformed('no list under files')
  return {
    type: 'Authentication',
    messageId,
    token,
    files: files.map(announced),
    ...(json['fid'] === undefined || json['fid'] === null ? {} : { fid: idOf(json, 'fid') }),
    tags: json['tags'] === undefined ? [] : textsOf(json, 'tags'),
    ...optional('blockSize', json, 'block-size'),
    ...optional('window', json, 'window'),
    ...(json['raw-blocks'] === true ? { rawBlocks: true } : {})
  }
}

function announced (file: unknown): AnnouncedFile {
  if (!isObject(file)) throw malformed('a file that is no object')
  return { name: textOf(file, 'name'), size: u64Of(file, 'size'), ...(file['digest'] === undefined ? {} : { digest: textOf(file, 'digest') }) }
}

function response (messageId: string, json: JsonObject): Response {
  const said = json['response']
  if (said !== 'Ok' && said !== 'Error') throw malformed('a response that is neither Ok nor Error')
  return {
    type: 'Response',
    messageId,
    response: said,
    ...(typeof json['reason'] === 'string' ? { reason: json['reason'] } : {}),
    ...optional('code', json, 'code'),
    ...(json['fid'] === undefined ? {} : { fid: idOf(json, 'fid') }),
    ...(json['missing'] === undefined ? {} : { missing: missingOf(json['missing']) }),
    ...optional('blockSize', json, 'block-size'),
    ...optional('window', json, 'window'),
    ...(json['raw-blocks'] === true ? { rawBlocks: true } : {}),
    ...(json['digest'] === undefined ? {} : { digest: textOf(json, 'digest') }),
    ...(json['complete'] === true ? { complete: true } : {})
  }
}

function missingOf (value: unknown): MissingRange[] {
  if (!Array.isArray(value) || !value.every(isRange)) throw malformed('missing that is no list of [file, first, last]')
  return value
}

function isRange (range: unknown): range is MissingRange {
  return Array.isArray(range) && range.length === 3 && range.every(item => Number.isSafeInteger(item) && item >= 0) && range[1] <= range[2]
}

function dataOf (value: unknown): Uint8Array {
  if (typeof value === 'string') return limited(decodeBase64(value))
  if (!Array.isArray(value)) throw new IpcUploadError('ERR_BAD_DATA', 'transfer', 'data that is neither text nor list')
  if (value.every(item => typeof item === 'string')) return limited(joined(value.map(decodeBase64)))
  if (!value.every(item => Number.isInteger(item) && item >= 0 && item <= 255)) throw new IpcUploadError('ERR_BAD_DATA', 'transfer', 'data that are not bytes')
  return limited(Uint8Array.from(value))
}

function limited (data: Uint8Array): Uint8Array {
  if (data.length > MAX_BLOCK_BYTES) throw new IpcUploadError('ERR_BAD_DATA', 'transfer', `block too large: ${data.length} > ${MAX_BLOCK_BYTES} bytes`)
  return data
}

function joined (parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function optional<K extends string> (name: K, json: JsonObject, key: string): Partial<Record<K, number>> {
  return json[key] === undefined ? {} : { [name]: integerOf(json, key) } as Record<K, number>
}

function encoded (userType: number, members: JsonObject): Encoded {
  return { userType, payload: new TextEncoder().encode(writeObject(members)) }
}
