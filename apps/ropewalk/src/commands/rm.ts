import { query, remove } from '@ropewalk/protocol-mdsftp'
import { formatId } from '../arguments.ts'
import type { Context } from '../context.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { askedFor, forEachObject, type ObjectFlags } from '../objects.ts'

/** Removes objects. The wire does not say whether there was something to remove, so it is asked for before; the seed's cannot tell that either. */
export async function rm (context: Context, names: readonly string[], flags: ObjectFlags): Promise<Exit> {
  return await forEachObject(context, await askedFor(names, flags), flags, async (node, { id }, signal) => {
    const text = formatId(id)
    if (node.profile.name === 'seed') {
      await remove(node, id, { signal })
      return { record: { event: 'removed', id: text, size: null }, row: [text, ''], lines: [`removed ${text}, if it was there`] }
    }
    const found = await query(node, id, { signal })
    if (found === undefined) return undefined
    await remove(node, id, { signal })
    return {
      record: { event: 'removed', id: text, size: found.size },
      row: [text, String(found.size)],
      lines: [`removed ${text} (${formatBytes(found.size)})`]
    }
  })
}
