/**
 * A tree from an archive or its index, written below a path.
 *
 * @module
 */
import { rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { decodeArchive } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import { writeTree, type WrittenTree } from '@ropewalk/tree-fs'
import type { Context } from '../context.ts'
import { messageOf } from '../errors.ts'
import type { Phases } from '../progress/phases.ts'
import { named } from './content.ts'
import { storeLocators, type StoreFlags } from './input.ts'
import type { Kind } from './kind.ts'
import { parseLocator } from './locator.ts'
import { openArchive, type TreeFlags } from './trees.ts'

export interface ExtractTreeOptions {
  readonly inPlace: boolean
  /** Remove what the tree does not have, in place. */
  readonly remove: boolean
}

/** Chunks of other machines are kept beside the output until it is whole, for whoever has to begin again. */
export async function extractTree (context: Context, name: string, kind: Kind, path: string, flags: StoreFlags & TreeFlags, { inPlace, remove }: ExtractTreeOptions, phases: Phases): Promise<WrittenTree> {
  const output = resolve(path)
  const kept = join(dirname(output), `.#${basename(output)}.part`)
  const far = kind === 'archive-index' && storeLocators(parseLocator(name), flags, context.env).some(({ kind }) => kind !== 'file')
  const fetching = phases.begin(kind === 'archive' ? 'archive' : 'chunks')
  const writing = phases.begin('writing')
  let troubles = 0
  try {
    await using archive = await openArchive(context, name, kind, far && flags.cache === undefined ? { ...flags, cache: kept } : flags, phases, fetching)
    const written = await writeTree(decodeArchive({ signal: context.signal })(archive.bytes), output, {
      existing: inPlace ? 'in-place' : 'replace',
      remove,
      signal: context.signal,
      onTrouble: error => { if (troubles++ < MOST_TROUBLES) phases.trouble(escapeName(messageOf(error))) },
      onNode: ({ size }) => { writing.add(size ?? 0) }
    })
    if (troubles > MOST_TROUBLES) phases.trouble(`${troubles - MOST_TROUBLES} more of that kind`)
    fetching.end()
    writing.end()
    await rm(kept, { recursive: true, force: true })
    return written
  } catch (error) {
    throw named(error, context)
  }
}

/** Lines of it. Ours. */
const MOST_TROUBLES = 20
