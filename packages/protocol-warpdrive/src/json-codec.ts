/**
 * The JSON of offers and peers, written byte for byte as the original's encoder does, and read as its decoder does: keys in any
 * case, unknown ones ignored, missing ones empty. Pure.
 *
 * @module
 */
import { WarpdriveError } from './errors.ts'

export type OfferStatusName = 'awaiting' | 'accepted' | 'updated' | 'completed' | 'failed' | 'rejected' | 'withdrawn'

/** One entry of an offer. What stands behind `mime` and `name` is our extension: the original ignores it. */
export interface FileInfo {
  /** Relative, with `/` between components. */
  readonly uri: string
  /** Nobody reads it. The original tells its absolute path here. */
  readonly path: string
  readonly size: number
  readonly isDir: boolean
  readonly perm: number
  readonly mime: string
  readonly name: string
  /** SHA-256 as 64 lower-case hex digits: of the content, or of the digests in `blocks` where there are some. */
  readonly sha256?: string | undefined
  /** SHA-256 of each block of a file that is longer than one, 64 lower-case hex digits each. */
  readonly blocks?: string | undefined
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtimeMs?: number | undefined
  /** The target of a symbolic link. */
  readonly link?: string | undefined
}

export interface OfferStatus {
  readonly id: string
  readonly incoming: boolean
  readonly status: OfferStatusName
  /** -1 before the first entry, then the running one; all of them when it is completed. */
  readonly index: number
  /** Bytes of the running entry. */
  readonly progress: number
  readonly updatedAt: number
}

export interface Offer extends OfferStatus {
  readonly createdAt: number
  readonly peer: string
  readonly files: readonly FileInfo[]
}

export interface Peer {
  readonly id: string
  readonly alias: string
  /** `trust`, `block`; anything else asks. */
  readonly mod: string
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const STATUSES = ['awaiting', 'accepted', 'updated', 'completed', 'failed', 'rejected', 'withdrawn']

/** One value and its LF. An empty list of replies is `null`, as the original has it. */
export function encodeJson (value: unknown): Uint8Array {
  const text = JSON.stringify(value).replace(/[<>&\u2028\u2029\b\f]|\\[bf]|\\ud[89a-f][0-9a-f]{2}/g, escape)
  return encoder.encode(text + '\n')
}

/** As `encodeJson`, but never of a length at which the original's reader would leave the LF behind: a space is put inside. */
export function encodeJsonArgument (value: unknown): Uint8Array {
  const bytes = encodeJson(value)
  const length = bytes.length - 1
  // 512, 1536, 3584, …: where its buffers of 512, 1024, 2048, … bytes are full.
  if (!Number.isInteger(Math.log2(length / 512 + 1)) || length < 512) return bytes
  const padded = new Uint8Array(bytes.length + 1)
  padded.set(bytes.subarray(0, 1))
  padded[1] = 0x20
  padded.set(bytes.subarray(1), 2)
  return padded
}

function escape (found: string): string {
  if (found === '\\b') return '\\u0008'
  if (found === '\\f') return '\\u000c'
  if (found.startsWith('\\u')) return '\\ufffd'
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
}

export function infoJson (info: FileInfo): object {
  const { uri, path, size, isDir, perm, mime, name, sha256, blocks, mtimeMs, link } = info
  return {
    Uri: uri, Path: path, Size: size, IsDir: isDir, Perm: perm, Mime: mime, Name: name,
    ...sha256 === undefined ? {} : { Sha256: sha256 }, ...blocks === undefined ? {} : { Blocks: blocks }, ...mtimeMs === undefined ? {} : { Mtime: mtimeMs }, ...link === undefined ? {} : { Link: link }
  }
}

export function statusJson ({ id, incoming, status, index, progress, updatedAt }: OfferStatus): object {
  return { Id: id, In: incoming, Status: status, Index: index, Progress: progress, Update: updatedAt }
}

export function offerJson (offer: Offer): object {
  return { ...statusJson(offer), Create: offer.createdAt, Peer: offer.peer, Files: offer.files.length === 0 ? null : offer.files.map(infoJson) }
}

export function peerJson ({ id, alias, mod }: Peer): object {
  return { Id: id, Alias: alias, Mod: mod }
}

/** Any JSON value. */
export function parseJson (bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    throw new WarpdriveError('ERR_BAD_JSON', `not JSON: ${bytes.length} bytes`, { cause })
  }
}

