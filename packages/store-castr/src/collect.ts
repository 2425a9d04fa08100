/**
 * Takes away what no index names. Beside a running make nothing that it needs is lost: whoever holds a lease makes every chunk that it finds
 * younger than its lease, and a chunk that is younger than the oldest lease stays. Between the look and the removal the chunk lies in a folder
 * of its own, where it is looked at again, and where `get` finds it all the same.
 *
 * @module
 */
import { join } from 'node:path'
import type { AbortOptions, ChunkId, Source } from '@ropewalk/interface'
import { MAX_KEPT_IDS, STALE_WRITE_MS, TIME_SLACK_MS } from './constants.ts'
import { castrError, systemCode } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import { IdSet } from './id-set.ts'
import { isShard, type Layout } from './layout.ts'
import { readLeases, timeOf } from './lease.ts'

export interface CollectOptions extends AbortOptions {
  /** Says what would be removed, and removes nothing. Default false. */
  dryRun?: boolean | undefined
  /** Spare also what is younger than this, for makers that hold no lease, as casync and desync. Default 0. */
  youngerThanMs?: number | undefined
  /** Told of each chunk that is removed, or would be. */
  onRemove?: ((id: ChunkId, bytes: number) => void) | undefined
}

export interface Collected {
  /** Chunks that an index names. */
  readonly kept: number
  /** Chunks that no index names, and that are too young. */
  readonly spared: number
  readonly removed: number
  /** Of files that were removed. */
  readonly bytes: number
}

/** `keep` is called once the time of the collection is known: indexes that are listed before might lack one that appears meanwhile. */
export async function collect (fs: FileSystem, layout: Layout, keep: () => Source<ChunkId>, options: CollectOptions = {}): Promise<Collected> {
  const { signal, youngerThanMs = 0, dryRun = false } = options
  try {
    const now = await timeOf(layout.leases)
    const { oldest, dead } = await readLeases(layout.leases)
    const cutoff = Math.min(now - youngerThanMs, oldest) - TIME_SLACK_MS
    // As long as what it was writing: whoever makes something next may take that over.
    for (const { path, heardMs } of dead) if (!dryRun && now - heardMs > STALE_WRITE_MS) await fs.unlink(path).catch(ifGone)
    const kept = new IdSet(MAX_KEPT_IDS)
    for await (const id of keep()) {
      signal?.throwIfAborted()
      kept.add(id)
    }
    await fs.mkdir(layout.collected, { recursive: true })
    await restore(fs, layout)
    const counts = { kept: 0, spared: 0, removed: 0, bytes: 0 }
    // Folders stay, though they be empty: somebody may be about to put a chunk into one.
    for (const shard of (await fs.readdir(layout.root)).filter(isShard)) {
      for (const name of await fs.readdir(join(layout.root, shard))) {
        signal?.throwIfAborted()
        await consider(fs, layout, shard, name, cutoff, kept, counts, options)
      }
    }
    return counts
  } catch (error) {
    signal?.throwIfAborted()
    throw castrError(error, `collect ${layout.root}`)
  }
}

/** Puts back what a collection that was killed has left. */
export async function restore (fs: FileSystem, layout: Layout): Promise<void> {
  for (const name of await fs.readdir(layout.collected).catch(() => [])) {
    const id = layout.parse(name.slice(0, 4), name)
    if (id === undefined) continue
    await fs.mkdir(layout.shardOf(id), { recursive: true })
    await fs.rename(layout.collectedOf(name), join(layout.shardOf(id), name)).catch(ifGone)
  }
}

async function consider (fs: FileSystem, layout: Layout, shard: string, name: string, cutoff: number, kept: IdSet, counts: { -readonly [K in keyof Collected]: number }, options: CollectOptions): Promise<void> {
  const { dryRun = false, onRemove } = options
  const path = join(layout.root, shard, name)
  const id = layout.parse(shard, name)
  if (id === undefined) {
    if (!dryRun && name.endsWith('.tmp')) await removeStale(fs, path)
    return
  }
  if (kept.has(id)) {
    counts.kept++
    return
  }
  const stats = await fs.lstat(path).catch(ifGone)
  // A folder is no chunk, whatever it is called.
  if (stats === undefined || stats.isDirectory()) return
  if (stats.mtimeMs >= cutoff || (!dryRun && !await take(fs, layout, path, name, cutoff))) {
    counts.spared++
    return
  }
  counts.removed++
  counts.bytes += stats.size
  onRemove?.(id, stats.size)
}

/** False when somebody has made it young since it was looked at: then it is back. */
async function take (fs: FileSystem, layout: Layout, path: string, name: string, cutoff: number): Promise<boolean> {
  const aside = layout.collectedOf(name)
  try {
    await fs.rename(path, aside)
    if ((await fs.lstat(aside)).mtimeMs >= cutoff) {
      await fs.rename(aside, path)
      return false
    }
    await fs.unlink(aside)
    return true
  } catch (error) {
    // Somebody puts back what lies there, or another collection was faster.
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

async function removeStale (fs: FileSystem, path: string): Promise<void> {
  const stats = await fs.lstat(path).catch(ifGone)
  if (stats !== undefined && !stats.isDirectory() && Date.now() - stats.mtimeMs > STALE_WRITE_MS) await fs.unlink(path).catch(ifGone)
}

function ifGone (error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
