/**
 * What Node has no call for: extended attributes, and those of `chattr`. The programs that come with every Linux are asked once for a whole
 * tree; what they cannot say, because they are not installed or the file system has none, is told, not guessed.
 *
 * @module
 */
import type { AbortOptions, TreeAttribute, TreeNode, TreeXattr } from '@ropewalk/interface'
import { decodeAcl, decodeDefaultAcl } from './acl.ts'
import { MAX_TOOL_BYTES } from './constants.ts'
import { bytesOf, nameOf } from './path.ts'
import { runTool } from './tools.ts'
import type { Names } from './users.ts'

export type Extras = Pick<TreeNode, 'attributes' | 'xattrs' | 'acl' | 'defaultAcl' | 'label' | 'capabilities' | 'project'>

/** Letters of `lsattr`. */
export const LETTERS: ReadonlyArray<readonly [letter: string, name: TreeAttribute]> = [
  ['a', 'append'], ['A', 'noatime'], ['c', 'compr'], ['C', 'nocow'], ['d', 'nodump'], ['D', 'dirsync'], ['i', 'immutable'], ['S', 'sync'], ['m', 'nocomp'],
  ['P', 'projinherit']
]

const ANY_LETTER = new RegExp(`[${LETTERS.map(([letter]) => letter).join('')}]`)

/** Extended attributes by path, of a whole tree. `undefined` where there is no `getfattr`. */
export async function readXattrs (root: string, { signal }: AbortOptions): Promise<Map<string, TreeXattr[]> | undefined> {
  const result = await runTool('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '--', root], { maxBytes: MAX_TOOL_BYTES, signal })
  if (result === undefined) return undefined
  const found = new Map<string, TreeXattr[]>()
  const prefix = bytesOf(root).length
  let xattrs: TreeXattr[] = []
  for (const line of lines(result.stdout)) {
    const file = /^# file: ([\s\S]*)$/.exec(line)
    if (file?.[1] !== undefined) {
      xattrs = []
      found.set(relative(nameOf(unescape(file[1]).subarray(prefix))), xattrs)
      continue
    }
    const equals = line.lastIndexOf('=')
    if (line === '') continue
    const name = nameOf(unescape(equals === -1 ? line : line.slice(0, equals)))
    xattrs.push({ name, value: equals === -1 ? Buffer.alloc(0) : Buffer.from(line.slice(equals + 3), 'hex') })
  }
  return found
}

/** Attributes as of `chattr`, and projects, by path. `undefined` where there is no `lsattr`, or where its answer could not be told apart. */
export async function readAttributes (root: string, { signal }: AbortOptions): Promise<Map<string, Extras> | undefined> {
  const [odd, result] = await Promise.all([
    runTool('find', [root, '-name', '*\n*', '-print', '-quit'], { maxBytes: MAX_TOOL_BYTES, signal }),
    runTool('lsattr', ['-R', '-a', '-p', '--', root], { maxBytes: MAX_TOOL_BYTES, signal })
  ])
  if (odd === undefined || odd.stdout.length > 0 || result === undefined) return undefined
  const found = new Map<string, Extras>()
  const prefix = bytesOf(root).length
  for (const line of lines(result.stdout)) {
    const [, project, letters, path] = /^ *(\d+) ([-\w]+) ([\s\S]*)$/.exec(line) ?? []
    if (project === undefined || letters === undefined || path === undefined) continue
    if (project === '0' && !ANY_LETTER.test(letters)) continue
    const attributes = LETTERS.filter(([letter]) => letters.includes(letter)).map(([, name]) => name)
    // Of each folder there are itself and the one above, too. The root is in nothing else.
    const below = relative(nameOf(Buffer.from(path, 'latin1').subarray(prefix)))
    if (below === '.') found.set('', { attributes, project: Number(project) })
    else if (!/(^|\/)\.\.?$/.test(below)) found.set(below, { attributes, project: Number(project) })
  }
  return found
}

/** Sorts the attributes of one node by what archives make of them. */
export async function sortXattrs (xattrs: readonly TreeXattr[], users: Names, groups: Names): Promise<Extras> {
  const value = (name: string): Uint8Array | undefined => xattrs.find(xattr => xattr.name === name)?.value
  const [access, defaults, label, capabilities] = ['system.posix_acl_access', 'system.posix_acl_default', 'security.selinux', 'security.capability'].map(value)
  const plain = xattrs.filter(({ name }) => /^(user|trusted)\./.test(name)).toSorted((a, b) => Buffer.compare(bytesOf(a.name), bytesOf(b.name)))
  return {
    ...(plain.length > 0 && { xattrs: plain }),
    ...(access !== undefined && { acl: await decodeAcl(access, users, groups) }),
    ...(defaults !== undefined && { defaultAcl: await decodeDefaultAcl(defaults, users, groups) }),
    ...(label !== undefined && { label: nameOf(Buffer.from(label.at(-1) === 0 ? label.subarray(0, -1) : label)) }),
    ...(capabilities !== undefined && { capabilities })
  }
}

/** Each byte a character. */
function lines (output: Buffer): string[] {
  return output.toString('latin1').split('\n')
}

/** Backslashes in front of three octal digits. */
function unescape (text: string): Buffer {
  return Buffer.from(text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8))), 'latin1')
}

function relative (path: string): string {
  return path.replace(/^\/+/, '')
}
