/** Messages of the profile `final`, keys in the order in which the original writes them. Pure. */
import { FinalError, FinalType, MAX_TOKEN_CHARACTERS } from './constants.ts'
import { IpcUploadError } from './errors.ts'
import { echoOf, idOf, integerOf, isObject, malformed, parseObject, RawJson, textOf, textsOf, u64Of, writeObject, type JsonObject } from './json-codec.ts'
import type { Encoded } from './readme-codec.ts'

export interface FileInfo {
  readonly name: string
  readonly size: bigint
  readonly chunks: bigint
  /** SHA-256 of the content, in hex: the file's identity. */
  readonly digest: string
  readonly tags: readonly string[]
}

/** `on` is the last index in PutChunk and the number of chunks in what answers GetChunk; `digest` that of the base64 text. */
export interface ChunkInfo {
  readonly n: number
  readonly on: number
  readonly digest: string
}

interface Base {
  readonly mid: string
  /** The JSON of the key `id`, where there is one. */
  readonly id?: string | undefined
}

export interface Login extends Base {
  readonly type: 'Login'
  readonly token: string
  /** Asks for the chunk's digest in answers to PutChunk. An extra key, which the original ignores. */
  readonly ackDigest?: boolean | undefined
  /** Asks whether GetRange is understood. An extra key. */
  readonly ranges?: boolean | undefined
}
export interface LoginOk extends Base {
  readonly type: 'LoginOk'
  /** GetRange is understood. An extra key, which only says so to who has asked. */
  readonly ranges?: boolean | undefined
}
export interface Upload extends Base { readonly type: 'Upload', readonly file: FileInfo }
export interface UploadOk extends Base { readonly type: 'UploadOk', readonly path: string }
export interface Download extends Base {
  readonly type: 'Download'
  readonly digest?: string | undefined
  readonly name?: string | undefined
  readonly tags?: readonly string[] | undefined
}
export interface DownloadOk extends Base { readonly type: 'DownloadOk', readonly file: FileInfo }
export interface PutChunk extends Base {
  readonly type: 'PutChunk'
  readonly digest: string
  readonly chunk: ChunkInfo
  /** base64, as it stands in the message: the chunk's digest is that of the text. */
  readonly data: string
}
export interface PutChunkOk extends Base {
  readonly type: 'PutChunkOk'
  readonly digest: string
  readonly n: number
  /** SHA-256 of what was stored, where Login asked for it. */
  readonly stored?: string | undefined
}
export interface GetChunk extends Base { readonly type: 'GetChunk', readonly digest: string, readonly n: number }
export interface GetChunkOk extends Base { readonly type: 'GetChunkOk', readonly digest: string, readonly chunk: ChunkInfo, readonly data: string }
/** Content from `position` on; answered by as many Pieces as it takes. */
export interface GetRange extends Base { readonly type: 'GetRange', readonly digest: string, readonly position: number, readonly length: number }
/** No JSON: the next bytes of the range that was asked for first. */
export interface Piece extends Base { readonly type: 'Piece', readonly data: Uint8Array }
export interface Failure extends Base {
  readonly type: 'Failure'
  readonly code: number
  readonly reason: string
  readonly path?: string | undefined
  readonly digest?: string | undefined
  readonly nextChunk?: number | undefined
  readonly limit?: number | undefined
}

export type FinalRequest = Login | Upload | Download | PutChunk | GetChunk | GetRange
export type FinalAnswer = LoginOk | UploadOk | DownloadOk | PutChunkOk | GetChunkOk | Piece | Failure
export type FinalMessage = FinalRequest | FinalAnswer

export function encodeFinal (message: FinalMessage): Encoded {
  if (message.type === 'Piece') return { userType: FinalType.Piece, payload: NOTHING, tail: message.data }
  const base = { id: message.id === undefined ? undefined : new RawJson(message.id), mid: message.mid }
  switch (message.type) {
    case 'Login': return encoded(FinalType.Login, { ...base, token: message.token, 'ack-digest': message.ackDigest, ranges: message.ranges })
    case 'LoginOk': return encoded(FinalType.LoginOk, { ...base, ranges: message.ranges })
    case 'Upload': return encoded(FinalType.Upload, { ...base, file: fileJson(message.file) })
    case 'UploadOk': return encoded(FinalType.Upload, { ...base, path: message.path })
    case 'Download': return encoded(FinalType.Download, { ...base, filedigest: message.digest, name: message.name, tags: message.tags })
    case 'DownloadOk': return encoded(FinalType.Download, { ...base, file_info: fileJson(message.file) })
    case 'PutChunk': return encoded(FinalType.PutChunk, { ...base, filedigest: message.digest, chunk: chunkJson(message.chunk), data: message.data })
    case 'PutChunkOk': return encoded(FinalType.PutChunk, { ...base, file_digest: message.digest, n: message.n, digest: message.stored })
    case 'GetChunk': return encoded(FinalType.GetChunk, { ...base, filedigest: message.digest, n: message.n })
    case 'GetChunkOk': return encoded(FinalType.GetChunk, { ...base, file_digest: message.digest, chunk: chunkJson(message.chunk), data: message.data })
    case 'GetRange': return encoded(FinalType.GetRange, { ...base, filedigest: message.digest, position: message.position, length: message.length })
    case 'Failure': {
      const { code, path, digest, nextChunk, limit, reason } = message
      return encoded(code, { ...base, path, filedigest: digest, next_chunk: nextChunk, limit, reason })
    }
  }
}

