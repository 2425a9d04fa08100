/**
 * Commands that ask about objects, or all parts of manifests.
 *
 * @module
 */
import type { StorageConnection } from '@ropewalk/protocol-mdsftp'
import { escapeName } from '@ropewalk/receive'
import { formatAddress } from './address.ts'
import { formatId, MAX_CONCURRENCY } from './arguments.ts'
import type { Context } from './context.ts'
import { codeOf, exitFor, messageOf } from './errors.ts'
import { Exit, worst } from './exit-codes.ts'
import { Nodes, type NodeChoice } from './nodes.ts'
import { inParallel } from './parallel.ts'
import { guardedNode, namedNode, parseTarget } from './parts/targets.ts'
import { encodeLine } from './progress/ndjson.ts'
import { Report, type Result } from './progress/report.ts'
import type { SessionFlags } from './session.ts'

export interface ObjectFlags extends SessionFlags {
  readonly at?: string | undefined
}

/** One object, and what is known of it. */
export interface Asked {
  readonly id: string
  readonly node: NodeChoice
  /** What a manifest says of it. */
  readonly size?: number | undefined
  readonly sha256?: string | undefined
}

/** What the command line names: ids at the node of the flags, and the parts of manifests at theirs. */
export async function askedFor (names: readonly string[], { at, allowPlaintext }: ObjectFlags): Promise<Asked[]> {
  const targets = await Promise.all(names.map(parseTarget))
  return targets.flatMap((target): Asked[] => target.kind === 'object'
    ? [{ id: target.id, node: namedNode(at, allowPlaintext) }]
    : target.manifest.parts.map(({ id, address, size, sha256 }) => ({ id, node: guardedNode(address, allowPlaintext), size, sha256 })))
}

/** Asks `work` about every object, at most so many at once; `undefined` means that the node has no such object. */
export async function forEachObject (
  context: Context,
  asked: readonly Asked[],
  flags: ObjectFlags,
  work: (node: StorageConnection, object: Asked, signal: AbortSignal) => Promise<Result | undefined>,
  width: number = MAX_CONCURRENCY
): Promise<Exit> {
  const { signal, stdout } = context
  const report = new Report({ ...context, json: flags.json })
  const exits: Exit[] = []
  const fail = (id: string, exit: Exit, code: string, message: string): void => {
    exits.push(exit)
    if (flags.json) stdout.write(encodeLine({ event: 'failed', id, code, message }))
    else report.note(`${id}: ${escapeName(message)} (${code})`)
  }

  await using nodes = new Nodes(context, flags)
  // One that cannot be reached at all is the end where nothing else is asked for.
  const first = asked[0]
  if (first !== undefined && asked.every(({ node }) => formatAddress(node.address) === formatAddress(first.node.address))) await nodes.use(first.node, async () => {}, { signal })

  await inParallel(asked, width, signal, async object => {
    const id = formatId(object.id)
    try {
      const result = await nodes.use(object.node, async node => await work(node, object, signal), { signal })
      if (result === undefined) fail(id, Exit.notFound, 'ERR_NOT_FOUND', 'the node has no such object')
      else report.result(result)
    } catch (error) {
      if (!signal.aborted) fail(id, exitFor(error), codeOf(error), messageOf(error))
    }
  })
  signal.throwIfAborted()
  return worst(exits)
}
