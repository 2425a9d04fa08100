/**
 * Trees of files and their archives: a folder, a `.catar`, or what a `.caidx` describes, each as the bytes of the archive.
 *
 * @module
 */
import type { ChunkDigest, TreeAttribute, TreeNode } from '@ropewalk/interface'
import { archiveFeatures, encodeArchive, featureNames } from '@ropewalk/protocol-casync'
import { readTree } from '@ropewalk/tree-fs'
import type { Context } from '../context.ts'
import { messageOf, RopewalkError } from '../errors.ts'
import type { Phase, Phases } from '../progress/phases.ts'
import { counted, indexContent } from './content.ts'
import { openInput, type StoreFlags } from './input.ts'
import type { Kind } from './kind.ts'

export interface TreeFlags {
  readonly with?: readonly string[] | undefined
  readonly without?: readonly string[] | undefined
  readonly excludeNodump: boolean
  readonly excludeSubmounts: boolean
  readonly excludeFile: boolean
}

const EXCLUDE_FILE_NAME = '.caexclude'
const XATTRS: readonly string[] = ['xattrs', 'acl', 'selinux', 'fcaps']

/** What an archive records, as casync's options say it. */
export function featuresOf ({ with: wanted, without, excludeNodump, excludeSubmounts, excludeFile }: TreeFlags, digest: ChunkDigest): bigint {
  try {
    return archiveFeatures({ with: wanted as never, without: without as never, digest, excludeNodump, excludeSubmounts, excludeFile })
  } catch (error) {
    throw new RopewalkError('ERR_USAGE', messageOf(error))
  }
}

/** The archive of a folder, as casync would write it. With `lend`, each piece is good until the next is asked for. */
export function folderBytes ({ signal }: Context, root: string, features: bigint, flags: TreeFlags, phases: Pick<Phases, 'trouble'>, phase?: Phase, lend: boolean = false): AsyncIterable<Uint8Array> {
  const names = featureNames(features)
  const items = readTree(root, {
    xattrs: names.some(name => XATTRS.includes(name)),
    attributes: names.some(name => name.startsWith('flag-') || name === 'quota-projid'),
    names: names.includes('user-names'),
    excludeNodump: flags.excludeNodump,
    excludeSubmounts: flags.excludeSubmounts,
    excludeFile: flags.excludeFile ? EXCLUDE_FILE_NAME : undefined,
    lend: true,
    onUnknown: what => { phases.trouble(what === 'xattrs' ? 'no extended attributes are recorded: getfattr is not installed' : 'no attributes of chattr are recorded: lsattr cannot tell them') },
    signal
  })
  return counted(encodeArchive({ features, lend, signal })(items), phase)
}

export interface Archive extends AsyncDisposable {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Of an index. */
  readonly digest: ChunkDigest | undefined
}

/** The archive behind a name. */
export async function openArchive (context: Context, name: string, kind: Kind, flags: StoreFlags & TreeFlags & { readonly digest?: ChunkDigest | undefined }, phases: Phases, phase?: Phase): Promise<Archive> {
  if (kind === 'directory') {
    return { bytes: folderBytes(context, name, featuresOf(flags, flags.digest ?? 'sha512-256'), flags, phases, phase), digest: undefined, async [Symbol.asyncDispose] () {} }
  }
  if (kind === 'archive') {
    const input = await openInput(context, name, flags, { archive: true })
    return { bytes: counted(input.bytes, phase), digest: undefined, [Symbol.asyncDispose]: async () => { await input[Symbol.asyncDispose]() } }
  }
  if (kind !== 'archive-index') throw new RopewalkError('ERR_USAGE', 'a folder, an archive or an index of one is needed', { text: name })
  const content = await indexContent(context, name, flags, phases.trouble, phase)
  return { bytes: content.bytes, digest: content.header.digest, [Symbol.asyncDispose]: async () => { await content[Symbol.asyncDispose]() } }
}

/** Of an archive: its first record is an entry, and features are what it says first behind its size and type. */
const FEATURES_END = 24

