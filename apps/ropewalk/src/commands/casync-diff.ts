import { chunk, DEFAULT_CHUNK_SIZES, featureNames, identify, openIndex, type ChunkSizes, type IndexItem } from '@ropewalk/protocol-casync'
import type { ChunkDigest } from '@ropewalk/interface'
import { escapeName } from '@ropewalk/receive'
import { nodeHash } from '@ropewalk/store-castr'
import { fileContent, named } from '../casync/content.ts'
import { openInput, type StoreFlags } from '../casync/input.ts'
import { diffTrees } from '../casync/diff-trees.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { withPhases } from '../casync/outcome.ts'
import { folderBytes, formatPath, openArchive, withFeatures, type TreeFlags } from '../casync/trees.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import type { Phase } from '../progress/phases.ts'

export interface DiffFlags extends StoreFlags, TreeFlags {
  readonly json: boolean
}

interface Cut {
  readonly sizes: ChunkSizes
  readonly digest: ChunkDigest
}

interface Side {
  readonly size: number
  /** Where each id begins first, and how long it is. */
  readonly chunks: ReadonlyMap<string, number>
  readonly items: ReadonlyArray<Pick<IndexItem, 'id' | 'start' | 'end'>>
}

/** Items that are compared; a side of more is refused. Ours: 64 GiB of blob at the usual sizes. */
const MAX_ITEMS = 1_048_576

/** Compares two blobs, each a file or an index, by their chunks; or two trees, each a folder, an archive or an index of one, by path. Exits with 1 when they differ. */
export async function casyncDiff (context: Context, first: string, second: string, flags: DiffFlags): Promise<Exit> {
  const kinds = [await kindOf(first), await kindOf(second)] as const
  if (kinds.every(kind => TREES.has(kind))) return await diffFolders(context, [first, second], kinds, flags)
  return await withPhases(context, flags, async phases => {
    const reading = phases.begin('reading')
    try {
      // A file is cut as the index with which it is compared.
      const cut = await cutOf(context, first, flags) ?? await cutOf(context, second, flags) ?? { sizes: DEFAULT_CHUNK_SIZES, digest: 'sha512-256' }
      const a = await readSide(context, first, flags, cut, reading)
      const b = await readSide(context, second, flags, cut, reading)
      reading.end()
      const ranges = [...changed(a, b)]
      for (const { start, end } of ranges) {
        phases.result({ record: { event: 'differs', start, end }, row: ['differs', String(start), String(end - start)], lines: [`differs  bytes ${start} to ${end - 1} (${formatBytes(end - start)})`] })
      }
      const shared = [...b.chunks].filter(([id]) => a.chunks.has(id))
      const sharedBytes = shared.reduce((sum, [, length]) => sum + length, 0)
      const same = a.size === b.size && ranges.length === 0
      phases.result({
        record: { event: 'compared', same, first: { name: first, size: a.size, chunks: a.chunks.size }, second: { name: second, size: b.size, chunks: b.chunks.size }, shared: { chunks: shared.length, bytes: sharedBytes } },
        row: [same ? 'same' : 'different', String(a.size), String(b.size), String(shared.length), String(sharedBytes)],
        lines: [`${same ? 'the same' : 'different'}: ${escapeName(first)} ${formatBytes(a.size)}, ${escapeName(second)} ${formatBytes(b.size)}; ${shared.length} of ${b.chunks.size} chunks (${formatBytes(sharedBytes)}) are in both`]
      })
      return same ? Exit.done : Exit.failed
    } catch (error) {
      throw named(error, context)
    }
  })
}

type Begun = Awaited<ReturnType<typeof withFeatures>>

const TREES: ReadonlySet<Kind> = new Set(['directory', 'archive', 'archive-index'])

