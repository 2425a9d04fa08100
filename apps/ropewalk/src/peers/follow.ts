/**
 * A transfer between peers, told as it comes from the node.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'
import type { Context } from '../context.ts'
import { RopewalkError } from '../errors.ts'
import { Exit } from '../exit-codes.ts'
import { formatBytes, plural } from '../format.ts'
import { writeLines } from '../progress/lines.ts'
import { LiveScreen } from '../progress/live-screen.ts'
import { encodeLine } from '../progress/ndjson.ts'
import { Report } from '../progress/report.ts'
import { fit } from '../width.ts'
import type { Line } from './control.ts'
import type { OfferLine } from './offer-line.ts'
import { aliasOf, failureResult, offerResult } from './show.ts'
import type { Reading } from './sources.ts'

/** Tells everything that `lines` say, until the offer is settled or they end. `stays`: the node does, when the command has gone. */
export async function follow (context: Context, json: boolean, stays: boolean, lines: AsyncIterable<Line>): Promise<Exit> {
  let report: Report | undefined
  let last: OfferLine | undefined
  let waiting = false
  let waitsFor = ''
  const reading = new ReadingLine(context, json)
  try {
    for await (const line of lines) {
      if (line['reading'] !== undefined) {
        reading.tell(line['reading'] as Reading)
      } else if (line['offer'] !== undefined) {
        reading.close()
        const offer = last = line['offer'] as OfferLine
        report ??= new Report({ ...context, json, expected: { files: offer.files - offer.done, bytes: undefined } })
        report.gather()
        report.result(offerResult(offer, 'offer', offer.incoming ? 'is coming' : offer.status === 'failed' ? 'is offered again' : undefined))
        waiting = !offer.incoming && offer.status === 'awaiting'
        if (!json && waiting) report.note(line['followed'] === true ? `Waiting for ${aliasOf(offer)} to accept; Ctrl-C leaves the offer where it is` : `"ropewalk status ${offer.id.slice(0, 8)}" tells how it stands`)
      } else if (line['waiting'] !== undefined) {
        const { code, message } = line['waiting'] as { readonly code: string, readonly message: string }
        if (code !== waitsFor) tellWait(report, json, last, code, message)
        waitsFor = code
      } else if (line['transfer'] !== undefined) {
        if (waiting) report?.waited()
        waiting = false
        waitsFor = ''
        report?.event(line['transfer'] as TransferEvent)
      } else if (line['settled'] !== undefined) return settled(report ?? new Report({ ...context, json }), json, line['settled'] as OfferLine, line['before'] === true)
    }
    return Exit.done
  } catch (error) {
    report?.close()
    if (context.signal.aborted && last !== undefined && !json) report?.note(keptOf(last, stays))
    throw error
  } finally {
    reading.close()
    report?.close()
  }
}

/** How far what is to be offered is read, and what of it stays behind. */
class ReadingLine {
  readonly #context: Context
  readonly #json: boolean
  readonly #screen: LiveScreen | undefined
  #told = false

  constructor (context: Context, json: boolean) {
    this.#context = context
    this.#json = json
    this.#screen = context.stderr.isTTY === true && !json && context.env['TERM'] !== 'dumb' ? new LiveScreen(context.stderr) : undefined
  }

  tell ({ bytes, size, leftOut, links }: Reading): void {
    const { stdout, stderr } = this.#context
    if (this.#json) stdout.write(encodeLine({ event: 'reading', bytes, size, left_out: leftOut }))
    else if (bytes < size) {
      if (this.#screen !== undefined) this.#screen.draw([fit(`Reading what is offered: ${formatBytes(bytes)} of ${formatBytes(size)}`, this.#screen.columns - 1)])
      else if (!this.#told) writeLines(stderr, `Reading what is offered: ${formatBytes(size)}`)
      this.#told = true
    } else if (leftOut > 0) {
      this.close()
      writeLines(stderr, `Left out: ${plural(leftOut, 'entry', 'entries')}, for ${links ? 'links out of their folder' : 'links'} and special files are not offered`)
    }
  }

  close (): void {
    this.#screen?.clear()
  }
}

/** Whoever has accepted may go: the node waits. */
function tellWait (report: Report | undefined, json: boolean, offer: OfferLine | undefined, code: string, message: string): void {
  if (json) report?.fact({ event: 'waiting', offer: offer?.id, code, message })
  else report?.note(`Waiting for ${offer === undefined ? 'the peer' : aliasOf(offer)}: ${code === 'ERR_INTERRUPTED' ? 'the connection broke' : message}; it goes on by itself when it can`)
}

function keptOf ({ id, incoming }: OfferLine, stays: boolean): string {
  const short = id.slice(0, 8)
  if (stays) return `The node goes on; "ropewalk status ${short}" tells how it stands`
  return incoming
    ? `Interrupted: what has come stays; "ropewalk retry ${short}" goes on`
    : `Interrupted: the offer stays; "ropewalk retry ${short}" goes on with it, and "ropewalk status ${short}" tells how it stands`
}

/** `before`: it was, and nothing was done. */
function settled (report: Report, json: boolean, offer: OfferLine, before: boolean): Exit {
  // Of what nobody wanted nothing has moved.
  if (offer.status !== 'rejected' && offer.status !== 'withdrawn' && !before) report.summary(0)
  report.close()
  report.result(offerResult(offer, 'settled', before && offer.status === 'completed' ? `${offer.incoming ? 'arrived' : 'arrived there'} before: nothing is left to do` : undefined))
  for (const failure of offer.failures) report.result(failureResult(offer, failure))
  if (!json && offer.incoming && offer.failures.some(({ code }) => code === 'ERR_DANGEROUS')) report.note(`"ropewalk accept ${offer.id.slice(0, 8)} --dangerous" takes those, too, that something would run or trust unasked`)
  if (offer.status === 'rejected') throw new RopewalkError('ERR_REFUSED', offer.incoming ? 'the offer was declined' : `${aliasOf(offer)} declined the offer`, { advice: offer.incoming ? [] : ['"ropewalk send" makes a new one.'] })
  if (offer.status === 'withdrawn') throw new RopewalkError('ERR_WITHDRAWN', offer.incoming ? 'the sender has withdrawn the offer' : 'the offer was withdrawn')
  return offer.status === 'completed' ? Exit.done : Exit.failed
}
