import { escapeName } from '@ropewalk/receive'
import { counted, named } from '../casync/content.ts'
import { isRemote, openInput, type StoreFlags } from '../casync/input.ts'
import { kindOf, type Kind } from '../casync/kind.ts'
import { defaultStore, parseLocator } from '../casync/locator.ts'
import { withPhases } from '../casync/outcome.ts'
import { assertTogether, send } from '../casync/sending.ts'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'

export interface PushFlags extends StoreFlags {
  readonly what?: Kind | undefined
  readonly toStore?: string | undefined
  readonly json: boolean
}

/** Gives an index and the chunks that are asked for, or an archive, to another host. */
export async function casyncPush (context: Context, from: string, to: string, flags: PushFlags): Promise<Exit> {
  const kind = await kindOf(from, flags.what)
  if (kind === 'blob' || kind === 'directory') throw new RopewalkError('ERR_USAGE', 'an index or an archive is needed', { text: from, advice: ['ropewalk casync make HOST:INDEX FILE makes one there at once.'] })
  const target = parseLocator(to)
  if (!isRemote(target)) throw new RopewalkError('ERR_USAGE', 'a name on another host, HOST:PATH', { text: to, advice: ['ropewalk casync pull goes the other way.'] })
  const store = flags.toStore === undefined ? defaultStore(target, {}) : parseLocator(flags.toStore)
  if (kind !== 'archive') assertTogether(target, store)
  return await withPhases(context, flags, async phases => {
    const archive = kind === 'archive'
    await using input = await openInput(context, from, flags, { onTrouble: phases.trouble, archive })
    const sending = phases.begin(archive ? 'archive' : 'index')
    const chunks = phases.begin('chunks')
    const file = { locator: target, bytes: counted(input.bytes, sending) }
    try {
      const pushed = await send(context, {
        index: archive ? undefined : file,
        archive: archive ? file : undefined,
        store: archive ? undefined : {
          locator: store,
          chunks: {
            get: async (id, options) => {
              const chunk = await input.chunks.get(id, options)
              chunks.add(chunk?.bytes.length ?? 0)
              return chunk
            }
          }
        },
        rateLimitBps: flags.rateLimitBps
      })
      sending.end()
      chunks.end()
      phases.result({
        record: { event: 'pushed', name: to, chunks: pushed.chunks, bytes: pushed.bytes },
        row: [escapeName(to), String(pushed.chunks), String(pushed.bytes)],
        lines: [`${escapeName(to)}  ${archive ? 'is there' : `${pushed.chunks} chunks, ${formatBytes(pushed.bytes)} as they were sent`}`]
      })
      return Exit.done
    } catch (error) {
      throw named(error, context)
    }
  }, { kept: kind === 'archive' ? 'the archive is not there; the same command begins anew' : 'the chunks that are there stay; the same command sends the rest' })
}
