/**
 * A tree from an archive or its index, written below a path.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ChunkSource } from '@ropewalk/interface'
import { chain, fetchChunks, resumableArchive, type IndexItem } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import type { Reader } from '@ropewalk/store-castr'
import { writeTree, type WrittenTree } from '@ropewalk/tree-fs'
import type { Context } from '../context.ts'
import { codeOf, messageOf } from '../errors.ts'
import type { Phase, Phases } from '../progress/phases.ts'
import { archiveFile, named } from './content.ts'
import { openInput, storeLocators, type StoreFlags } from './input.ts'
import { KeptChunks } from './kept-chunks.ts'
import type { Kind } from './kind.ts'
import { parseLocator } from './locator.ts'
import { Partial } from './partial.ts'
import { TreeJournal } from './tree-journal.ts'
import { keepSeeds } from './tree-seeds.ts'
import { openArchive, type TreeFlags } from './trees.ts'

export interface ExtractTreeOptions {
  /** Folders and archives that may have some of the chunks. */
  readonly seeds: readonly string[]
  /** What is at the output now is a seed too, where chunks come from another machine. */
  readonly seedOutput: boolean
  readonly inPlace: boolean
  /** Remove what the tree does not have, in place. */
  readonly remove: boolean
}

export interface ExtractedTree extends WrittenTree {
  /** Chunks by where they were found, and bytes of those that came from stores; `resumed` were kept, or made part of the tree, by a run before. Not of an archive, nor of what is read as it comes. */
  readonly from?: Readonly<Record<'resumed' | 'seed' | 'store', number>>
  readonly fetched?: number
}

/**
 * The tree is built beside the output, with a journal of how far it has come, and whoever has to begin again goes on behind that. Chunks of other machines
 * and of seeds are kept there too: some may have come that are not part of the tree yet, and others come again in it. A folder that is changed in
 * place has only the journal beside it, unless there are such chunks; where that cannot be, it goes without.
 */
export async function extractTree (context: Context, name: string, kind: Kind, path: string, flags: StoreFlags & TreeFlags, options: ExtractTreeOptions, phases: Phases): Promise<ExtractedTree> {
  const { signal } = context
  const { inPlace, remove } = options
  const output = resolve(path)
  const far = kind === 'archive-index' && storeLocators(parseLocator(name), flags, context.env).some(({ kind }) => kind !== 'file')
  const seeds = far && options.seedOutput && await isFolder(output) ? [...options.seeds, output] : options.seeds
  const partial = await Partial.open(output).catch((error: unknown) => {
    if (inPlace && !far && seeds.length === 0 && codeOf(error) === 'ERR_FILE') return undefined
    throw error
  })
  let done = false
  try {
    await using source = await openSource()
    const of = `${source.mark}${inPlace ? `, in place, ${remove}` : ''}`
    await using journal = partial === undefined || source.mark === undefined ? undefined : await TreeJournal.open(partial.directory, of)
    const writing = phases.begin('writing')
    let archive = resumableArchive({ signal })
    // Asked for when it is known where the archive has to be gone on with.
    async function * parts (): ReturnType<typeof archive.read> {
      yield * archive.read(source.from(archive.position))
    }
    let troubles = 0
    const written = await writeTree(parts(), output, {
      existing: inPlace ? 'in-place' : 'replace',
      remove,
      workspace: inPlace || partial === undefined ? undefined : join(partial.directory, 'tree'),
      ...journal !== undefined && {
        onMark: trace => { journal.note(trace) },
        kept: archive.retrace(journal.traces()),
        keptAt: journal.keptAt,
        onAnew: reason => {
          if (reason !== undefined) phases.trouble(`what was kept of the tree is of no use, and it is built anew: ${escapeName(messageOf(reason))}`)
          archive = resumableArchive({ signal })
          journal.beginAnew()
        }
      },
      signal,
      onTrouble: error => { if (troubles++ < MOST_TROUBLES) phases.trouble(escapeName(messageOf(error))) },
      onNode: ({ size }) => { writing.add(size ?? 0) }
    })
    if (troubles > MOST_TROUBLES) phases.trouble(`${troubles - MOST_TROUBLES} more of that kind`)
    source.fetching.end()
    writing.end()
    done = true
    return { ...written, ...source.told() }
  } catch (error) {
    throw named(error, context)
  } finally {
    await partial?.close(done)
  }

  async function openSource (): Promise<TreeSource> {
    if (partial !== undefined && kind === 'archive-index') return await openKept(context, name, flags, partial, { seeds, far }, phases)
    return (partial === undefined ? undefined : await openFile(context, name, flags, phases)) ?? await openPlain(context, name, kind, flags, phases)
  }
}

