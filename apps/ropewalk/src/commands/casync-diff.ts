import { chunk, DEFAULT_CHUNK_SIZES, identify, openIndex, type ChunkSizes, type IndexItem } from '@ropewalk/protocol-casync'
import type { ChunkDigest } from '@ropewalk/interface'
import { escapeName } from '@ropewalk/receive'
import { nodeHash } from '@ropewalk/store-castr'
import { fileContent, named } from '../casync/content.ts'
import { openInput, type StoreFlags } from '../casync/input.ts'
import { kindOf } from '../casync/kind.ts'
import { withPhases } from '../casync/outcome.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import type { Phase } from '../progress/phases.ts'

export interface DiffFlags extends StoreFlags {
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

/** Compares two blobs, each a file or an index, by their chunks. Exits with 1 when they differ. */
export async function casyncDiff (context: Context, first: string, second: string, flags: DiffFlags): Promise<Exit> {
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
  if (kind === 'directory' || kind === 'archive') throw new RopewalkError('ERR_USAGE', 'blobs and indexes are compared', { text: name })
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
