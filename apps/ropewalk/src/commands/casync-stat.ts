import { openIndex } from '@ropewalk/protocol-casync'
import { escapeName } from '@ropewalk/receive'
import { named } from '../casync/content.ts'
import { openInput, type StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { withPhases } from '../casync/outcome.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'

export interface StatFlags extends StoreFlags {
  readonly what?: Kind | undefined
  readonly json: boolean
}

/** Prints what an index says of itself. */
export async function casyncStat (context: Context, name: string, flags: StatFlags): Promise<Exit> {
  const kind = await kindOf(name, flags.what)
  if (kind !== 'blob-index' && kind !== 'archive-index') throw new RopewalkError('ERR_USAGE', 'an index is needed', { text: name })
  return await withPhases(context, flags, async phases => {
    await using input = await openInput(context, name, flags)
    try {
      const { header, items } = await openIndex(input.bytes)
      const ids = new Set<string>()
      let chunks = 0
      let size = 0
      for await (const { id, end } of items) {
        chunks++
        size = end
        ids.add(id)
      }
      const { min, avg, max } = header.sizes
      const features = `0x${header.features.toString(16)}`
      phases.result({
        record: { event: 'index', name, kind, size, chunks, unique: ids.size, digest: header.digest, features, chunk_size: { min, avg, max } },
        row: [kind, String(size), String(chunks), String(ids.size), header.digest, features, `${min}:${avg}:${max}`],
        lines: [
          `  Index: ${escapeName(name)} (${kind})`,
          `   Size: ${size} (${formatBytes(size)})`,
          ` Chunks: ${chunks}, ${ids.size} of them different`,
          `  Sizes: ${min}:${avg}:${max}`,
          ` Digest: ${header.digest}`,
          `Feature: ${features}`
        ]
      })
    } catch (error) {
      throw named(error, context)
    }
    return Exit.done
  })
}
