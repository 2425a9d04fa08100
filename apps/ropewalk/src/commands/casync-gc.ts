import { openIndex } from '@ropewalk/protocol-casync'
import { named } from '../casync/content.ts'
import { localStore, openInput, type StoreFlags } from '../casync/input.ts'
import { parseLocator } from '../casync/locator.ts'
import { diskStore } from '../casync/open.ts'
import { withPhases } from '../casync/outcome.ts'
import type { Context } from '../context.ts'
import { Exit } from '../exit-codes.ts'

export interface GcFlags extends StoreFlags {
  readonly dryRun: boolean
  readonly json: boolean
}

/** Removes what no index names. Nothing is removed unless every index was read to its end. */
export async function casyncGc (context: Context, indexes: readonly string[], flags: GcFlags): Promise<Exit> {
  return await withPhases(context, flags, async phases => {
    const { env, signal } = context
    const wanted = new Set<string>()
    await using store = diskStore(localStore(parseLocator(indexes[0] as string), flags, env), { env, signal })
    const reading = phases.begin('indexes')
    try {
      for (const name of indexes) {
        await using input = await openInput(context, name, flags)
        for await (const { id } of (await openIndex(input.bytes)).items) wanted.add(id)
      }
      reading.end()
      let removed = 0
      let kept = 0
      for await (const id of store.list({ signal })) {
        if (wanted.has(id)) {
          kept++
          continue
        }
        if (!flags.dryRun && !await store.remove(id, { signal })) continue
        removed++
        phases.result({ record: { event: flags.dryRun ? 'unused' : 'removed', chunk: id }, row: [flags.dryRun ? 'unused' : 'removed', id], lines: [`${flags.dryRun ? 'unused' : 'removed'}  ${id}`] })
      }
      phases.result({
        record: { event: 'collected', dry_run: flags.dryRun, removed, kept },
        row: [flags.dryRun ? 'would-remove' : 'collected', String(removed), String(kept)],
        lines: [flags.dryRun ? `Would remove ${removed} chunks, ${kept} chunks remaining.` : `Removed ${removed} chunks, ${kept} chunks remaining.`]
      })
      return Exit.done
    } catch (error) {
      throw named(error, context)
    }
  })
}
