import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { follow } from '../peers/follow.ts'
import type { OfferLine } from '../peers/offer-line.ts'
import { aliasOf, failureResult, offerResult } from '../peers/show.ts'
import { withNode } from '../peers/with-node.ts'
import { Report } from '../progress/report.ts'

export interface OffersFlags { readonly incoming: boolean, readonly outgoing: boolean, readonly watch: boolean, readonly json: boolean }
export interface AcceptFlags extends RetryFlags { readonly output?: string | undefined, readonly links: boolean }
export interface OfferFlags { readonly json: boolean }
export interface WithdrawFlags extends OfferFlags { readonly discover: boolean }
export interface RetryFlags { readonly dangerous: boolean, readonly retryFor?: number | undefined, readonly discover: boolean, readonly json: boolean }

/** Lists offers, and with `--watch` each that changes. */
export async function offers (context: Context, flags: OffersFlags): Promise<Exit> {
  if (flags.incoming && flags.outgoing) throw new RopewalkError('ERR_USAGE', '--incoming or --outgoing, not both: without either, all are listed')
  const filter = flags.incoming ? 1 : flags.outgoing ? 2 : 0
  return await withNode(context, { alone: flags.watch ? 'refuse' : 'quiet' }, async ask => {
    const report = new Report({ ...context, json: flags.json })
    let count = 0
    for await (const line of ask({ do: 'offers', filter, watch: flags.watch })) {
      if (line['offer'] !== undefined) report.result(offerResult(line['offer'] as OfferLine))
      else if (!flags.json) report.note('Watching; Ctrl-C stops')
      count++
    }
    if (count === 0 && !flags.json) report.note('No offers.')
    return Exit.done
  })
}

/** Receives an offer. */
export async function accept (context: Context, offer: string, flags: AcceptFlags): Promise<Exit> {
  return await withNode(context, { alone: 'listening', discover: flags.discover }, async (ask, stays) => await follow(context, flags.json, stays, ask({
    do: 'accept', offer, directory: flags.output === undefined ? undefined : resolve(flags.output), otherwise: process.cwd(), dangerous: flags.dangerous, links: flags.links,
    retry_for: flags.retryFor
  })))
}

export async function decline (context: Context, offer: string, { json }: OfferFlags): Promise<Exit> {
  return await withNode(context, { alone: 'quiet' }, async ask => {
    const report = new Report({ ...context, json })
    for await (const line of ask({ do: 'decline', offer })) report.result(offerResult(line['offer'] as OfferLine, 'declined'))
    return Exit.done
  })
}

/** Takes back what was offered. */
export async function withdraw (context: Context, offer: string, { discover, json }: WithdrawFlags): Promise<Exit> {
  return await withNode(context, { alone: 'quiet', discover }, async ask => {
    const report = new Report({ ...context, json })
    for await (const line of ask({ do: 'withdraw', offer })) {
      const withdrawn = line['offer'] as OfferLine
      report.result(offerResult(withdrawn, 'withdrawn'))
      if (withdrawn.untold === true && !json) report.note(`${aliasOf(withdrawn)} is not there, and is told when it asks, or meets a node of yours`)
    }
    return Exit.done
  })
}

/** Fetches, or has fetched, what failed before. */
export async function retry (context: Context, offer: string, { dangerous, retryFor, discover, json }: RetryFlags): Promise<Exit> {
  return await withNode(context, { alone: 'listening', discover }, async (ask, stays) => await follow(context, json, stays, ask({ do: 'retry', offer, otherwise: process.cwd(), dangerous, retry_for: retryFor })))
}

/** One offer, and every file of it that failed. */
export async function status (context: Context, offer: string, { json }: OfferFlags): Promise<Exit> {
  return await withNode(context, { alone: 'quiet' }, async ask => {
    const report = new Report({ ...context, json })
    let exit: Exit = Exit.done
    for await (const line of ask({ do: 'status', offer })) {
      const found = line as OfferLine
      report.result(offerResult(found))
      for (const failure of found.failures) report.result(failureResult(found, failure))
      if (found.status === 'failed') exit = Exit.failed
      if (!json) report.note(found.failures.length > 0 ? `${found.done} of ${found.files} files are whole; "ropewalk retry --failed ${found.id.slice(0, 8)}" sends the rest` : `with ${aliasOf(found)}: ${found.done} of ${found.files} files are whole`)
    }
    return exit
  })
}
