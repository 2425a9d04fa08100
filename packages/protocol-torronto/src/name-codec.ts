/**
 * Names of files on the wire: `files/` and one or more plain segments. Rule R6. Pure.
 *
 * @module
 */
import { CHUNK_BYTES, MAX_SEGMENT_BYTES } from './constants.ts'
import { SwarmError } from './errors.ts'

/** The name, if it may become a path. Throws `ERR_BAD_NAME`; the message never repeats the name. */
export function checkName (name: string): string {
  const [root, ...segments] = name.split('/')
  if (root !== 'files' || segments.length === 0) fail('not below files/')
  if (!name.isWellFormed()) fail('not valid Unicode')
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') fail(`a segment that is ${segment === '' ? 'empty' : segment}`)
    if (segment.includes('\\') || segment.includes('\0')) fail('a backslash or NUL')
    const bytes = ENCODER.encode(segment).length
    if (bytes > MAX_SEGMENT_BYTES) fail(`a segment too long: ${bytes} > ${MAX_SEGMENT_BYTES} bytes`)
  }
  return name
}

/** Chunks of a file: what lists count, never the other formula of the original. */
export function chunkCount (size: number): number {
  return Math.ceil(size / CHUNK_BYTES)
}

/** Bytes of chunk `index` of a file of `size` bytes. */
export function chunkLength (size: number, index: number): number {
  return Math.min(CHUNK_BYTES, size - index * CHUNK_BYTES)
}

/** How many bytes are left when the NULs at the end are gone. */
export function lengthWithoutNuls (bytes: Uint8Array): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return end
}

const ENCODER = new TextEncoder()

function fail (why: string): never {
  throw new SwarmError('ERR_BAD_NAME', `bad file name: ${why}`)
}
