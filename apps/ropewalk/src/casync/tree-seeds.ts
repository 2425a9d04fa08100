/**
 * Folders and archives that may have some of the chunks of a tree: each is archived and cut as the index was, and what the index names is kept.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { appendFile, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ChunkId, Source } from '@ropewalk/interface'
import { chunk, identify, type IndexItem } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import { nodeHash } from '@ropewalk/store-castr'
import type { Context } from '../context.ts'
import { fileError, messageOf, RopewalkError } from '../errors.ts'
import type { Phases } from '../progress/phases.ts'
import { bootId } from './boot.ts'
import { fileContent } from './content.ts'
import type { KeptChunks } from './kept-chunks.ts'
import type { KnownIndex, Partial } from './partial.ts'
import { folderBytes, type TreeFlags } from './trees.ts'

/** Ids that are looked for. Ours: 16 GiB of tree at the usual sizes; chunks behind them are fetched. */
const MAX_WANTED = 262_144

/** Keeps what `seeds` have of the index. Those that a run before has read to their end are not read again. */
export async function keepSeeds (context: Context, seeds: readonly string[], known: KnownIndex, partial: Partial, kept: KeptChunks, flags: TreeFlags, phases: Phases): Promise<number> {
  const paths = [...new Set(seeds.map(path => resolve(path)))]
  for (const path of paths) await stat(path).catch((error: unknown) => { throw new RopewalkError('ERR_FILE', fileError(error).message, { text: path, cause: error }) })
  // What was kept may be lost with a start of the system: then they are read again.
  const doneFile = join(partial.directory, `seeds-${createHash('sha256').update(`${known.sha256} ${bootId()}`).digest('hex').slice(0, 16)}`)
  const done = (await readFile(doneFile, 'utf8').catch(() => '')).split('\0')
  const left = paths.filter(path => !done.includes(path))
  if (left.length === 0) return 0
  const phase = phases.begin('seeds')
  const wanted = await wantedOf(partial.items(), kept)
  let found = 0
  for (const path of left) {
    try {
      for await (const chunk of chunksOf(path)) {
        if (wanted.delete(chunk.id) && await kept.put(chunk)) found++
      }
      await appendFile(doneFile, `${path}\0`)
    } catch (error) {
      context.signal.throwIfAborted()
      // A seed is a help, no condition.
      phases.trouble(`seed ${escapeName(path)}: ${escapeName(messageOf(error))}`)
    }
  }
  phase.end()
  return found

  async function * chunksOf (path: string): ReturnType<ReturnType<typeof identify>> {
    const { digest, sizes, features } = known.header
    const bytes: Source<Uint8Array> = (await stat(path)).isDirectory() ? folderBytes(context, path, features, flags, phases, phase) : (await fileContent(context, path, phase)).bytes
    yield * identify(nodeHash, { digest, signal: context.signal })(chunk(sizes)(bytes))
  }
}

async function wantedOf (items: AsyncIterable<IndexItem>, kept: KeptChunks): Promise<Set<ChunkId>> {
  const wanted = new Set<ChunkId>()
  for await (const { id } of items) {
    if (wanted.size >= MAX_WANTED) break
    if (!await kept.has(id)) wanted.add(id)
  }
  return wanted
}
