import type { TreeAcl, TreeAclEntry, TreeDefaultAcl } from '@ropewalk/interface'
import { TreeError } from './errors.ts'
import type { Names } from './users.ts'

/**
 * What the system keeps as `system.posix_acl_access` and `system.posix_acl_default`: a version, then entries of a tag, permissions and a
 * number, all little-endian.
 */
const VERSION = 2
const TAG = { owner: 1, user: 2, group: 4, namedGroup: 8, mask: 16, other: 32 } as const
const NOBODY = 0xffff_ffff

export async function decodeAcl (bytes: Uint8Array, users: Names, groups: Names): Promise<TreeAcl> {
  const entries = parse(bytes)
  const mask = entries.find(({ tag }) => tag === TAG.mask)
  const group = entries.find(({ tag }) => tag === TAG.group)
  return {
    users: await named(entries, TAG.user, users),
    groups: await named(entries, TAG.namedGroup, groups),
    ...(mask !== undefined && group !== undefined && { group: group.permissions })
  }
}

export async function decodeDefaultAcl (bytes: Uint8Array, users: Names, groups: Names): Promise<TreeDefaultAcl> {
  const entries = parse(bytes)
  const of = (wanted: number): number | undefined => entries.find(({ tag }) => tag === wanted)?.permissions
  const mask = of(TAG.mask)
  return {
    owner: of(TAG.owner) ?? 0,
    group: of(TAG.group) ?? 0,
    other: of(TAG.other) ?? 0,
    ...(mask !== undefined && { mask }),
    users: await named(entries, TAG.user, users),
    groups: await named(entries, TAG.namedGroup, groups)
  }
}

/** For a node with these permissions, of which the group's are the mask where there is one. */
export function encodeAcl (acl: TreeAcl, permissions: number): Buffer {
  const bits = (shift: number): number => permissions >> shift & 7
  const masked = acl.group !== undefined
  return build([
    [TAG.owner, bits(6), NOBODY], ...list(acl.users, TAG.user), [TAG.group, acl.group ?? bits(3), NOBODY], ...list(acl.groups, TAG.namedGroup),
    ...(masked ? [[TAG.mask, bits(3), NOBODY] as const] : []), [TAG.other, bits(0), NOBODY]
  ])
}

export function encodeDefaultAcl ({ owner, group, other, mask, users, groups }: TreeDefaultAcl): Buffer {
  return build([
    [TAG.owner, owner, NOBODY], ...list(users, TAG.user), [TAG.group, group, NOBODY], ...list(groups, TAG.namedGroup),
    ...(mask === undefined ? [] : [[TAG.mask, mask, NOBODY] as const]), [TAG.other, other, NOBODY]
  ])
}

type Entry = readonly [tag: number, permissions: number, id: number]

function list (entries: readonly TreeAclEntry[], tag: number): Entry[] {
  return entries.map(({ id, permissions }) => [tag, permissions, id ?? NOBODY])
}

function build (entries: readonly Entry[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * entries.length)
  bytes.writeUInt32LE(VERSION)
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i)
    bytes.writeUInt16LE(permissions, 6 + 8 * i)
    bytes.writeUInt32LE(id, 8 + 8 * i)
  }
  return bytes
}

function parse (value: Uint8Array): Array<{ tag: number, permissions: number, id: number }> {
  const bytes = Buffer.from(value)
  if (bytes.length < 4 || bytes.length % 8 !== 4 || bytes.readUInt32LE() !== VERSION) throw new TreeError('ERR_UNSUPPORTED', `an access control list of ${bytes.length} bytes that is not one`)
  return Array.from({ length: (bytes.length - 4) / 8 }, (_, i) => ({
    tag: bytes.readUInt16LE(4 + 8 * i), permissions: bytes.readUInt16LE(6 + 8 * i) & 7, id: bytes.readUInt32LE(8 + 8 * i)
  }))
}

async function named (entries: ReturnType<typeof parse>, wanted: number, names: Names): Promise<TreeAclEntry[]> {
  const found: TreeAclEntry[] = []
  for (const { tag, permissions, id } of entries) {
    if (tag !== wanted) continue
    const name = await names.of(id)
    found.push({ id, permissions, ...(name !== undefined && { name }) })
  }
  return found
}
