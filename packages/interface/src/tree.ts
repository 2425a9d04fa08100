import type { AbortOptions, Source } from './channel.ts'

/** A file, folder or other node of a tree, with everything that an archive may record of it. What is not known is left out. */
export interface TreeNode {
  /** Names from the root down, joined by `/`; empty for the root. A byte that is no UTF-8 stands as the half surrogate U+DC00 + byte. */
  readonly path: string
  readonly type: TreeNodeType
  /** Permissions with setuid, setgid and sticky: 0 … 0o7777. */
  readonly permissions: number
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Names of the owner and the group. */
  readonly user?: string | undefined
  readonly group?: string | undefined
  /** When the content was changed last, in nanoseconds since 1970. */
  readonly mtime?: bigint | undefined
  /** Bytes of a file. */
  readonly size?: number | undefined
  /** Where a symbolic link points to. */
  readonly target?: string | undefined
  /** Of a block or character device. */
  readonly device?: { readonly major: number, readonly minor: number } | undefined
  /** Attributes as of `chattr` and of FAT, those that are set. */
  readonly attributes?: readonly TreeAttribute[] | undefined
  /** Extended attributes, sorted by name. */
  readonly xattrs?: ReadonlyArray<TreeXattr> | undefined
  readonly acl?: TreeAcl | undefined
  /** What a new file in this folder gets. */
  readonly defaultAcl?: TreeDefaultAcl | undefined
  /** The SELinux label. */
  readonly label?: string | undefined
  /** What `security.capability` holds. */
  readonly capabilities?: Uint8Array | undefined
  /** For quotas. */
  readonly project?: number | undefined
}

export type TreeNodeType = 'directory' | 'file' | 'symlink' | 'block' | 'character' | 'fifo' | 'socket'

export type TreeAttribute =
  | 'hidden' | 'system' | 'archive'
  | 'append' | 'noatime' | 'compr' | 'nocow' | 'nodump' | 'dirsync' | 'immutable' | 'sync' | 'nocomp' | 'projinherit'

export interface TreeXattr {
  readonly name: string
  readonly value: Uint8Array
}

/** What others than owner and group may do: 0 … 7 each, in order of their numbers. */
export interface TreeAcl {
  readonly users: readonly TreeAclEntry[]
  readonly groups: readonly TreeAclEntry[]
  /** What the owning group may do, where the group bits of the mode are the mask. */
  readonly group?: number | undefined
}

export interface TreeDefaultAcl extends TreeAcl {
  readonly owner: number
  readonly group: number
  readonly other: number
  readonly mask?: number | undefined
}

export interface TreeAclEntry {
  readonly id?: number | undefined
  readonly name?: string | undefined
  readonly permissions: number
}

/** One step of a walk: parents before what is in them, and what is in a folder sorted by the bytes of its names. */
export interface TreeItem {
  readonly node: TreeNode
  /** The bytes of a file, exactly `size` of them. Asked for once, and before the next node is. */
  readonly content?: ((options?: AbortOptions) => Source<Uint8Array>) | undefined
}

/** What becomes a tree again, in the same order: a node, the bytes of the file that came last, and of a folder the word that all of it has come. */
export type TreePart =
  | { readonly kind: 'node', readonly node: TreeNode }
  | { readonly kind: 'data', readonly bytes: Uint8Array }
  | { readonly kind: 'leave', readonly node: TreeNode }

/** Between two parts: with its trace, and all before it, whoever was killed goes on here. Opaque to whoever keeps it. */
export interface TreeMark {
  readonly kind: 'mark'
  readonly trace: Uint8Array
}

/** In place of the bytes of a file that are where they belong already. */
export interface TreeKept {
  readonly kind: 'kept'
  readonly bytes: number
}
