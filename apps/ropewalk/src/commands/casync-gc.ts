import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ChunkId } from '@ropewalk/interface'
import { openIndex } from '@ropewalk/protocol-casync'
import { named } from '../casync/content.ts'
import { localStore, openInput, type StoreFlags } from '../casync/input.ts'
import { parseLocator } from '../casync/locator.ts'
import { diskStore } from '../casync/open.ts'
import { withPhases } from '../casync/outcome.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'

export interface GcFlags extends StoreFlags {
  readonly dryRun: boolean
  /** Milliseconds. */
  readonly youngerThan?: number | undefined
  readonly json: boolean
}

/** Removes what no index names and no running make of ours may need. Nothing is removed unless every index was read to its end. */
export async function casyncGc (context: Context, indexes: readonly string[], flags: GcFlags): Promise<Exit> {
  return await withPhases(context, flags, async phases => {
    const { env, signal } = context
    const [first = ''] = indexes
    await using store = diskStore(localStore(parseLocator(await isFolder(first) ? join(first, 'index') : first), flags, env), { env, signal })
    // A folder without any is taken for a mistake.
    for (const named of indexes) if (await isFolder(named) && (await indexesIn(named, store.directory).next()).done === true) throw new RopewalkError('ERR_NOT_FOUND', 'no index (.caibx, .caidx) is in the folder', { text: named })
    const reading = phases.begin('indexes')
    // Read once the leases are settled: an index that a make has finished meanwhile counts.
    async function * keep (): AsyncGenerator<ChunkId, void, undefined> {
      for (const named of indexes) {
        for await (const name of await isFolder(named) ? indexesIn(named, store.directory) : [named]) {
          await using input = await openInput(context, name, flags)
          for await (const { id } of (await openIndex(input.bytes)).items) yield id
        }
      }
      reading.end()
    }
    const what = flags.dryRun ? 'unused' : 'removed'
    try {
      const { kept, spared, removed } = await store.collect(keep, {
        dryRun: flags.dryRun,
        youngerThanMs: flags.youngerThan,
        signal,
        onRemove: (id, bytes) => { phases.result({ record: { event: what, chunk: id, bytes }, row: [what, id], lines: [`${what}  ${id}`] }) }
      })
      const remaining = kept + spared
      phases.result({
        record: { event: 'collected', dry_run: flags.dryRun, removed, kept, spared },
        row: [flags.dryRun ? 'would-remove' : 'collected', String(removed), String(remaining)],
        lines: [`${flags.dryRun ? `Would remove ${removed} chunks` : `Removed ${removed} chunks`}, ${remaining} chunks remaining${spared === 0 ? '' : `, ${spared} of them too young to go`}.`]
      })
      return Exit.done
    } catch (error) {
      throw named(error, context)
    }
  })
}

async function isFolder (name: string): Promise<boolean> {
  const locator = parseLocator(name)
  return locator.kind === 'file' && await stat(locator.path).then(stats => stats.isDirectory(), () => false)
}

/** All below it, since any of them may use the store: its own folders and other stores have none. One that a make has finished since the command began counts too. */
async function * indexesIn (folder: string, store: string): AsyncGenerator<string, void, undefined> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!entry.name.endsWith('.castr') && resolve(path) !== resolve(store)) yield * indexesIn(path, store)
    } else if (/\.ca(ib|id)x$/.test(entry.name)) {
      yield path
    }
  }
}
