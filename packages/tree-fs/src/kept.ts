import { lstat } from 'node:fs/promises'
import type { TreeNode, TreeNodeType } from '@ropewalk/interface'
import { systemCode, TreeError } from './errors.ts'

/** Devices and pipes, which not everybody may make. */
export function isMadeByScript ({ type }: TreeNode): boolean {
  return type !== 'directory' && type !== 'file' && type !== 'symlink' && type !== 'socket'
}

/**
 * What is at the path is the node that was written there: nobody has changed it after `keptAt`, in nanoseconds since 1970. What we have done to it since
 * then has given it its time.
 */
export async function assertKept (path: string | Buffer, node: TreeNode, keptAt: bigint): Promise<void> {
  const stats = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' && isMadeByScript(node)) return undefined
    throw error
  })
  if (stats === undefined) return
  const same = KINDS[Number(stats.mode) & 0o170000] === node.type && (node.type !== 'file' || stats.size === BigInt(node.size ?? 0))
  if (!same || (stats.ctimeNs > keptAt && stats.mtimeNs !== node.mtime)) throw new TreeError('ERR_TREE_CHANGED', `${JSON.stringify(node.path)} was changed since`, { path: node.path })
}

/** What is at the path is the file, which got its name when nobody noted it any more: the one that it replaced is older. */
export async function isReplaced (path: string | Buffer, { size, mtime }: TreeNode, keptAt: bigint): Promise<boolean> {
  const stats = await lstat(path, { bigint: true }).catch(() => undefined)
  return stats?.isFile() === true && stats.size === BigInt(size ?? 0) && (stats.ctimeNs >= keptAt || stats.mtimeNs === mtime)
}

/** The format of a file, as the system has it in its mode. */
const KINDS: Readonly<Record<number, TreeNodeType>> = {
  0o040000: 'directory', 0o100000: 'file', 0o120000: 'symlink', 0o060000: 'block', 0o020000: 'character', 0o010000: 'fifo', 0o140000: 'socket'
}
