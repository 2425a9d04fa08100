/**
 * The list of files of an offer: whether it may be received, and what consent binds to. Pure.
 *
 * @module
 */
import { BLOCK_BYTES, MAX_BLOCKS, MAX_ENTRIES, MAX_NAME_BYTES } from './constants.ts'
import { WarpdriveError } from './errors.ts'
import type { FileInfo } from './json-codec.ts'

export interface ManifestLimits {
  maxEntries?: number | undefined
  /** Take symbolic links. Off by default. */
  symlinks?: boolean | undefined
}

const encoder = new TextEncoder()

/** Throws where an entry leads out of the folder, two have one name, sizes make no sum, or there are too many. */
export function checkManifest (files: readonly FileInfo[], { maxEntries = MAX_ENTRIES, symlinks = false }: ManifestLimits = {}): void {
  if (files.length > maxEntries) throw new WarpdriveError('ERR_TOO_MANY', `too many entries: ${files.length} > ${maxEntries}`)
  const seen = new Set<string>()
  const links = new Set(files.filter(({ link }) => link !== undefined).map(({ uri }) => uri.normalize('NFC')))
  let total = 0
  files.forEach((file, index) => {
    const root = index === 0 && file.isDir && (file.uri === '' || file.uri === '.')
    if (!root) checkName(file.uri, index)
    const name = file.uri.normalize('NFC')
    if (seen.has(name)) throw new WarpdriveError('ERR_BAD_NAME', `entry ${index} has the name of another: ${shown(file.uri)}`)
    seen.add(name)
    if (links.size > 0) checkAbove(name, links, index)
    if (file.link !== undefined && !symlinks) throw new WarpdriveError('ERR_SYMLINK', `entry ${index} is a symbolic link: ${shown(file.uri)}`)
    if (file.blocks !== undefined) checkBlockCount(file, index)
    if (!file.isDir && file.link === undefined) total += file.size
    if (total > Number.MAX_SAFE_INTEGER) throw new WarpdriveError('ERR_BAD_VALUE', `sizes add up to more than ${Number.MAX_SAFE_INTEGER} bytes`)
  })
}

/** Bytes of a block of a file of `size` bytes: as many as it takes for no more than `MAX_BLOCKS`. */
export function blockBytesOf (size: number): number {
  let bytes = BLOCK_BYTES
  while (size / bytes > MAX_BLOCKS) bytes *= 2
  return bytes
}

/** Nothing lies behind a link: whoever wrote it would write wherever that leads. */
function checkAbove (name: string, links: ReadonlySet<string>, index: number): void {
  for (let end = name.indexOf('/'); end > 0; end = name.indexOf('/', end + 1)) {
    if (links.has(name.slice(0, end))) throw new WarpdriveError('ERR_BAD_NAME', `entry ${index} is below a symbolic link: ${shown(name)}`)
  }
}

function checkBlockCount ({ size, sha256, blocks = '' }: FileInfo, index: number): void {
  const count = Math.ceil(size / blockBytesOf(size))
  if (sha256 === undefined || count < 2 || blocks.length !== count * 64 || !/^[0-9a-f]*$/.test(blocks)) {
    throw new WarpdriveError('ERR_BAD_VALUE', `entry ${index} has ${blocks.length} digits of blocks for ${size} bytes`)
  }
}

function checkName (name: string, index: number): void {
  const bytes = encoder.encode(name).length
  const fail = (why: string): never => { throw new WarpdriveError('ERR_BAD_NAME', `entry ${index} ${why}: ${shown(name)}`) }
  if (bytes > MAX_NAME_BYTES) fail(`has a name too long: ${bytes} > ${MAX_NAME_BYTES} bytes`)
  if (name.startsWith('/')) fail('has an absolute name')
  if (/[\\\u0000-\u001f\u007f]/.test(name)) fail('has a backslash or control character in its name')
  if (/^[a-z]:/i.test(name)) fail('has a drive letter in its name')
  for (const part of name.split('/')) {
    if (part === '' || part === '.' || part === '..') fail(`has a component that is ${part === '' ? 'empty' : part}`)
  }
}

/** A name as part of a message: at most 100 characters, and none that does anything. */
function shown (name: string): string {
  return JSON.stringify(name.slice(0, 100)).replace(/[\p{C}\u2028\u2029]/gu, character => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}

/** What the digest is taken of: everything that decides what is written, in one form. */
export function manifestBytes (files: readonly FileInfo[]): Uint8Array {
  return encoder.encode(JSON.stringify(files.map(({ uri, size, isDir, perm, sha256 = null, mtimeMs = null, link = null }) => [uri, size, isDir, perm & 0o777, sha256, mtimeMs, link])))
}

/** Whether the sender is one of ours: every file has its SHA-256. */
export function isExtended (files: readonly FileInfo[]): boolean {
  const contents = files.filter(file => !file.isDir && file.link === undefined)
  return contents.length > 0 && contents.every(file => file.sha256 !== undefined)
}

/** Throws unless the id is 1 to 64 letters, digits and `-`. The original's are no proper UUIDs. */
export function checkId (id: string): void {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) throw new WarpdriveError('ERR_BAD_ID', `not an offer id: ${id.length} characters`)
}