/** Throws `ERR_MALFORMED` or `ERR_UNKNOWN_TYPE`, with the message's `mid` where that can be read. */
export function decodeFinal (userType: number, payload: Uint8Array): FinalMessage {
  if (userType === FinalType.Piece) return { type: 'Piece', mid: '', data: payload }
  const json = parseObject(payload, userType === FinalType.Upload || userType === FinalType.Download)
  const mid = idOf(json, 'mid', userType >= FinalError.Generic ? 0 : 1)
  try {
    const id = echoOf(json)
    return { mid, ...(id === undefined ? {} : { id }), ...bodyOf(userType, json) } as FinalMessage
  } catch (error) {
    const { code, scope, message } = error as IpcUploadError
    throw new IpcUploadError(code, scope, message, { messageId: mid })
  }
}

const NOTHING = new Uint8Array(0)

type Body = { readonly type: FinalMessage['type'] } & JsonObject

/** Requests and their answers share a number: the keys tell them apart. */
function bodyOf (userType: number, json: JsonObject): Body {
  switch (userType) {
    case FinalType.Login: {
      const token = textOf(json, 'token')
      if (token.length > MAX_TOKEN_CHARACTERS) throw malformed(`token of ${token.length} > ${MAX_TOKEN_CHARACTERS} characters`)
      return { type: 'Login', token, ...(json['ack-digest'] === true ? { ackDigest: true } : {}), ...(json['ranges'] === true ? { ranges: true } : {}) }
    }
    case FinalType.LoginOk: return { type: 'LoginOk', ...(json['ranges'] === true ? { ranges: true } : {}) }
    case FinalType.Upload:
      if (json['path'] !== undefined && json['file'] === undefined) return { type: 'UploadOk', path: textOf(json, 'path') }
      return { type: 'Upload', file: fileOf(json['file']) }
    case FinalType.Download:
      if (json['file_info'] !== undefined) return { type: 'DownloadOk', file: fileOf(json['file_info']) }
      return {
        type: 'Download',
        ...(present(json, 'filedigest') ? { digest: textOf(json, 'filedigest') } : {}),
        ...(present(json, 'name') ? { name: textOf(json, 'name') } : {}),
        ...(present(json, 'tags') ? { tags: textsOf(json, 'tags') } : {})
      }
    case FinalType.PutChunk:
      if (json['data'] === undefined) {
        return { type: 'PutChunkOk', digest: textOf(json, 'file_digest'), n: integerOf(json, 'n'), ...(json['digest'] === undefined ? {} : { stored: textOf(json, 'digest') }) }
      }
      return { type: 'PutChunk', digest: textOf(json, 'filedigest'), chunk: chunkOf(json['chunk']), data: textOf(json, 'data') }
    case FinalType.GetChunk:
      if (json['data'] === undefined) return { type: 'GetChunk', digest: textOf(json, 'filedigest'), n: integerOf(json, 'n') }
      return { type: 'GetChunkOk', digest: textOf(json, 'file_digest'), chunk: chunkOf(json['chunk']), data: textOf(json, 'data') }
    case FinalType.GetRange: return { type: 'GetRange', digest: textOf(json, 'filedigest'), position: integerOf(json, 'position'), length: integerOf(json, 'length') }
    default:
      if (!FAILURES.has(userType)) throw new IpcUploadError('ERR_UNKNOWN_TYPE', 'transfer', `unknown user type: ${userType}`)
      return {
        type: 'Failure',
        code: userType,
        reason: textOf(json, 'reason'),
        ...(json['path'] === undefined ? {} : { path: textOf(json, 'path') }),
        ...(json['filedigest'] === undefined ? {} : { digest: textOf(json, 'filedigest') }),
        ...(json['next_chunk'] === undefined ? {} : { nextChunk: integerOf(json, 'next_chunk') }),
        ...(json['limit'] === undefined ? {} : { limit: integerOf(json, 'limit') })
      }
  }
}

const FAILURES: ReadonlySet<number> = new Set(Object.values(FinalError))

function present (json: JsonObject, key: string): boolean {
  return json[key] !== undefined && json[key] !== null
}

function fileOf (value: unknown): FileInfo {
  if (!isObject(value)) throw malformed('no file')
  return { name: textOf(value, 'name'), size: u64Of(value, 'size'), chunks: u64Of(value, 'nb_chunks'), digest: textOf(value, 'digest'), tags: textsOf(value, 'tags') }
}

function fileJson ({ name, size, chunks, digest, tags }: FileInfo): JsonObject {
  return { name, size, nb_chunks: chunks, digest, tags }
}

function chunkOf (value: unknown): ChunkInfo {
  if (!isObject(value)) throw malformed('no chunk')
  return { n: integerOf(value, 'n'), on: integerOf(value, 'on'), digest: textOf(value, 'digest') }
}

function chunkJson ({ n, on, digest }: ChunkInfo): JsonObject {
  return { n, on, digest }
}

function encoded (userType: number, members: JsonObject): Encoded {
  return { userType, payload: new TextEncoder().encode(writeObject(members)) }
}
