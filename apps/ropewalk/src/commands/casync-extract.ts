import { once } from 'node:events'
import { escapeName } from '@ropewalk/receive'
import { indexContent, named } from '../casync/content.ts'
import { extractBlob, type ExtractedBlob } from '../casync/extract-blob.ts'
import { openInput, type StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { parseLocator } from '../casync/locator.ts'
import { withPhases } from '../casync/outcome.ts'
import type { TreeFlags } from '../casync/trees.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { keepHeapSmall } from '../heap.ts'
import type { Phases } from '../progress/phases.ts'

export interface ExtractFlags extends StoreFlags, TreeFlags {
  readonly delete: boolean
  readonly what?: Kind | undefined
  readonly seed?: readonly string[] | undefined
  readonly seedOutput: boolean
  readonly inPlace: boolean
  readonly json: boolean
}

/** What `Partial` leaves of an extraction. */
const KEPT = 'what came is kept beside the output; the same command goes on'

const KEPT_IN_PLACE = 'what came is in its place; the same command goes on, if nobody changes it meanwhile'

/** The same of a tree. */
function keptOf (index: string, kind: Kind, inPlace: boolean): string {
  const { kind: where } = parseLocator(index)
  const kept = inPlace ? KEPT_IN_PLACE : KEPT
  if (kind !== 'archive' || where === 'file') return kept
  return where === 'http' ? `${kept}, if the server says that it is the same file` : 'nothing of the tree is kept; the same command begins anew'
}

/** Writes what an index describes. */
export async function casyncExtract (context: Context, index: string, path: string | undefined, flags: ExtractFlags): Promise<Exit> {
  const kind = await kindOf(index, flags.what)
  if (kind === 'archive' || kind === 'archive-index') return await toFolder(context, index, kind, path, flags)
  if (kind !== 'blob-index') throw new RopewalkError('ERR_USAGE', 'an index or an archive is needed', { text: index })
  if (path === undefined) throw new RopewalkError('ERR_USAGE', 'which file shall be written? - is standard output')
  return await withPhases(context, flags, async phases => {
    if (path === '-') await toStdout(context, index, flags, phases)
    else extracted(path, await toFile(context, index, path, flags, phases), phases)
    return Exit.done
  }, path === '-' ? { dataOnStdout: true, kept: 'what was written is all there is; the same command begins anew' } : { kept: KEPT })
}

async function toFolder (context: Context, index: string, kind: Kind, path: string | undefined, flags: ExtractFlags): Promise<Exit> {
  if (path === undefined && !flags.inPlace) throw new RopewalkError('ERR_USAGE', 'which folder shall be made?', { advice: ['--in-place changes the working directory until it is the tree.'] })
  if (flags.seed !== undefined && kind === 'archive') throw new RopewalkError('ERR_USAGE', 'seeds are for indexes: an archive has its bytes itself')
  const output = path ?? '.'
  return await withPhases(context, flags, async phases => {
    const { extractTree } = await import('../casync/extract-tree.ts')
    const { nodes, bytes, from, fetched } = await extractTree(context, index, kind, output, flags, { seeds: flags.seed ?? [], seedOutput: flags.seedOutput, inPlace: flags.inPlace, remove: flags.delete }, phases)
    phases.result({
      record: { event: 'extracted', path: output, size: bytes, nodes, from, fetched },
      row: [escapeName(output), String(bytes), String(nodes)],
      lines: [`${escapeName(output)}  ${formatBytes(bytes)} in ${nodes} nodes`, ...(from === undefined ? [] : [`  chunks: ${origins(from)}`])]
    })
    return Exit.done
  }, { kept: keptOf(index, kind, flags.inPlace) })
}

async function toFile (context: Context, index: string, path: string, flags: ExtractFlags, phases: Phases): Promise<ExtractedBlob> {
  await using input = await openInput(context, index, flags, { onTrouble: phases.trouble })
  // Chunks go by in memory that is used again: what is made anew is small, and soon of no use.
  const endSmall = keepHeapSmall()
  try {
    return await extractBlob(context, input, path, { seeds: flags.seed ?? [], seedOutput: flags.seedOutput, inPlace: flags.inPlace }, phases)
  } catch (error) {
    throw named(error, context)
  } finally {
    endSmall()
  }
}

async function toStdout (context: Context, index: string, flags: ExtractFlags, phases: Phases): Promise<void> {
  const writing = phases.begin('writing')
  await using content = await indexContent(context, index, flags, phases.trouble, writing)
  try {
    for await (const bytes of content.bytes) {
      if (!context.stdout.write(bytes)) await once(context.stdout, 'drain', { signal: context.signal })
    }
  } catch (error) {
    throw named(error, context)
  }
  writing.end()
}

function extracted (path: string, { size, chunks, from, fetched }: ExtractedBlob, phases: Phases): void {
  phases.result({
    record: { event: 'extracted', path, size, chunks, from, fetched },
    row: [escapeName(path), String(size), String(chunks), String(fetched)],
    lines: [`${escapeName(path)}  ${formatBytes(size)}`, `  ${chunks} chunks: ${origins(from)}`]
  })
}

function origins (from: Readonly<Record<string, number>>): string {
  return Object.entries(from).filter(([, count]) => count > 0).map(([where, count]) => `${count} ${WORDS[where] ?? where}`).join(', ') || 'none'
}

const WORDS: Readonly<Record<string, string>> = { existing: 'in place', self: 'from the blob itself', seed: 'from seeds', store: 'from stores', resumed: 'from before' }