/** What an archive records, and all its bytes. */
export async function withFeatures (archive: AsyncIterable<Uint8Array>): Promise<{ readonly features: bigint, readonly bytes: AsyncIterable<Uint8Array> }> {
  const iterator = archive[Symbol.asyncIterator]()
  const begun: Uint8Array[] = []
  let length = 0
  while (length < FEATURES_END) {
    const { done, value } = await iterator.next()
    if (done === true) break
    begun.push(value)
    length += value.length
  }
  async function * bytes (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield * begun
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  // The decoder says what is wrong with something shorter.
  return { features: length < FEATURES_END ? 0n : Buffer.concat(begun).readBigUInt64LE(FEATURES_END - 8), bytes: bytes() }
}

const TYPES: Readonly<Record<TreeNode['type'], string>> = { directory: 'd', file: '-', symlink: 'l', block: 'b', character: 'c', fifo: 'p', socket: 's' }

/** `drwxr-xr-x`, as `ls` has it. */
export function formatMode ({ type, permissions }: TreeNode): string {
  const bit = (mask: number, letter: string): string => (permissions & mask) === 0 ? '-' : letter
  const special = (run: number, mask: number, letter: string): string => (permissions & mask) === 0 ? bit(run, 'x') : (permissions & run) === 0 ? letter.toUpperCase() : letter
  return TYPES[type] +
    bit(0o400, 'r') + bit(0o200, 'w') + special(0o100, 0o4000, 's') +
    bit(0o040, 'r') + bit(0o020, 'w') + special(0o010, 0o2000, 's') +
    bit(0o004, 'r') + bit(0o002, 'w') + special(0o001, 0o1000, 't')
}

const MTREE_TYPES: Readonly<Record<TreeNode['type'], string>> = { directory: 'dir', file: 'file', symlink: 'link', block: 'block', character: 'char', fifo: 'fifo', socket: 'socket' }

/** Flags of mtree(5), as casync names them and in its order, by the feature that records each. */
const MTREE_FLAGS: ReadonlyArray<readonly [feature: string, attribute: TreeAttribute, word: string]> = [
  ['flag-hidden', 'hidden', 'hidden'], ['flag-system', 'system', 'system'], ['flag-archive', 'archive', 'archive'],
  ['flag-append', 'append', 'sappend'], ['flag-nodump', 'nodump', 'nodump'], ['flag-immutable', 'immutable', 'simmutable']
]

/** What there is of them among `features`. Only of files and folders: of others casync prints every flag, which no file system can have set. */
function formatFlags ({ type, attributes = [] }: TreeNode, features: bigint): string[] {
  const recorded: readonly string[] = featureNames(features)
  const words = MTREE_FLAGS.filter(([feature]) => recorded.includes(feature)).map(([, attribute, word]) => attributes.includes(attribute) ? word : `no${word}`)
  return words.length === 0 || (type !== 'file' && type !== 'directory') ? [] : [`flags=${words.join(',')}`]
}

/** A line of mtree(5), as casync writes it; `digest` is that of a file's content, `features` are those of the archive. */
export function formatMtree (node: TreeNode, digest: string | undefined, algorithm: ChunkDigest, features: bigint): string {
  const { path, type, permissions, uid, gid, mtime, size, target, device } = node
  const named = (name: string | undefined, id: number = 0): string | undefined => name ?? (id === 0 && featureNames(features).includes('user-names') ? 'root' : undefined)
  // An archive has no name for number 0.
  const [user, group] = [named(node.user, uid), named(node.group, gid)]
  return [
    formatPath(path === '' ? '.' : path),
    `type=${MTREE_TYPES[type]}`,
    `mode=${permissions.toString(8).padStart(4, '0')}`,
    ...(type === 'file' ? [`size=${size ?? 0}`] : []),
    ...(target === undefined ? [] : [`link=${formatPath(target)}`]),
    ...(device === undefined ? [] : [`device=linux,${device.major},${device.minor}`]),
    ...(uid === undefined ? [] : [`uid=${uid}`]),
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(user === undefined ? [] : [`uname=${formatPath(user)}`]),
    ...(group === undefined ? [] : [`gname=${formatPath(group)}`]),
    ...formatFlags(node, features),
    ...(mtime === undefined ? [] : [`time=${formatTime(mtime)}`]),
    ...(digest === undefined ? [] : [`${algorithm === 'sha256' ? 'sha256digest' : 'sha512256digest'}=${digest}`])
  ].join(' ')
}

function formatTime (ns: bigint): string {
  return `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')}`
}

/** A name as casync prints it: bytes that are no plain text as `\\` and three octal digits. */
export function formatPath (path: string): string {
  return Array.from(pathBytes(path), byte => byte > 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x23 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`).join('')
}

/** A byte that is no UTF-8 stands in a path as the half surrogate U+DC00 + byte. */
function * pathBytes (path: string): Generator<number, void, undefined> {
  for (const letter of path) {
    const code = letter.codePointAt(0) as number
    if (code >= 0xdc00 && code <= 0xdcff) yield code - 0xdc00
    else yield * Buffer.from(letter)
  }
}
