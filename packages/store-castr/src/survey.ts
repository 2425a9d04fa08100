import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '@ropewalk/interface'
import { castrError, systemCode } from './errors.ts'
import { isShard, type Layout } from './layout.ts'

/** What lies in a store. */
export interface StoreSurvey {
  readonly chunks: number
  /** Of the files of chunks, compressed or not. */
  readonly bytes: number
  /** What is being written, or was left. */
  readonly temporaries: number
  /** Names that are nobody's. */
  readonly others: number
}

export async function survey (layout: Layout, { signal }: AbortOptions = {}): Promise<StoreSurvey> {
  const found = { chunks: 0, bytes: 0, temporaries: 0, others: 0 }
  try {
    for (const shard of await namesIn(layout.root)) {
      if (!isShard(shard)) {
        if (!shard.startsWith('.')) found.others++
        continue
      }
      for (const name of await namesIn(join(layout.root, shard))) {
        signal?.throwIfAborted()
        if (layout.parse(shard, name) === undefined) {
          if (name.endsWith('.tmp')) found.temporaries++
          else found.others++
          continue
        }
        const stats = await lstat(join(layout.root, shard, name))
        found.chunks++
        found.bytes += stats.size
      }
    }
    return found
  } catch (error) {
    signal?.throwIfAborted()
    throw castrError(error, `look through ${layout.root}`)
  }
}

async function namesIn (path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
