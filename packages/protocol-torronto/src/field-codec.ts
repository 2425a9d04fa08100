/**
 * What stands in the JSON of this wire: addresses, chunks, lists. Pure.
 *
 * @module
 */
import { HASHES_PER_ENTRY, MAX_HARDENED_CHUNKS } from './constants.ts'
import { SwarmError } from './errors.ts'
import { parseJson, type JsonObject, type JsonValue } from './json-codec.ts'
import type { ChunkRef, ListedFile, PeerAddress, ProfileName } from './message.ts'
import { checkName, chunkCount } from './name-codec.ts'

export interface FieldRules {
  readonly profile: ProfileName
  readonly firstNumber: 'size' | 'count'
  /** Most chunks of a file. */
  readonly maxChunks: number
  /** Most files in a list. */
  readonly maxFiles: number
}

export function asObject (value: JsonValue): JsonObject {
  if (!(value instanceof Map)) throw new SwarmError('ERR_BAD_FIELD', 'not an object')
  return value
}

/** Who speaks. The README quotes the port, and so do some peers. */
export function readAddress (object: JsonObject): PeerAddress {
  const host = object.get('hostname')
  if (typeof host !== 'string' || !/^[^\s\u0000-\u001f]{1,255}$/.test(host)) throw new SwarmError('ERR_BAD_FIELD', 'HostName is no name')
  const raw = object.get('portnumber')
  const port = typeof raw === 'string' && /^[0-9]{1,5}$/.test(raw) ? Number(raw) : raw
  if (typeof port !== 'number' || port < 1 || port > 65_535) throw new SwarmError('ERR_BAD_FIELD', 'PortNumber is no port')
  return { host, port }
}

export function readInteger (object: JsonObject, key: string, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = object.get(key)
  if (value === undefined) return undefined
  if (typeof value !== 'number' || value < 0) throw new SwarmError('ERR_BAD_FIELD', `${key} is no whole number`)
  if (value > most) throw new SwarmError('ERR_TOO_LARGE', `${key} too large: ${value} > ${most}`)
  return value
}

export function readHash (object: JsonObject, key: string): string | undefined {
  const value = object.get(key)
  return value === undefined ? undefined : hash(value)
}

/** The one entry of Have, Download, Upload and Insert. */
export function oneEntry (object: JsonObject): JsonObject {
  const files = object.get('files')
  if (!Array.isArray(files) || files.length !== 1) throw new SwarmError('ERR_BAD_FIELD', `Files has ${Array.isArray(files) ? files.length : 'no'} entries instead of 1`)
  return asObject(files[0] as JsonValue)
}

export function readName (entry: JsonObject): string {
  const name = entry.get('filename') ?? entry.get('file')
  if (typeof name !== 'string') throw new SwarmError('ERR_BAD_NAME', 'bad file name: no text')
  return checkName(name)
}

export function readChunk (object: JsonObject, rules: FieldRules): ChunkRef {
  const entry = oneEntry(object)
  const name = readName(entry)
  const chunks = numbers(entry, rules, 'ERR_BAD_CHUNK')
  if (chunks.length !== 2) throw new SwarmError('ERR_BAD_CHUNK', `Chunks has ${chunks.length} numbers instead of 2`)
  const [first, index] = chunks as [number, number]
  const sized = rules.profile === 'documented' && rules.firstNumber === 'size'
  const count = sized ? chunkCount(first) : first
  const size = sized ? first : readInteger(entry, 'size')
  checkCount(count, rules)
  if (index >= count) throw new SwarmError('ERR_BAD_CHUNK', `chunk outside the file: ${index} >= ${count}`)
  if (size !== undefined && chunkCount(size) !== count) throw new SwarmError('ERR_BAD_CHUNK', `${count} chunks of ${size} bytes`)
  return { name, count, index, size, sha256: readHash(entry, 'sha256') }
}

