/**
 * Two trees, each a folder, an archive or an index of one, compared as they are read: both archives come in the order of their names, so that nothing but
 * the folders that are open has to be remembered.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Source, TreeNode } from '@ropewalk/interface'
import { decodeArchive, encodeName } from '@ropewalk/protocol-casync'

/** In what two nodes of the same path differ. */
export type TreeDifference = 'type' | 'content' | 'mode' | 'owner' | 'time' | 'target' | 'device' | 'xattr' | 'acl' | 'flags'

export interface DifferingNode {
  readonly path: string
  /** `added` is in the second only, `removed` in the first only. */
  readonly event: 'added' | 'removed' | 'changed'
  readonly in: readonly TreeDifference[]
}

interface Seen {
  readonly node: TreeNode
  readonly digest: string | undefined
}

/** Every path at which they differ, in the order of the archives, in what both of them record: the names of features. */
export async function * diffTrees (first: Source<Uint8Array>, second: Source<Uint8Array>, recorded: ReadonlySet<string>, signal: AbortSignal): AsyncGenerator<DifferingNode, void, undefined> {
  const [ours, theirs] = [nodesOf(first, signal), nodesOf(second, signal)]
  try {
    let [a, b] = await Promise.all([take(ours), take(theirs)])
    while (a !== undefined || b !== undefined) {
      const order = a === undefined ? 1 : b === undefined ? -1 : comparePaths(a.node.path, b.node.path)
      if (order < 0) {
        yield { path: (a as Seen).node.path, event: 'removed', in: [] }
        a = await take(ours)
      } else if (order > 0) {
        yield { path: (b as Seen).node.path, event: 'added', in: [] }
        b = await take(theirs)
      } else {
        const found = differences(a as Seen, b as Seen, recorded)
        if (found.length > 0) yield { path: (a as Seen).node.path, event: 'changed', in: found }
        ;[a, b] = await Promise.all([take(ours), take(theirs)])
      }
    }
  } finally {
    await Promise.allSettled([ours.return(), theirs.return()])
  }
}

/** Each node, of a file with the digest of its bytes. */
async function * nodesOf (archive: Source<Uint8Array>, signal: AbortSignal): AsyncGenerator<Seen, void, undefined> {
  let open: { readonly node: TreeNode, readonly hash: ReturnType<typeof createHash> } | undefined
  for await (const part of decodeArchive({ signal })(archive)) {
    if (part.kind === 'data') {
      open?.hash.update(part.bytes)
      continue
    }
    if (open !== undefined) yield { node: open.node, digest: open.hash.digest('hex') }
    open = undefined
    if (part.kind === 'leave') continue
    if (part.node.type === 'file') open = { node: part.node, hash: createHash('sha256') }
    else yield { node: part.node, digest: undefined }
  }
  if (open !== undefined) yield { node: open.node, digest: open.hash.digest('hex') }
}

async function take (nodes: AsyncGenerator<Seen, void, undefined>): Promise<Seen | undefined> {
  return (await nodes.next()).value ?? undefined
}

/** Component by component, by their bytes: a folder comes before what is in it, and all of that before the next name. */
function comparePaths (a: string, b: string): number {
  if (a === '' || b === '') return a.length - b.length
  const [left, right] = [a.split('/'), b.split('/')]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] === right[i]) continue
    return Buffer.compare(encodeName(left[i] as string), encodeName(right[i] as string))
  }
  return left.length - right.length
}

function differences ({ node: a, digest: before }: Seen, { node: b, digest: after }: Seen, recorded: ReadonlySet<string>): TreeDifference[] {
  if (a.type !== b.type) return ['type']
  const has = (...names: string[]): boolean => names.some(name => recorded.has(name))
  const flags = ({ attributes = [] }: TreeNode): string[] => attributes.filter(name => recorded.has(`flag-${name}`)).sort()
  const found: Array<readonly [TreeDifference, boolean]> = [
    ['content', before !== after],
    ['mode', has('permissions', 'acl', 'read-only') && a.permissions !== b.permissions],
    ['owner', (has('16bit-uids', '32bit-uids') && (a.uid !== b.uid || a.gid !== b.gid)) || (has('user-names') && (a.user !== b.user || a.group !== b.group))],
    ['time', has('sec-time', 'usec-time', 'nsec-time', '2sec-time') && a.mtime !== b.mtime],
    ['target', a.target !== b.target],
    ['device', !same(a.device, b.device)],
    ['xattr', (has('xattrs') && !same(a.xattrs, b.xattrs)) || (has('selinux') && a.label !== b.label) || (has('fcaps') && !same(a.capabilities, b.capabilities))],
    ['acl', has('acl') && (!same(a.acl, b.acl) || !same(a.defaultAcl, b.defaultAcl))],
    ['flags', !same(flags(a), flags(b)) || (has('quota-projid') && (a.project ?? 0) !== (b.project ?? 0))]
  ]
  return found.filter(([, differs]) => differs).map(([what]) => what)
}

/** Arrays of bytes may be of either class, and nothing is as good as none. */
function same (a: unknown, b: unknown): boolean {
  return plain(a ?? []) === plain(b ?? [])
}

function plain (value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part)
}
