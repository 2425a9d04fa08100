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

/** Tells everything that `lines` say, until the offer is settled or they end. `stays`: the node does, when the command has gone. */
export async function follow (context: Context, json: boolean, stays: boolean, lines: AsyncIterable<Line>): Promise<Exit> {
  let report: Report | undefined
  let last: OfferLine | undefined
  let waiting = false
  try {
    for await (const line of lines) {
      if (line['offer'] !== undefined) {
        const offer = last = line['offer'] as OfferLine
        report ??= new Report({ ...context, json, expected: { files: offer.files - offer.done, bytes: undefined } })
        report.result(offerResult(offer, 'offer', offer.incoming ? 'is coming' : offer.status === 'failed' ? 'is offered again' : undefined))
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
    if (context.signal.aborted && last !== undefined && !json) report?.note(keptOf(last, stays))
    throw error
  } finally {
    report?.close()
  }
}

function keptOf ({ id, incoming }: OfferLine, stays: boolean): string {
  const short = id.slice(0, 8)
  if (stays) return `The node goes on; "ropewalk status ${short}" tells how it stands`
  return incoming
    ? `Interrupted: what has come stays; "ropewalk retry ${short}" goes on`
    : `Interrupted: the offer stays; "ropewalk retry ${short}" goes on with it, and "ropewalk status ${short}" tells how it stands`
}

function settled (report: Report | undefined, offer: OfferLine): Exit {
  // Of what nobody wanted nothing has moved.
  if (offer.status !== 'rejected') report?.summary(0)
  report?.close()
  report?.result(offerResult(offer, 'settled'))
  for (const failure of offer.failures) report?.result(failureResult(offer, failure))
  if (offer.status === 'rejected') throw new RopewalkError('ERR_REFUSED', `${aliasOf(offer)} declined the offer`)
  return offer.status === 'completed' ? Exit.done : Exit.failed
}
