/**
 * A file in parts, on one node or several: what is needed to fetch it, and to know that it is right. JSON, for people and
 * other programs to read; whoever has it can read, and remove, the file.
 *
 * @module
 */
import { open } from 'node:fs/promises'
import { escapeName, normaliseName } from '@ropewalk/receive'
import { parseAddress } from '../address.ts'
import { formatId } from '../arguments.ts'
import { codeOf, fileError, messageOf, RopewalkError } from '../errors.ts'

export const MANIFEST_FORMAT = 'ropewalk-manifest'
export const MANIFEST_VERSION = 1
export const MANIFEST_SUFFIX = '.ropewalk'

/** Bytes of a manifest. Ours: a thousand parts need a third of it. */
export const MAX_MANIFEST_BYTES = 1_048_576

/** Parts of a file. Ours. */
export const MAX_PARTS = 1024

/** Different nodes in a manifest. Ours: each is a connection. */
export const MAX_NODES = 64

/** Bytes of a name: one component of a path. */
export const MAX_NAME_BYTES = 200

export interface Part {
  /** Of the object, 32 hex digits. */
  readonly id: string
  /** Of its node, as text. */
  readonly address: string
  /** Where it begins in the file. */
  readonly offset: number
  readonly size: number
  readonly sha256: string
}

export interface Manifest {
  /** What the file was called. */
  readonly name: string
  readonly size: number
  readonly sha256: string
  /** In their order, without gaps. */
  readonly parts: readonly Part[]
}

export function formatManifest ({ name, size, sha256, parts }: Manifest): string {
  const document = {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    name,
    size,
    sha256,
    parts: parts.map(part => ({ id: formatId(part.id), address: part.address, offset: part.offset, size: part.size, sha256: part.sha256 }))
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Reads a manifest. `ERR_MANIFEST` says what is wrong in it, and where. */
export async function loadManifest (path: string): Promise<Manifest> {
  let text: string
  try {
    text = await readBounded(path, MAX_MANIFEST_BYTES)
  } catch (error) {
    if (error instanceof RopewalkError) throw error
    if (codeOf(error) === 'ENOENT') throw new RopewalkError('ERR_BAD_ID', 'an id is a UUID or 32 hex digits, and there is no manifest of that name', { text: path, cause: error })
    throw new RopewalkError('ERR_MANIFEST', fileError(error).message, { text: path, cause: error })
  }
  try {
    return parseManifest(text)
  } catch (error) {
    throw new RopewalkError('ERR_MANIFEST', messageOf(error), { text: path, cause: error })
  }
}

/** The name of a file in the directory that a user has chosen, and of nothing else. `ERR_MANIFEST` says what is wrong with it. */
export function nameInManifest (text: unknown): string {
  if (typeof text !== 'string') throw wrong('name', 'is no text')
  try {
    const name = normaliseName(text)
    if (!name.includes('/') && !name.startsWith('.') && Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
  } catch (error) {
    throw wrong('name', `is not the name of a file: ${messageOf(error)}`)
  }
  throw wrong('name', `is not the name of a file: up to ${MAX_NAME_BYTES} bytes, no slash, no dot in front`)
}

export function parseManifest (text: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    // What the parser says quotes the text, which may be anything.
    throw new RopewalkError('ERR_MANIFEST', 'it is not JSON', { cause })
  }
  const document = objectOf(value, 'it')
  if (document['format'] !== MANIFEST_FORMAT) throw wrong('format', `is not ${MANIFEST_FORMAT}`)
  if (document['version'] !== MANIFEST_VERSION) throw wrong('version', `is not ${MANIFEST_VERSION}, which is all that this program knows`)
  const name = nameInManifest(document['name'])
  const [size, sha256] = [sizeOf(document['size'], 'size'), digestOf(document['sha256'], 'sha256')]
  const list = document['parts']
  if (!Array.isArray(list) || list.length === 0) throw wrong('parts', 'is not a list of parts')
  if (list.length > MAX_PARTS) throw wrong('parts', `has ${list.length} > ${MAX_PARTS} parts`)

  let offset = 0
  const [ids, nodes] = [new Set<string>(), new Set<string>()]
  const parts = list.map((item: unknown, index): Part => {
    const at = `parts[${index}]`
    const fields = objectOf(item, at)
    const part = {
      id: idOf(fields['id'], `${at}.id`),
      address: addressOf(fields['address'], `${at}.address`),
      offset: sizeOf(fields['offset'], `${at}.offset`),
      size: sizeOf(fields['size'], `${at}.size`),
      sha256: digestOf(fields['sha256'], `${at}.sha256`)
    }
    if (part.offset !== offset) throw wrong(`${at}.offset`, `is ${part.offset}, and the part before ends at ${offset}`)
    if (part.size === 0 && list.length > 1) throw wrong(`${at}.size`, 'is 0')
    offset += part.size
    if (offset > size) throw wrong(at, `ends at ${offset} > ${size}, the size of the file`)
    if (ids.has(part.id)) throw wrong(`${at}.id`, 'stands in two parts')
    ids.add(part.id)
    nodes.add(part.address)
    if (nodes.size > MAX_NODES) throw wrong(`${at}.address`, `is that of one more than ${MAX_NODES} nodes`)
    return part
  })
  if (offset !== size) throw wrong('parts', `have ${offset} < ${size} bytes, the size of the file`)
  return { name, size, sha256, parts }
}

/** The whole text of a file that has no more than `limit` bytes. */
export async function readBounded (path: string, limit: number): Promise<string> {
  const handle = await open(path)
  try {
    if (!(await handle.stat()).isFile()) throw new RopewalkError('ERR_NOT_A_FILE', 'not a regular file', { text: path })
    const buffer = Buffer.alloc(limit + 1)
    let bytes = 0
    for (let read = -1; read !== 0 && bytes < buffer.length; bytes += read) ({ bytesRead: read } = await handle.read(buffer, bytes))
    if (bytes > limit) throw new RopewalkError('ERR_MANIFEST', `more than ${limit} bytes`, { text: path })
    return buffer.toString('utf8', 0, bytes)
  } finally {
    await handle.close()
  }
}

function objectOf (value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'is not an object')
  return value as Record<string, unknown>
}

function sizeOf (value: unknown, at: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(at, 'is not a number of bytes')
  return value as number
}

function digestOf (value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[\da-f]{64}$/.test(value)) throw wrong(at, 'is not a SHA-256 in 64 hex digits')
  return value
}

function idOf (value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)) throw wrong(at, 'is not a UUID')
  return value.replaceAll('-', '')
}

function addressOf (value: unknown, at: string): string {
  if (typeof value !== 'string' || value.length > 1024) throw wrong(at, 'is not an address')
  try {
    parseAddress(value)
    return value
  } catch (error) {
    throw wrong(at, `is no address: ${messageOf(error)}`)
  }
}

function wrong (at: string, what: string): RopewalkError {
  return new RopewalkError('ERR_MANIFEST', `${escapeName(at)} ${what}`)
}
