import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { normaliseName } from '@ropewalk/receive'
import type { Context } from '../context.ts'
import { fileError, RopewalkError } from '../errors.ts'
import type { Exit } from '../exit-codes.ts'
import { formatBytes } from '../format.ts'
import type { Line } from '../peers/control.ts'
import { follow } from '../peers/follow.ts'
import { outboxOf } from '../peers/outbox.ts'
import { withNode } from '../peers/with-node.ts'
import { statePath } from '../state-directory.ts'

export interface SendFlags {
  readonly wait: boolean
  readonly links: boolean
  readonly name: string
  readonly spoolLimit: number
  readonly discover: boolean
  readonly json: boolean
}

/** Offers files and folders to a peer. */
export async function send (context: Context, words: readonly string[], flags: SendFlags): Promise<Exit> {
  const [peer = '', ...reversed] = words.toReversed()
  const paths = reversed.toReversed()
  if (paths.length === 0) throw new RopewalkError('ERR_USAGE', 'what, and to whom? The last word is the peer', { text: peer, advice: ['ropewalk send photos laptop'] })
  if (paths.indexOf('-') !== paths.lastIndexOf('-')) throw new RopewalkError('ERR_USAGE', 'standard input can be read only once')
  if (paths.includes('')) throw new RopewalkError('ERR_USAGE', 'an empty path is no file and no folder')
  if (paths.includes('-')) checkSpoolName(flags.name)
  const alone = flags.wait ? 'listening' : 'refuse'
  const advice = ['An offer needs a node that stays until the files are fetched:', '"ropewalk send --wait …" is one for as long as it takes,', '"ropewalk serve --inbox DIRECTORY" one that stays, in another terminal.']
  return await withNode(context, { alone, discover: flags.discover, advice }, async (ask, stays) => {
    const spooled = paths.includes('-') ? await spoolNamed(context, flags) : undefined
    const files = paths.map(path => path === '-' ? spooled as string : resolve(path))
    return await follow(context, flags.json, stays, spooling(spooled, ask({ do: 'send', peer, paths: files, wait: flags.wait, links: flags.links })))
  }).finally(() => { context.stdin.destroy() })
}

/** What was spooled for an offer that never came about is removed. Of others the node does it, when they are over. */
async function * spooling (spooled: string | undefined, lines: AsyncIterable<Line>): AsyncGenerator<Line, void, undefined> {
  let offered = false
  try {
    for await (const line of lines) {
      offered ||= line['offer'] !== undefined
      yield line
    }
  } finally {
    if (spooled !== undefined && !offered) await rm(dirname(spooled), { recursive: true, force: true })
  }
}

/** A name that the peer may have, too: it would refuse any other. */
function checkSpoolName (name: string): void {
  try {
    if (!normaliseName(name).includes('/')) return
  } catch {
    // As below.
  }
  throw new RopewalkError('ERR_USAGE', '--name is the name of one file, which other systems can have too', { text: name })
}

/** Standard input under a name, until the node has no use for it any more. */
async function spoolNamed ({ stdin, env, signal }: Context, { name, spoolLimit }: SendFlags): Promise<string> {
  const folder = join(outboxOf(statePath(env)), crypto.randomUUID())
  const path = join(folder, name)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const handle = await open(path, 'wx', 0o600)
    try {
      let size = 0
      for await (const chunk of addAbortSignal(signal, stdin) as AsyncIterable<Uint8Array>) {
        size += chunk.length
        if (size > spoolLimit) throw new RopewalkError('ERR_SPOOL_LIMIT', `standard input has more than ${formatBytes(spoolLimit)}`, { advice: ['--spool-limit SIZE allows more.'] })
        await handle.appendFile(chunk)
      }
    } finally {
      await handle.close()
    }
    return path
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw signal.aborted ? signal.reason : fileError(error)
  }
}
