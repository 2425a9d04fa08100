/**
 * A blob from its index, written to a file: index, seeds, chunks, writing.
 *
 * @module
 */
import { constants } from 'node:fs'
import { chmod, open, rename, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { syncDirectory, writeAll } from '@ropewalk/disk'
import type { ChunkSource } from '@ropewalk/interface'
import { assemble, seed, type IndexItem, type Origin, type RandomRead } from '@ropewalk/protocol-casync'
import { nodeHash, placer, WantedChunks, type Onto, type Outlet, type OutletOptions } from '@ropewalk/store-castr'
import type { Context } from '../context.ts'
import type { Phases } from '../progress/phases.ts'
import { named } from './content.ts'
import type { Input } from './input.ts'
import { OpenFile, OutputFile } from './output.ts'
import { Partial, type KnownIndex } from './partial.ts'
import { openSeed, readSeeds, type SeedFile } from './seeds.ts'

export interface ExtractBlobOptions {
  readonly seeds: readonly string[]
  /** What is at the output now is a seed too. */
  readonly seedOutput: boolean
  /** Write into the output itself, which is then neither old nor new until the end. */
  readonly inPlace: boolean
}

export interface ExtractedBlob {
  readonly size: number
  readonly chunks: number
  /** Chunks by where they were found; `resumed` were in their places from a run before. */
  readonly from: Readonly<Record<Origin | 'resumed', number>>
  /** Bytes of chunks that came from stores. */
  readonly fetched: number
}

/** Writes the blob of `input` to `path`. What is done stays for the next run when it fails. */
export async function extractBlob (context: Context, input: Input, path: string, options: ExtractBlobOptions, phases: Phases): Promise<ExtractedBlob> {
  const output = resolve(path)
  const before = await stat(output).catch(() => undefined)
  // A device has no name that another could take.
  const inPlace = options.inPlace || (before !== undefined && !before.isFile())
  const seeds = await openSeeds(!inPlace && options.seedOutput && before?.isFile() === true ? [...options.seeds, output] : options.seeds)
  const partial = await Partial.open(output)
  let done = false
  try {
    let handle: FileHandle | undefined
    let outlet: Outlet | undefined
    let target: OutputFile | undefined
    try {
      // Where nothing is yet, nothing is made before the index was found good.
      if (!inPlace || before !== undefined) handle = await openOutput()
      const indexPhase = phases.begin('index')
      const known = await partial.keepIndex(input.bytes, indexPhase, ({ end }, { digest }) => {
        // Threads begin while the index is read, unless others are at work on seeds first.
        if (end >= WORTH_THREADS_BYTES && handle !== undefined && seeds.length === 0) outlet ??= outletOf(input, { file: handle.fd, digest })
      })
      indexPhase.end()
      handle ??= await openOutput()
      target = new OutputFile(handle, position => { partial.note(position) })
      const extracted = await write(known, handle, target)
      if (before === undefined || before.isFile()) await handle.truncate(known.size)
      await target.sync()
      if (!inPlace) {
        if (before !== undefined) await chmod(partial.blob, before.mode & 0o7777)
        await rename(partial.blob, output)
      }
      if (before === undefined || !inPlace) await syncDirectory(dirname(output))
      done = true
      return extracted
    } catch (error) {
      throw named(error, context)
    } finally {
      await outlet?.close()
      await target?.settled()
      await handle?.close()
    }

    async function openOutput (): Promise<FileHandle> {
      try {
        return await open(inPlace ? output : partial.blob, constants.O_RDWR | (inPlace && before !== undefined ? 0 : constants.O_CREAT), 0o666)
      } catch (error) {
        throw named(error, context)
      }
    }

    async function write (known: KnownIndex, handle: FileHandle, target: OutputFile): Promise<ExtractedBlob> {
      const resumed = partial.resume()
      const sown = new Set<number>()
      await using found = await seedsOf(known, resumed ?? new Float64Array(), (start, length) => {
        sown.add(start)
        target.wrote(start, length)
      }, handle.fd)
      const fetching = phases.begin('chunks')
      const writing = phases.begin('writing', known.size)
      const placed = Float64Array.from([...resumed ?? [], ...sown]).sort()
      const counts = { existing: 0, self: 0, seed: 0, store: 0, resumed: 0 }
      let fetched = 0

      // What a run before has put into place need not be fetched again where it comes again.
      const own = placed.length === 0 ? [] : [await seed(target, chosen(partial.items(), placed, true), nodeHash, { maxChunks: 131_072 })]
      const missing = placed.length === 0 ? partial.items() : chosen(partial.items(), placed, false, item => {
        counts[sown.has(item.start) ? 'seed' : 'resumed']++
        writing.add(item.end - item.start)
      })
      const counted: ChunkSource = {
        get: async (id, getOptions) => {
          const chunk = await input.chunks.get(id, getOptions)
          fetched += chunk?.bytes.length ?? 0
          fetching.add(chunk?.bytes.length ?? 0)
          return chunk
        }
      }
      // Fewer bytes than that are written before threads have begun.
      const threads = outlet ??= known.size < WORTH_THREADS_BYTES ? undefined : outletOf(input, { file: handle.fd, digest: known.header.digest })
      const direct = async ({ id, start, end }: IndexItem, from: { readonly file: RandomRead, readonly position: number } | undefined, turn: { readonly signal: AbortSignal, readonly urgent: boolean }): Promise<boolean> => {
        if (threads === undefined || (from !== undefined && !(from.file instanceof OpenFile))) return false
        const place = from === undefined ? undefined : { file: (from.file as OpenFile).handle.fd, position: from.position }
        if (input.far !== undefined && place === undefined) {
          const taken = await input.far.take(id, end - start, async packed => await threads.unpack(id, end - start, start, packed), turn)
          if (taken === undefined) return false
          if (taken !== 'used') await writeAll(handle, [taken.bytes], start)
        } else if (!await threads.place(id, end - start, start, place)) {
          return false
        }
        if (from === undefined) {
          fetched += end - start
          fetching.add(end - start)
        }
        target.wrote(start, end - start)
        return true
      }
      await assemble(missing, counted, target, nodeHash, {
        direct: threads === undefined ? undefined : direct,
        seeds: [...own, ...found.sources],
        // Over what is there now, each chunk is looked at before it is asked for.
        existing: (inPlace && before !== undefined && before.size > 0) || resumed === undefined,
        signal: context.signal,
        onChunk: (item, from) => {
          counts[from]++
          if (from === 'existing') partial.note(item.start)
          writing.add(item.end - item.start)
        }
      })
      fetching.end()
      writing.end()
      return { size: known.size, chunks: known.items, from: counts, fetched }
    }

    /** What they have is put into its place while they are read, as far as it is not there; over an output that is there already, only when it was looked at. */
    async function seedsOf (known: KnownIndex, there: Float64Array, placed: Onto['placed'], file: number): ReturnType<typeof readSeeds> {
      if (seeds.length === 0) return { sources: [], async [Symbol.asyncDispose] () {} }
      const phase = phases.begin('seeds', seeds.reduce((sum, { size }) => sum + size, 0))
      const wanted = new WantedChunks(inPlace ? 0 : known.items)
      if (!inPlace) for await (const { id, start, end } of chosen(partial.items(), there, false)) wanted.add(id, start, end - start)
      const read = await readSeeds(seeds, known.header, partial.directory, phase, context.signal, inPlace ? undefined : { file, wanted, placed })
      phase.end()
      return read
    }
  } finally {
    await Promise.allSettled(seeds.map(({ handle }) => handle.close()))
    await partial.close(done)
  }
}

/** Threads that read a store here, or take what comes from afar. They begin at once. */
function outletOf ({ here, far }: Input, options: OutletOptions): Outlet | undefined {
  const outlet = here?.outlet(options) ?? (far === undefined ? undefined : placer(options))
  outlet?.begin()
  return outlet
}

/** Those items that begin at one of `starts`, or at none. */
async function * chosen (items: AsyncIterable<IndexItem>, starts: Float64Array, wanted: boolean, other: (item: IndexItem) => void = () => {}): AsyncGenerator<IndexItem, void, undefined> {
  let at = 0
  for await (const item of items) {
    while (at < starts.length && (starts[at] as number) < item.start) at++
    if ((starts[at] === item.start) === wanted) yield item
    else other(item)
  }
}

async function openSeeds (paths: readonly string[]): Promise<SeedFile[]> {
  const opened: SeedFile[] = []
  try {
    for (const path of new Set(paths)) opened.push(await openSeed(path))
    return opened
  } catch (error) {
    await Promise.allSettled(opened.map(({ handle }) => handle.close()))
    throw error
  }
}

/** Ours. */
const WORTH_THREADS_BYTES = 2 * 1024 * 1024
