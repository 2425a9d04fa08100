import { query } from '@ropewalk/protocol-mdsftp'
import { formatId } from '../arguments.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import { askedFor, forEachObject, type ObjectFlags } from '../objects.ts'

/** Prints the size of objects. */
export async function stat (context: Context, names: readonly string[], flags: ObjectFlags): Promise<Exit> {
  return await forEachObject(context, await askedFor(names, flags), flags, async (node, { id, size }, signal) => {
    if (node.profile.name === 'seed') throw new RopewalkError('ERR_USAGE', 'the seed profile has no way to ask for a size')
    const found = await query(node, id, { signal })
    if (found === undefined) return undefined
    if (size !== undefined && found.size !== size) throw new RopewalkError('ERR_DAMAGED', `it has ${found.size} bytes, and the manifest says ${size}`)
    const text = formatId(id)
    return {
      record: { event: 'found', id: text, size: found.size },
      row: [text, String(found.size)],
      lines: [`${text}  ${formatBytes(found.size)}${found.size < 1024 ? '' : ` (${found.size} bytes)`}`]
    }
  })
}