async function diffFolders (context: Context, names: readonly [string, string], kinds: readonly [Kind, Kind], flags: DiffFlags): Promise<Exit> {
  return await withPhases(context, flags, async phases => {
    const reading = phases.begin('reading')
    const closing: AsyncDisposable[] = []
    const open = async (i: 0 | 1): ReturnType<typeof withFeatures> => {
      const archive = await openArchive(context, names[i], kinds[i], flags, phases, reading)
      closing.push(archive)
      return await withFeatures(archive.bytes)
    }
    let differing = 0
    try {
      // A folder is looked at for what the archive with which it is compared records.
      const known = await Promise.all(([0, 1] as const).map(async i => kinds[i] === 'directory' ? undefined : await open(i)))
      const features = known[0]?.features ?? known[1]?.features
      const [first, second] = await Promise.all(([0, 1] as const).map(async i => known[i] ?? (features === undefined ? await open(i) : { features, bytes: folderBytes(context, names[i], features, flags, phases, reading) }))) as [Begun, Begun]
      for await (const { path, event, in: what } of diffTrees(first.bytes, second.bytes, new Set(featureNames(first.features & second.features)), context.signal)) {
        differing++
        const text = formatPath(path === '' ? '.' : path)
        phases.result({ record: { event, path, in: what }, row: [event, text, what.join(',')], lines: [`${event.padEnd(8)} ${text}${what.length === 0 ? '' : `  ${what.join(', ')}`}`] })
      }
    } catch (error) {
      throw named(error, context)
    } finally {
      await Promise.allSettled(closing.map(archive => archive[Symbol.asyncDispose]()))
    }
    reading.end()
    const same = differing === 0
    phases.result({
      record: { event: 'compared', same, first: { name: names[0] }, second: { name: names[1] }, differing },
      row: [same ? 'same' : 'different', String(differing)],
      lines: [same ? `the same: ${escapeName(names[0])}, ${escapeName(names[1])}` : `different: ${escapeName(names[0])}, ${escapeName(names[1])}, in ${differing} paths`]
    })
    return same ? Exit.done : Exit.failed
  })
}

async function cutOf (context: Context, name: string, flags: DiffFlags): Promise<Cut | undefined> {
  if (!await isIndex(name)) return undefined
  await using input = await openInput(context, name, flags)
  const { header } = await openIndex(input.bytes)
  return header
}

async function readSide (context: Context, name: string, flags: DiffFlags, cut: Cut, reading: Phase): Promise<Side> {
  const items: Array<Pick<IndexItem, 'id' | 'start' | 'end'>> = []
  const chunks = new Map<string, number>()
  const take = ({ id, start, end }: Pick<IndexItem, 'id' | 'start' | 'end'>): void => {
    if (items.length >= MAX_ITEMS) throw new RopewalkError('ERR_USAGE', `more than ${MAX_ITEMS} chunks`, { text: name })
    items.push({ id, start, end })
    chunks.set(id, end - start)
  }
  if (await isIndex(name)) {
    await using input = await openInput(context, name, flags)
    const { header, items: read } = await openIndex(input.bytes)
    const sameCut = header.digest === cut.digest && JSON.stringify(header.sizes) === JSON.stringify(cut.sizes)
    if (!sameCut) throw new RopewalkError('ERR_USAGE', 'the indexes were made with other sizes or another digest, so that their chunks say nothing of each other', { text: name, advice: ['Extract one of them and compare the file.'] })
    for await (const item of read) take(item)
  } else {
    const { bytes } = await fileContent(context, name, reading)
    for await (const item of identify(nodeHash, { digest: cut.digest, signal: context.signal })(chunk(cut.sizes)(bytes))) take(item)
  }
  return { size: items.at(-1)?.end ?? 0, chunks, items }
}

async function isIndex (name: string): Promise<boolean> {
  const kind = await kindOf(name)
  if (TREES.has(kind)) throw new RopewalkError('ERR_USAGE', 'a tree and a blob are not compared', { text: name })
  return kind !== 'blob'
}

/** Places of the second where the first has not the same chunk at the same place, neighbours put together. */
function * changed (a: Side, b: Side): Generator<{ start: number, end: number }, void, undefined> {
  const places = new Map(a.items.map(({ start, id }) => [start, id]))
  let open: { start: number, end: number } | undefined
  for (const { id, start, end } of b.items) {
    if (places.get(start) === id) {
      if (open !== undefined) yield open
      open = undefined
    } else open = { start: open?.start ?? start, end }
  }
  if (open !== undefined) yield open
}
