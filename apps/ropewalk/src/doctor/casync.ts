/**
 * Whether a node gives what `ADDRESS::PATH` names, and where the way ends: to it, to its casync, to the index, the archive or the chunks.
 *
 * @module
 */
import type { Connection } from '@ropewalk/interface'
import { openIndex, pull } from '@ropewalk/protocol-casync'
import { nodeCompression, nodeHash } from '@ropewalk/store-castr'
import { kindByName } from '../casync/kind.ts'
import { formatLocator, type Locator } from '../casync/locator.ts'
import { casyncAddress, CASYNC_PROTOCOL, saying } from '../casync/node-route.ts'
import { wordsOf, type RemoteCall } from '../casync/sessions.ts'
import type { Context } from '../context.ts'
import { codeOf } from '../errors.ts'
import { formatBytes, plural } from '../format.ts'
import { channelOf } from '../muxed-route.ts'
import { examined, UNHEARD, waySteps, type Steps } from './way.ts'

/** Of what a node has of casync. */
export function casyncSteps (context: Context, at: Locator & { readonly kind: 'node' }, within: () => AbortSignal): Steps {
  const way = waySteps(context, casyncAddress(at.address), within)
  let channel: Connection | undefined
  const steps = [...way.steps, {
    name: 'casync',
    needed: true,
    run: async () => {
      channel = await channelOf(way.connection() as Connection, CASYNC_PROTOCOL, { signal: within() })
      return 'channels open, and the node speaks it'
    },
    advice: (error: unknown) => codeOf(error) === 'ERR_UNSUPPORTED' ? ['The node is well, and serves nothing of casync: it needs --chunks DIRECTORY there, or chunks.directory in its configuration.'] : [UNHEARD, KEY]
  }, {
    name: 'path',
    run: async () => await look(at, channel as Connection, within()),
    advice: pathAdvice
  }]
  return { steps, close: () => { (channel ?? way.connection())?.abort(examined()) } }
}

const KEY = 'Does it know your key? "ropewalk identity" prints it; there, --allow KEY or "ropewalk grant KEY --protocol casync" lets it in.'

/** Reads of what is there as much as tells what it is. */
async function look (at: Locator, channel: Connection, signal: AbortSignal): Promise<string> {
  const kind = kindByName(formatLocator(at))
  const isIndex = kind === 'blob-index' || kind === 'archive-index'
  const call: RemoteCall = { verb: 'pull', index: isIndex ? at : undefined, archive: kind === 'archive' ? at : undefined, stores: kind === undefined ? [at] : [] }
  await using session = await pull(saying(wordsOf(call), channel), { index: isIndex, archive: kind === 'archive', chunks: kind === undefined, hash: nodeHash, compression: nodeCompression(), signal })
  if (isIndex) {
    let [chunks, size] = [0, 0]
    const { items } = await openIndex(session.index)
    for await (const { end } of items) [chunks, size] = [chunks + 1, end]
    return `an index of ${plural(chunks, 'chunk')}, ${formatBytes(size)}`
  }
  if (kind === 'archive') {
    for await (const bytes of session.archive) if (bytes.length > 0) return 'an archive, which begins to come'
    return 'an empty archive'
  }
  // Nobody has it: the answer counts.
  await session.get('0'.repeat(64), { signal })
  return 'the node answers for chunks; whether it has any there it does not tell'
}

function pathAdvice (error: unknown): string[] {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined
  if (errno === ENOENT) return ['There is nothing of that name. The path begins at the folder that the node serves.']
  if (errno !== undefined) return ['Only indexes (.caibx, .caidx), archives (.catar) and stores can be named, and only below the folder that the node serves, or that is granted.']
  return NO_INDEX.has(codeOf(error)) ? ['It is no index, or was cut short: make it anew.'] : ['The node has ended the session without a word.', KEY]
}

/** What a file that is no index, or not all of one, is found to be. */
const NO_INDEX: ReadonlySet<string> = new Set(['ERR_INDEX', 'ERR_TRUNCATED'])

/** As casync tells it. */
const ENOENT = 2