interface TreeSource extends AsyncDisposable {
  /** Which archive it is; undefined of one that might be another the next time, or cannot be gone on with. */
  readonly mark: string | undefined
  /** Bytes of the archive from there on. */
  from (position: number): AsyncIterable<Uint8Array>
  readonly fetching: Phase
  told (): Pick<ExtractedTree, 'from' | 'fetched'>
}

/** As it comes. */
async function openPlain (context: Context, name: string, kind: Kind, flags: StoreFlags & TreeFlags, phases: Phases): Promise<TreeSource> {
  const fetching = phases.begin(kind === 'archive' ? 'archive' : 'chunks')
  const archive = await openArchive(context, name, kind, flags, phases, fetching)
  return {
    mark: undefined,
    from: () => archive.bytes,
    fetching,
    told: () => ({}),
    [Symbol.asyncDispose]: async () => { await archive[Symbol.asyncDispose]() }
  }
}

/** An archive from anywhere in it, where that can be. */
async function openFile (context: Context, name: string, flags: StoreFlags, phases: Phases): Promise<TreeSource | undefined> {
  const file = await archiveFile(context, parseLocator(name), flags)
  if (file === undefined) return undefined
  const fetching = phases.begin('archive', file.size)
  let fetched = 0
  async function * from (position: number): AsyncGenerator<Uint8Array, void, undefined> {
    fetching.add(position)
    for await (const piece of file?.from(position) ?? []) {
      fetched += piece.length
      fetching.add(piece.length)
      yield piece
    }
  }
  return { mark: file.version, from, fetching, told: () => ({ fetched }), [Symbol.asyncDispose]: async () => { await file[Symbol.asyncDispose]() } }
}

/** By an index that is kept, with what a run before has kept and what seeds have. */
async function openKept (context: Context, name: string, flags: StoreFlags & TreeFlags, partial: Partial, { seeds, far }: { readonly seeds: readonly string[], readonly far: boolean }, phases: Phases): Promise<TreeSource> {
  const closing: AsyncDisposable[] = []
  const close = async (): Promise<void> => { await Promise.allSettled(closing.map(part => part[Symbol.asyncDispose]())) }
  const from = { resumed: 0, seed: 0, store: 0 }
  let fetched = 0
  let kept: KeptChunks | undefined
  try {
    const input = await openInput(context, name, flags, { onTrouble: phases.trouble })
    closing.push(input)
    const reading = phases.begin('index')
    const known = await partial.keepIndex(input.bytes, reading)
    reading.end()
    let source: ChunkSource = {
      get: async (id, options) => {
        const chunk = await input.chunks.get(id, options)
        from.store++
        fetched += chunk?.bytes.length ?? 0
        return chunk
      }
    }
    if (far || seeds.length > 0) {
      kept = await KeptChunks.open(partial.directory, known.header.digest)
      closing.push(kept)
      from.resumed = kept.size
      from.seed = await keepSeeds(context, seeds, known, partial, kept, flags, phases)
      // What lies in a store of this machine can be read again.
      source = far ? chain([source], { cache: kept, onTrouble: ({ error }) => { phases.trouble(escapeName(messageOf(error))) } }) : chain([kept, source], { heal: false })
    }
    // Threads read a store here: hashing alone takes as long as making the files.
    const reader = kept === undefined && known.size >= WORTH_THREADS_BYTES ? input.here?.reader({ digest: known.header.digest }) : undefined
    if (reader !== undefined) closing.push({ [Symbol.asyncDispose]: async () => { await reader.close() } })
    const lend = reader === undefined ? undefined : async (...asked: Parameters<Reader['lend']>): ReturnType<Reader['lend']> => {
      const lent = await reader.lend(...asked)
      if (lent !== undefined) {
        from.store++
        fetched += lent.bytes.length
      }
      return lent
    }
    const fetching = phases.begin('chunks', known.size)
    /** Chunks that are wholly part of what is there already are passed over. */
    async function * behind (position: number): AsyncGenerator<IndexItem, void, undefined> {
      for await (const item of partial.items()) {
        if (item.end > position) yield item
        else if (kept === undefined || !await kept.has(item.id)) from.resumed++
      }
    }
    async function * bytes (position: number): AsyncGenerator<Uint8Array, void, undefined> {
      fetching.add(position)
      for await (const { bytes, start } of fetchChunks(source, { lend, signal: context.signal })(behind(position))) {
        const piece = start < position ? bytes.subarray(position - start) : bytes
        fetching.add(piece.length)
        yield piece
      }
    }
    return { mark: known.sha256, from: bytes, fetching, told: () => ({ from, fetched }), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

async function isFolder (path: string): Promise<boolean> {
  return await stat(path).then(stats => stats.isDirectory(), () => false)
}

/** Fewer bytes than that are read before threads have begun. Ours. */
const WORTH_THREADS_BYTES = 2 * 1024 * 1024

/** Lines of it. Ours. */
const MOST_TROUBLES = 20