/** The items of an array, or of `null`. More than `most` are `ERR_TOO_MANY`. */
export function listOf<T> (value: unknown, most: number, read: (item: unknown) => T): T[] {
  if (value === null) return []
  if (!Array.isArray(value)) throw new WarpdriveError('ERR_BAD_JSON', `an array is wanted, not ${typeof value}`)
  if (value.length > most) throw new WarpdriveError('ERR_TOO_MANY', `too many entries: ${value.length} > ${most}`)
  return value.map(read)
}

export function readInfo (value: unknown): FileInfo {
  const field = fieldsOf(value)
  const uri = text(field('Uri'))
  const sha256 = optional(field('Sha256'), text)
  const blocks = optional(field('Blocks'), text)
  const mtimeMs = optional(field('Mtime'), item => integer(item, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))
  const link = optional(field('Link'), text)
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) throw new WarpdriveError('ERR_BAD_VALUE', `not a SHA-256: ${sha256.length} characters`)
  return {
    uri, path: text(field('Path')), size: integer(field('Size'), 0, Number.MAX_SAFE_INTEGER), isDir: flag(field('IsDir')),
    perm: integer(field('Perm'), 0, 0xffff_ffff), mime: text(field('Mime')), name: text(field('Name')),
    ...sha256 === undefined ? {} : { sha256 }, ...blocks === undefined ? {} : { blocks }, ...mtimeMs === undefined ? {} : { mtimeMs }, ...link === undefined ? {} : { link }
  }
}

export function readStatus (value: unknown): OfferStatus {
  const field = fieldsOf(value)
  const status = text(field('Status'))
  if (!STATUSES.includes(status)) throw new WarpdriveError('ERR_BAD_VALUE', `not a status: ${JSON.stringify(status.slice(0, 64))}`)
  return {
    id: text(field('Id')), incoming: flag(field('In')), status: status as OfferStatusName, index: integer(field('Index'), -1, 0x7fff_ffff),
    // The original tells -1 after some failures.
    progress: integer(field('Progress'), -1, Number.MAX_SAFE_INTEGER), updatedAt: integer(field('Update'), 0, Number.MAX_SAFE_INTEGER)
  }
}

export function readOffer (value: unknown, maxEntries: number): Offer {
  const field = fieldsOf(value)
  return {
    ...readStatus(value), createdAt: integer(field('Create'), 0, Number.MAX_SAFE_INTEGER), peer: text(field('Peer')),
    files: listOf(field('Files') ?? null, maxEntries, readInfo)
  }
}

export function readPeer (value: unknown): Peer {
  const field = fieldsOf(value)
  return { id: text(field('Id')), alias: text(field('Alias')), mod: text(field('Mod')) }
}

/** The three strings of update peer. What follows them is ignored. */
export function readUpdate (value: unknown): { readonly peer: string, readonly attribute: string, readonly value: string } {
  if (!Array.isArray(value) || value.length < 3) throw new WarpdriveError('ERR_BAD_JSON', 'update peer wants three strings')
  const [peer, attribute, wanted] = value.slice(0, 3).map(item => {
    if (typeof item !== 'string') throw new WarpdriveError('ERR_BAD_JSON', `a string is wanted, not ${typeof item}`)
    return item
  }) as [string, string, string]
  return { peer, attribute, value: wanted }
}

function fieldsOf (value: unknown): (name: string) => unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WarpdriveError('ERR_BAD_JSON', 'an object is wanted')
  const fields = new Map(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item as unknown]))
  return name => fields.get(name.toLowerCase())
}

function optional<T> (value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value)
}

function text (value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new WarpdriveError('ERR_BAD_JSON', `a string is wanted, not ${typeof value}`)
  return value
}

function flag (value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (typeof value !== 'boolean') throw new WarpdriveError('ERR_BAD_JSON', `true or false is wanted, not ${typeof value}`)
  return value
}

function integer (value: unknown, least: number, most: number): number {
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number') throw new WarpdriveError('ERR_BAD_JSON', `a number is wanted, not ${typeof value}`)
  if (!Number.isSafeInteger(value) || value < least || value > most) throw new WarpdriveError('ERR_BAD_VALUE', `${value} is not an integer from ${least} to ${most}`)
  return value
}
