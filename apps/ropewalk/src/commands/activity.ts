/**
 * What the node of this user is doing, and what it has done: asked of the node where one runs, read from its journal where none does.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionActivity, TransferActivity } from '../activity/activity.ts'
import { readJournal } from '../activity/journal.ts'
import { named, ObjectNames, readObjectNames } from '../activity/object-names.ts'
import { heading, picture, type Seen } from '../activity/picture.ts'
import { connectionResult, standing, transferResult } from '../activity/words.ts'
import type { Context } from '../context.ts'
import { codeOf, RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { withNode, type AskNode } from '../peers/with-node.ts'
import { LiveScreen } from '../progress/live-screen.ts'
import { Report } from '../progress/report.ts'
import { statePath } from '../state-directory.ts'

export interface StatusFlags { readonly watch: boolean, readonly json: boolean }
export interface HistoryFlags { readonly limit: number, readonly failed: boolean, readonly json: boolean }
export interface WhyFlags { readonly json: boolean }

/** Between two looks at the node. Ours. */
const WATCH_MS = 1000

/** Transfers under way, and who is connected. */
export async function status (context: Context, { watch, json }: StatusFlags): Promise<Exit> {
  const report = new Report({ ...context, json })
  const names = new ObjectNames(statePath(context.env))
  return await withNode(context, { alone: 'refuse', advice: ['"ropewalk serve" starts one. "ropewalk history" tells what the last one did.'] }, async ask => {
    if (!watch) {
      tell(report, json, await look(ask, names))
      return Exit.done
    }
    const screen = !json && context.stdout.isTTY === true ? new LiveScreen(context.stdout) : undefined
    try {
      // A node that ends is no failure of who watches it.
      for (;;) {
        const seen = await look(ask, names)
        if (screen === undefined) tell(report, json, seen)
        else screen.draw(picture(seen, screen, Date.now()))
        await sleep(WATCH_MS, undefined, { signal: context.signal }).catch(() => { context.signal.throwIfAborted() })
      }
    } catch (error) {
      if (!context.signal.aborted && codeOf(error) === 'ERR_UNREACHABLE') report.note('The node has ended')
      else if (!context.signal.aborted) throw error
      return context.signal.aborted ? Exit.interrupted : Exit.done
    } finally {
      screen?.keep()
    }
  })
}

/** Transfers that are over, the newest last. */
export async function history (context: Context, { limit, failed, json }: HistoryFlags): Promise<Exit> {
  const report = new Report({ ...context, json })
  const known = [...(await knownTransfers(context)).values()].filter(({ state }) => state === 'failed' || (!failed && state === 'done'))
  for (const transfer of known.slice(Math.max(0, known.length - limit))) report.result(transferResult(transfer, Date.now()))
  if (known.length === 0 && !json) report.note(failed ? 'Nothing has failed.' : 'No transfer is over yet.')
  return Exit.done
}

/** One transfer, and why it is not further. */
export async function why (context: Context, id: string, { json }: WhyFlags): Promise<Exit> {
  const transfer = await findTransfer(context, id)
  const report = new Report({ ...context, json })
  const now = Date.now()
  const words = standing(transfer, now)
  report.result({ record: { ...transferResult(transfer, now, 'why').record, why: words }, row: [transfer.id, transfer.state, words], lines: [words, ...adviceFor(transfer).map(line => `    ${line}`)] })
  return transfer.state === 'failed' ? Exit.failed : Exit.done
}

/** The transfer that somebody means: an id, its end, or the name or the object of the only one of that. */
export async function findTransfer (context: Context, text: string): Promise<TransferActivity> {
  const known = await knownTransfers(context)
  const exact = known.get(text)
  if (exact !== undefined) return exact
  const found = [...known.values()].filter(({ id, name, object }) => id.endsWith(`-${text}`) || name === text || object === text)
  const [last] = found.slice(-1)
  if (last === undefined) throw new RopewalkError('ERR_NOT_FOUND', 'no transfer is known by that', { text, advice: ['"ropewalk status" and "ropewalk history" list them.'] })
  if (found.length > 1 && !found.every(({ name, object }) => name === text || object === text)) throw new RopewalkError('ERR_USAGE', `${found.length} transfers are meant by that`, { text, advice: found.slice(-4).map(({ id }) => id) })
  return last
}

/** All that the journal and the node that runs know, by id, in the order in which they began. */
async function knownTransfers (context: Context): Promise<Map<string, TransferActivity>> {
  const state = statePath(context.env)
  const names = await readObjectNames(state)
  const live = await seenNow(context)
  const known = new Map((await readJournal(state)).map(transfer => [transfer.id, settled(transfer, live)]))
  for (const transfer of live ?? []) known.set(transfer.id, transfer)
  for (const [id, transfer] of known) known.set(id, named(transfer, names))
  return known
}

async function look (ask: AskNode, names: ObjectNames): Promise<Seen> {
  await names.look()
  const transfers: TransferActivity[] = []
  const connections: ConnectionActivity[] = []
  for await (const line of ask({ do: 'activity' })) {
    if (line['transfer'] !== undefined) transfers.push(names.named(line['transfer'] as TransferActivity))
    if (line['connection'] !== undefined) connections.push(line['connection'] as ConnectionActivity)
  }
  return { transfers, connections }
}

/** Undefined where no node runs. */
async function seenNow (context: Context): Promise<readonly TransferActivity[] | undefined> {
  try {
    return (await withNode(context, { alone: 'refuse' }, async ask => await look(ask, new ObjectNames(statePath(context.env))))).transfers
  } catch (error) {
    if (codeOf(error) === 'ERR_UNREACHABLE') return undefined
    throw error
  }
}

/** What was under way when its node ended will not go on by itself. */
function settled (transfer: TransferActivity, live: readonly TransferActivity[] | undefined): TransferActivity {
  if (transfer.endedAt !== undefined) return transfer
  const now = live?.find(({ id }) => id === transfer.id)
  if (now !== undefined) return now
  return { ...transfer, state: 'failed', endedAt: transfer.changedAt, waitsFor: undefined, waitsSince: undefined, error: { code: 'ERR_STOPPED', message: 'the node ended before it' } }
}

function tell (report: Report, json: boolean, { transfers, connections }: Seen): void {
  const now = Date.now()
  const open = transfers.filter(({ endedAt }) => endedAt === undefined)
  for (const transfer of open) report.result(transferResult(transfer, now))
  for (const connection of connections) report.result(connectionResult(connection, now))
  if (!json) report.note(heading(open.length, connections.length))
}

function adviceFor ({ state, waitsFor, direction, protocol, group, id }: TransferActivity): string[] {
  if (state === 'waiting' && waitsFor === 'the peer\'s window') return ['The other side takes nothing, or acknowledges nothing: its disk, its reader or the way there is slow.', 'Nothing is lost; it goes on when the other side does.']
  if (state === 'waiting' && waitsFor === 'bytes from the peer') return ['The other side sends nothing: it reads slowly, or the way is slow.']
  if (state !== 'failed') return []
  if (protocol === 'warpdrive' && group !== undefined) return [`"ropewalk retry ${id}" moves what is missing.`]
  return [direction === 'in' ? 'Whoever sent it sends it again: "put --resume" and "upload" go on where they were.' : 'Whoever fetched it fetches it again: "get --resume" goes on where it was.']
}