/** Missing and null are an empty list. */
export function readList (value: JsonValue | undefined, rules: FieldRules): ListedFile[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new SwarmError('ERR_BAD_FIELD', 'Files is no list')
  if (value.length > rules.maxFiles) throw new SwarmError('ERR_TOO_LARGE', `too many files: ${value.length} > ${rules.maxFiles}`)
  return value.map(entry => readListed(asObject(entry as JsonValue), rules))
}

function readListed (entry: JsonObject, rules: FieldRules): ListedFile {
  const name = readName(entry)
  const chunks = numbers(entry, rules, 'ERR_BAD_CHUNK')
  const size = readInteger(entry, 'size')
  const offset = readInteger(entry, 'offset') ?? 0
  const hashes = entry.get('chunksha256')
  if (hashes !== undefined && !Array.isArray(hashes)) throw new SwarmError('ERR_BAD_FIELD', 'ChunkSha256 is no list')
  if (Array.isArray(hashes) && hashes.length > HASHES_PER_ENTRY) throw new SwarmError('ERR_TOO_LARGE', `too many hashes: ${hashes.length} > ${HASHES_PER_ENTRY}`)
  const counted = size === undefined ? undefined : chunkCount(size)
  const common = { name, size, sha256: readHash(entry, 'sha256'), chunkSha256: hashes?.map(hash), offset: offset === 0 ? undefined : offset }
  if (rules.profile === 'documented') {
    const held = [...new Set(chunks)].sort((a, b) => a - b)
    const last = held.at(-1) ?? -1
    if (last >= (counted ?? rules.maxChunks)) throw new SwarmError('ERR_BAD_CHUNK', `chunk outside the file: ${last} >= ${counted ?? rules.maxChunks}`)
    return { ...common, count: counted, held }
  }
  const count = counted ?? offset + chunks.length
  if (count > 0) checkCount(count, rules)
  if (offset + Math.max(chunks.length, hashes?.length ?? 0) > count) throw new SwarmError('ERR_BAD_CHUNK', `a list of ${offset + chunks.length} chunks for a file of ${count}`)
  if (rules.profile === 'as-implemented' && offset + chunks.length !== count) throw new SwarmError('ERR_BAD_CHUNK', `a list of ${offset + chunks.length} chunks for a file of ${count}`)
  const held: number[] = []
  for (const [index, flag] of chunks.entries()) {
    if (flag > 1) throw new SwarmError('ERR_BAD_CHUNK', `a flag that is ${flag}`)
    if (flag === 1) held.push(offset + index)
  }
  return { ...common, count, held }
}

function checkCount (count: number, { maxChunks }: FieldRules): void {
  if (count < 1) throw new SwarmError('ERR_BAD_CHUNK', `${count} chunks`)
  if (count > Math.min(maxChunks, MAX_HARDENED_CHUNKS)) throw new SwarmError('ERR_TOO_LARGE', `too many chunks: ${count} > ${maxChunks}`)
}

function numbers (entry: JsonObject, rules: FieldRules, code: 'ERR_BAD_CHUNK'): number[] {
  let value: JsonValue = entry.get('chunks') ?? []
  // The README prints a list as text.
  if (typeof value === 'string' && rules.profile === 'documented') value = parseJson(new TextEncoder().encode(value), { trailingComma: true })
  if (!Array.isArray(value)) throw new SwarmError(code, 'Chunks is no list')
  if (value.length > MAX_HARDENED_CHUNKS) throw new SwarmError('ERR_TOO_LARGE', `too many chunks: ${value.length} > ${rules.maxChunks}`)
  for (const item of value) {
    if (typeof item !== 'number' || item < 0) throw new SwarmError(code, 'Chunks has something that is no whole number')
  }
  return value as number[]
}

function hash (value: JsonValue): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw new SwarmError('ERR_BAD_FIELD', 'not 64 lower-case hex digits')
  return value
}
