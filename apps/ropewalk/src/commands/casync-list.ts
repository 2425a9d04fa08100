import { createHash, type Hash } from 'node:crypto'
import type { ChunkDigest, TreeNode } from '@ropewalk/interface'
import { decodeArchive } from '@ropewalk/protocol-casync'
import { named } from '../casync/content.ts'
import type { StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { withPhases } from '../casync/outcome.ts'
import { formatMode, formatMtree, formatPath, openArchive, type TreeFlags } from '../casync/trees.ts'
import type { Context } from '../context.ts'
import { Exit } from '../exit-codes.ts'
import { HASHES } from './casync-make.ts'

export interface ListFlags extends StoreFlags, TreeFlags {
  readonly what?: Kind | undefined
  readonly digest: ChunkDigest
  readonly json: boolean
}

/** Prints what is in a tree: names, or with `mtree` everything. */
export async function casyncList (context: Context, name: string, flags: ListFlags, form: 'list' | 'mtree'): Promise<Exit> {
  const kind = await kindOf(name, flags.what)
  return await withPhases(context, flags, async phases => {
    const reading = phases.begin('reading')
    await using archive = await openArchive(context, name, kind, flags, phases, reading)
    const algorithm = archive.digest ?? flags.digest
    let features = 0n
    let open: { readonly node: TreeNode, readonly hash: Hash } | undefined
    const tell = (node: TreeNode, digest?: string): void => {
      const { path, type, permissions, uid, gid, user, group, mtime, size, target, device } = node
      const text = form === 'list' ? `${formatMode(node)} ${formatPath(path === '' ? '.' : path)}` : formatMtree(node, digest, algorithm, features)
      phases.result({ record: { event: 'node', path, type, mode: permissions.toString(8).padStart(4, '0'), uid, gid, user, group, mtime, size, target, device, digest }, row: [text], lines: [text] })
    }
    const close = (): void => {
      if (open !== undefined) tell(open.node, open.hash.digest('hex'))
      open = undefined
    }
    try {
      for await (const part of decodeArchive({ signal: context.signal, onFeatures: read => { features = read } })(archive.bytes)) {
        if (part.kind === 'data') {
          open?.hash.update(part.bytes)
          continue
        }
        close()
        if (part.kind === 'leave') continue
        // The digest of a file is known at its end.
        if (form === 'mtree' && part.node.type === 'file') open = { node: part.node, hash: createHash(HASHES[algorithm]) }
        else tell(part.node)
      }
      close()
    } catch (error) {
      throw named(error, context)
    }
    reading.end()
    return Exit.done
  })
}
