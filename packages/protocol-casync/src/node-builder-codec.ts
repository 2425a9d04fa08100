import { readU64LE } from '@ropewalk/framing'
import type { TreeAclEntry, TreeNode, TreeNodeType, TreeXattr } from '@ropewalk/interface'
import { ATTRIBUTES, attributesOf, areFeatures, has } from './features.ts'
import { decodeName } from './name-codec.ts'
import { NO_MASK, NODE_KINDS } from './node-codec.ts'
import { RECORD_RANKS, type RecordType } from './record-codec.ts'

/** A node out of its records. RangeError for what none may have: whoever reads knows where it stood. */
export class NodeBuilder {
  readonly features: bigint
  readonly type: TreeNodeType
  size: number | undefined
  readonly #path: string
  readonly #permissions: number
  readonly #attributes: bigint
  readonly #uid: number | undefined
  readonly #gid: number | undefined
  readonly #mtime: bigint | undefined
  readonly #xattrs: TreeXattr[] = []
  readonly #lists: Record<AclList, TreeAclEntry[]> = { ACL_USER: [], ACL_GROUP: [], ACL_DEFAULT_USER: [], ACL_DEFAULT_GROUP: [] }
  #texts: { USER?: string, GROUP?: string, SELINUX?: string, SYMLINK?: string } = {}
  #group: number | undefined
  #defaults: { owner: number, group: number, other: number, mask: number | undefined } | undefined
  #capabilities: Uint8Array | undefined
  #project: number | undefined
  #device: { major: number, minor: number } | undefined
  #rank = 0

