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
  try {
    for await (const line of lines) {
      if (line['offer'] !== undefined) {
        const offer = line['offer'] as OfferLine
        report ??= new Report({ ...context, json, expected: { files: offer.files - offer.done, bytes: undefined } })
        report.result(offerResult(offer))
        if (!json && !offer.incoming && offer.status === 'awaiting') report.note(`Waiting for ${aliasOf(offer)} to accept; Ctrl-C leaves the offer where it is`)
      } else if (line['transfer'] !== undefined) report?.event(line['transfer'] as TransferEvent)
      else if (line['settled'] !== undefined) return settled(report, line['settled'] as OfferLine)
    }
    return Exit.done
  } finally {
    report?.close()
  }
}

function settled (report: Report | undefined, offer: OfferLine): Exit {
  report?.summary(0)
  report?.close()
  report?.result(offerResult(offer, 'settled'))
  for (const failure of offer.failures) report?.result(failureResult(offer, failure))
  if (offer.status === 'rejected') throw new RopewalkError('ERR_REFUSED', `${aliasOf(offer)} declined the offer`)
  return offer.status === 'completed' ? Exit.done : Exit.failed
}
