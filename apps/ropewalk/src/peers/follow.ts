/**
 * A transfer between peers, told as it comes from the node.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { Report } from '../progress/report.ts'
import type { Line } from './control.ts'
import type { OfferLine } from './requests.ts'
import { aliasOf, failureResult, offerResult } from './show.ts'

/** Tells everything that `lines` say, until the offer is settled or they end. */
export async function follow (context: Context, json: boolean, lines: AsyncIterable<Line>): Promise<Exit> {
  let report: Report | undefined
  let last: OfferLine | undefined
  let waiting = false
  try {
    for await (const line of lines) {
      if (line['offer'] !== undefined) {
        const offer = last = line['offer'] as OfferLine
        report ??= new Report({ ...context, json, expected: { files: offer.files - offer.done, bytes: undefined } })
        report.result(offerResult(offer))
        waiting = !offer.incoming && offer.status === 'awaiting'
        if (!json && waiting) report.note(`Waiting for ${aliasOf(offer)} to accept; Ctrl-C leaves the offer where it is`)
      } else if (line['transfer'] !== undefined) {
        if (waiting) report?.waited()
        waiting = false
        report?.event(line['transfer'] as TransferEvent)
      } else if (line['settled'] !== undefined) return settled(report, line['settled'] as OfferLine)
    }
    return Exit.done
  } catch (error) {
    report?.close()
    if (context.signal.aborted && last !== undefined && !json) report?.note(keptOf(last))
    throw error
  } finally {
    report?.close()
  }
}

function keptOf ({ id, incoming }: OfferLine): string {
  const short = id.slice(0, 8)
  return incoming
    ? `Interrupted: the files that are whole stay; "ropewalk retry ${short}" brings the rest`
    : `Interrupted: the offer stays, and is served while a node runs here;\n"ropewalk status ${short}" tells what becomes of it, "ropewalk retry ${short}" goes on`
}

function settled (report: Report | undefined, offer: OfferLine): Exit {
  report?.summary(0)
  report?.close()
  report?.result(offerResult(offer, 'settled'))
  for (const failure of offer.failures) report?.result(failureResult(offer, failure))
  if (offer.status === 'rejected') throw new RopewalkError('ERR_REFUSED', `${aliasOf(offer)} declined the offer`)
  return offer.status === 'completed' ? Exit.done : Exit.failed
}