  /** `body` is that of an ENTRY, and of its length. */
  constructor (path: string, body: Uint8Array) {
    this.#path = path
    this.features = readU64LE(body)
    if (!areFeatures(this.features)) throw new RangeError(`features ${this.features.toString(16)}`)
    const mode = number(body, 8, 0o177777)
    const type = TYPES.get(mode & 0o170000)
    if (type === undefined) throw new RangeError(`mode ${mode.toString(8)}`)
    this.type = type
    this.#permissions = mode & 0o7777
    this.#attributes = readU64LE(body, 16)
    if ((this.#attributes & ~(this.features & ATTRIBUTES)) !== 0n) throw new RangeError(`attributes ${this.#attributes.toString(16)}`)
    const most = has(this.features, '32bit-uids') ? 0xffff_ffff : has(this.features, '16bit-uids') ? 0xffff : 0
    const [uid, gid] = [number(body, 24, most), number(body, 32, most)]
    if (most > 0) [this.#uid, this.#gid] = [uid, gid]
    if ((this.features & TIMES) !== 0n) this.#mtime = BigInt.asIntN(64, readU64LE(body, 40))
  }

  /** Nothing of its own comes last: its records have ended when the next name or the end of the folder comes. */
  get endsWithNext (): boolean {
    return this.type === 'directory' || this.type === 'fifo' || this.type === 'socket'
  }

  /** Takes in a record that belongs to it. True when that was the last one. */
  add (type: RecordType, body: Uint8Array): boolean {
    const rank = RECORD_RANKS[type]
    if (rank === undefined || rank < this.#rank || (rank === this.#rank && !REPEATED.has(type))) throw new RangeError('out of order')
    this.#rank = rank
    switch (type) {
      case 'USER': case 'GROUP': case 'SELINUX':
        this.#texts[type] = text(body)
        return false
      case 'XATTR':
        this.#xattr(body)
        return false
      case 'ACL_USER': case 'ACL_GROUP': case 'ACL_DEFAULT_USER': case 'ACL_DEFAULT_GROUP':
        this.#lists[type].push(aclEntry(body, this.#uid !== undefined))
        return false
      case 'ACL_GROUP_OBJ':
        this.#group = number(exactly(body, 8), 0, 7)
        return false
      case 'ACL_DEFAULT':
        exactly(body, 32)
        this.#defaults = { owner: number(body, 0, 7), group: number(body, 8, 7), other: number(body, 16, 7), mask: readU64LE(body, 24) === NO_MASK ? undefined : number(body, 24, 7) }
        return false
      case 'FCAPS':
        this.#capabilities = body.slice()
        return false
      case 'QUOTA_PROJID':
        this.#project = number(exactly(body, 8), 0, 0xffff_ffff)
        return false
      case 'SYMLINK':
        if (this.type !== 'symlink') throw new RangeError('of something that is no link')
        this.#texts.SYMLINK = text(body)
        return true
      case 'DEVICE':
        if (this.type !== 'block' && this.type !== 'character') throw new RangeError('of something that is no device')
        exactly(body, 16)
        this.#device = { major: number(body, 0, 0xffff_ffff), minor: number(body, 8, 0xffff_ffff) }
        return true
      default:
        throw new RangeError('does not belong to a node')
    }
  }

  node (): TreeNode {
    const { USER: user, GROUP: group, SELINUX: label, SYMLINK: target } = this.#texts
    const { ACL_USER: users, ACL_GROUP: groups, ACL_DEFAULT_USER, ACL_DEFAULT_GROUP } = this.#lists
    const node: { -readonly [K in keyof TreeNode]: TreeNode[K] } = { path: this.#path, type: this.type, permissions: this.#permissions }
    if (this.#uid !== undefined) node.uid = this.#uid
    if (this.#gid !== undefined) node.gid = this.#gid
    if (user !== undefined) node.user = user
    if (group !== undefined) node.group = group
    if (this.#mtime !== undefined) node.mtime = this.#mtime
    if (this.size !== undefined) node.size = this.size
    if (target !== undefined) node.target = target
    if (this.#device !== undefined) node.device = this.#device
    if (this.#attributes !== 0n) node.attributes = attributesOf(this.#attributes)
    if (this.#xattrs.length > 0) node.xattrs = this.#xattrs
    if (users.length > 0 || groups.length > 0 || this.#group !== undefined) node.acl = { users, groups, ...(this.#group !== undefined && { group: this.#group }) }
    if (this.#defaults !== undefined) node.defaultAcl = { ...this.#defaults, users: ACL_DEFAULT_USER, groups: ACL_DEFAULT_GROUP }
    if (label !== undefined) node.label = label
    if (this.#capabilities !== undefined) node.capabilities = this.#capabilities
    if (this.#project !== undefined) node.project = this.#project
    return node
  }

  #xattr (body: Uint8Array): void {
    const end = body.indexOf(0)
    if (end < 1) throw new RangeError('an attribute without a name')
    this.#xattrs.push({ name: decodeName(body.subarray(0, end)), value: body.slice(end + 1) })
  }
}

type AclList = 'ACL_USER' | 'ACL_GROUP' | 'ACL_DEFAULT_USER' | 'ACL_DEFAULT_GROUP'

const TYPES = new Map(Object.entries(NODE_KINDS).map(([type, bits]) => [bits as number, type as TreeNodeType]))
const REPEATED: ReadonlySet<RecordType> = new Set(['XATTR', 'ACL_USER', 'ACL_GROUP', 'ACL_DEFAULT_USER', 'ACL_DEFAULT_GROUP'])
const TIMES = 0x78n

function number (body: Uint8Array, at: number, most: number): number {
  const value = readU64LE(body, at)
  if (value > BigInt(most)) throw new RangeError(`${value} > ${most}`)
  return Number(value)
}

function exactly (body: Uint8Array, length: number): Uint8Array {
  if (body.length !== length) throw new RangeError(`${body.length}, not ${length} bytes`)
  return body
}

/** Not empty, and with a NUL at the end and nowhere else. */
function text (body: Uint8Array): string {
  if (body.length < 2 || body.indexOf(0) !== body.length - 1) throw new RangeError('text that is empty or does not end with its only NUL')
  return decodeName(body.subarray(0, -1))
}

function aclEntry (body: Uint8Array, numbered: boolean): TreeAclEntry {
  if (body.length < 16) throw new RangeError(`${body.length} < 16 bytes`)
  const id = number(body, 0, numbered ? 0xffff_ffff : 0)
  const entry = { permissions: number(body, 8, 7), ...(numbered && { id }) }
  return body.length === 16 ? entry : { ...entry, name: text(body.subarray(16)) }
}
