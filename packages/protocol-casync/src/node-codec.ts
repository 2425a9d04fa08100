/**
 * What an archive says of one node before its content, as far as its features go. Pure.
 *
 * @module
 */
import type { TreeAclEntry, TreeNode, TreeNodeType } from '@ropewalk/interface'
import { CasyncError } from './errors.ts'
import { ATTRIBUTES, attributeBits, has } from './features.ts'
import { encodeName } from './name-codec.ts'
import { record, type RecordType } from './record-codec.ts'

/** The word in front of the permissions. From the specification of Unix. */
export const NODE_KINDS = {
  fifo: 0o010000, character: 0o020000, directory: 0o040000, block: 0o060000, file: 0o100000, symlink: 0o120000, socket: 0o140000
} as const

/** Whether nodes of this type are recorded at all. */
export function isRecorded (type: TreeNodeType, features: bigint): boolean {
  switch (type) {
    case 'symlink': return has(features, 'symlinks')
    case 'block': case 'character': return has(features, 'device-nodes')
    case 'fifo': return has(features, 'fifos')
    case 'socket': return has(features, 'sockets')
    default: return true
  }
}

/** ENTRY and what belongs to it, in the order of the original. `ERR_TREE` for numbers without room. */
export function encodeNode (node: TreeNode, features: bigint): Uint8Array[] {
  const names = has(features, 'user-names')
  const records = [encodeEntry(node, features)]
  const text = (type: RecordType, value: string | undefined): void => {
    if (value !== undefined) records.push(record(type, [], encodeName(value)))
  }
  if (names) {
    text('USER', ownerName(node.uid, node.user, features))
    text('GROUP', ownerName(node.gid, node.group, features))
  }
  if (has(features, 'xattrs')) for (const { name, value } of node.xattrs ?? []) records.push(record('XATTR', [], encodeName(name), value))
  if (has(features, 'acl')) encodeAcls(node, features, records)
  if (has(features, 'selinux')) text('SELINUX', node.label)
  if (has(features, 'fcaps') && node.capabilities !== undefined) records.push(record('FCAPS', [], undefined, node.capabilities))
  if (has(features, 'quota-projid') && (node.project ?? 0) !== 0) records.push(record('QUOTA_PROJID', [node.project as number]))
  return records
}

function encodeEntry (node: TreeNode, features: bigint): Uint8Array {
  const mode = NODE_KINDS[node.type] | permissions(node, features)
  const attributes = attributeBits(node.attributes) & features & ATTRIBUTES
  return record('ENTRY', [features, mode, attributes, owner(node.uid, node, features), owner(node.gid, node, features), time(node.mtime ?? 0n, features)])
}

function permissions ({ type, permissions }: TreeNode, features: bigint): number {
  if (type === 'symlink') return 0o777
  if (has(features, 'permissions') || has(features, 'acl')) return permissions & 0o7777
  if (type === 'directory') return 0o777
  return has(features, 'read-only') && (permissions & 0o200) === 0 ? 0o444 : 0o666
}

function owner (id: number | undefined, { path }: TreeNode, features: bigint): number {
  const narrow = has(features, '16bit-uids')
  if (!narrow && !has(features, '32bit-uids')) return 0
  if (id === undefined) throw new CasyncError('ERR_TREE', 'transfer', `${JSON.stringify(path)}: whose it is is not known`, { remote: false })
  const most = narrow ? 0xffff : 0xffff_ffff
  if (!(Number.isInteger(id) && id >= 0 && id <= most)) throw new CasyncError('ERR_TREE', 'transfer', `${JSON.stringify(path)}: owner ${id} > ${most}`, { remote: false })
  return id
}

/** Root's is not written; whoever has no name goes by the number where that stands nowhere else. */
function ownerName (id: number | undefined, name: string | undefined, features: bigint): string | undefined {
  if (id === 0) return undefined
  if (name !== undefined || id === undefined) return name
  return has(features, '16bit-uids') || has(features, '32bit-uids') ? undefined : String(id)
}

/** Times before 1970 are counted from the other end, and cut as if they were the numbers that they look like. */
function time (mtime: bigint, features: bigint): bigint {
  const word = BigInt.asUintN(64, mtime)
  if (has(features, 'nsec-time')) return word
  const step = has(features, 'usec-time') ? 1_000n : has(features, 'sec-time') ? 1_000_000_000n : has(features, '2sec-time') ? 2_000_000_000n : 0n
  return step === 0n ? 0n : word / step * step
}

function encodeAcls ({ acl, defaultAcl }: TreeNode, features: bigint, records: Uint8Array[]): void {
  const entries = (type: RecordType, list: readonly TreeAclEntry[]): void => {
    for (const { id, name, permissions } of list) {
      const shown = has(features, 'user-names') ? ownerName(id, name, features) : undefined
      const number = has(features, '16bit-uids') || has(features, '32bit-uids') ? id ?? 0 : 0
      records.push(record(type, [number, permissions], shown === undefined ? undefined : encodeName(shown)))
    }
  }
  if (acl !== undefined) {
    entries('ACL_USER', acl.users)
    entries('ACL_GROUP', acl.groups)
    if (acl.group !== undefined) records.push(record('ACL_GROUP_OBJ', [acl.group]))
  }
  if (defaultAcl !== undefined) {
    const { owner, group, other, mask } = defaultAcl
    records.push(record('ACL_DEFAULT', [owner, group, other, mask ?? NO_MASK]))
    entries('ACL_DEFAULT_USER', defaultAcl.users)
    entries('ACL_DEFAULT_GROUP', defaultAcl.groups)
  }
}

/** Stands for a mask that is not there. From the specification. */
export const NO_MASK = 0xffff_ffff_ffff_ffffn
