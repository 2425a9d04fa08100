/**
 * Commands that ask about objects and move no content.
 *
 * @module
 */
import type { StorageConnection } from '@ropewalk/protocol-mdsftp'
import { formatId, MAX_CONCURRENCY, parseId } from './arguments.ts'
import type { Context } from './context.ts'
import { codeOf, exitFor, messageOf } from './errors.ts'
import { Exit, worst } from './exit-codes.ts'
import { inParallel } from './parallel.ts'
import { encodeLine } from './progress/ndjson.ts'
import { Report, type Result } from './progress/report.ts'
import { nodeAddress, withSession, type SessionFlags } from './session.ts'

export interface ObjectFlags extends SessionFlags {
  readonly at?: string | undefined
}

/** Asks `work` about every id, at most so many at once; `undefined` means that the node has no such object. */
export async function forEachObject (
  context: Context,
  ids: readonly string[],
  flags: ObjectFlags,
  work: (node: StorageConnection, id: string, signal: AbortSignal) => Promise<Result | undefined>
): Promise<Exit> {
  const wanted = ids.map(parseId)
  const address = nodeAddress(flags.at, flags.allowPlaintext)
  const { signal, stdout } = context

  return await withSession(context, address, flags, async node => {
    const report = new Report({ ...context, json: flags.json })
    const exits: Exit[] = []
    const fail = (id: string, exit: Exit, code: string, message: string): void => {
      exits.push(exit)
      if (flags.json) stdout.write(encodeLine({ event: 'failed', id, code, message }))
      else report.note(`${id}: ${message} (${code})`)
    }

    await inParallel(wanted, MAX_CONCURRENCY, signal, async id => {
      try {
        const result = await work(node, id, signal)
        if (result === undefined) fail(formatId(id), Exit.notFound, 'ERR_NOT_FOUND', 'the node has no such object')
        else report.result(result)
      } catch (error) {
        if (!signal.aborted) fail(formatId(id), exitFor(error), codeOf(error), messageOf(error))
      }
    })
    signal.throwIfAborted()
    return worst(exits)
  })
}
