/**
 * Many transfers over one connection: each fails alone, unless the connection is lost.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'
import { codeOf, exitFor } from './errors.ts'
import { Exit, worst } from './exit-codes.ts'
import { keepYoungSmall } from './heap.ts'
import { DEFAULT_CONCURRENCY } from './options.ts'
import { inParallel, Room } from './parallel.ts'
import type { Report, Result } from './progress/report.ts'
import { plural } from './format.ts'
import { Transfer } from './transfer.ts'

export interface Batch<Item> {
  readonly items: readonly Item[]
  readonly nameOf: (item: Item) => string
  readonly direction: TransferEvent['direction']
  /** By default 16; with `small`, that is how many are large, and of small ones 32 are under way. */
  readonly concurrency: number | undefined
  /** `work` calls `turn` before it moves anything. */
  readonly small?: boolean | undefined
  readonly signal: AbortSignal
  readonly report: Report
  /** Channels opened so far. */
  readonly channels: () => number
  /** Says after an interruption what became of the `count` transfers that were finished, and of the others. */
  readonly kept: (count: number) => string
  /** Runs one transfer. It calls `started`; how the transfer ended is told by what becomes of the call. */
  readonly work: (item: Item, transfer: Transfer, turn: Turn) => Promise<Result>
}

/** Waits until so many bytes may move; undefined: nobody knows how many. */
export type Turn = (size: number | undefined) => Promise<void>

/** Of small files, each waits for the disks and the network more than it moves. Ours. */
const SMALL_CONCURRENCY = 32
const SMALL_BYTES = 65_536

/** Runs every item, tells the report, and says with which code the process ends. */
export async function runBatch<Item> (batch: Batch<Item>): Promise<Exit> {
  const { items, report, signal, concurrency = DEFAULT_CONCURRENCY } = batch
  const width = batch.small === true ? batch.concurrency ?? SMALL_CONCURRENCY : concurrency
  const lost = new AbortController()
  const youngAsItWas = keepYoungSmall()
  const stop = AbortSignal.any([signal, lost.signal])
  const room = new Room(concurrency)
  const exits: Exit[] = []
  let finished = 0
  report.gather()
  // What is under way is taken back, and the other end may be slow to agree.
  const stopping = (): void => report.note('Stopping; Ctrl-C again ends at once')
  signal.addEventListener('abort', stopping)

  await inParallel(items, width, stop, async (item, index) => {
    let leave = (): void => {}
    const turn: Turn = async size => { if (size === undefined || size > SMALL_BYTES) leave = await room.enter(stop) }
    const transfer = new Transfer({ transfer: String(index + 1), name: batch.nameOf(item), direction: batch.direction, emit: report.event })
    try {
      const result = await batch.work(item, transfer, turn)
      transfer.finished()
      report.result(result)
      finished++
    } catch (error) {
      // After Ctrl-C whatever fails does so because of it.
      transfer.failed(signal.aborted ? signal.reason : error)
      exits.push(exitFor(error))
      if (endsConnection(error)) lost.abort()
    } finally {
      leave()
    }
  })

  youngAsItWas()
  signal.removeEventListener('abort', stopping)
  if (!signal.aborted) report.summary(batch.channels())
  report.close()
  if (signal.aborted) {
    report.note(`Interrupted: ${batch.kept(finished)}.`)
    return Exit.interrupted
  }
  const left = items.length - finished - exits.length
  if (left > 0) {
    report.note(`The connection is lost: ${plural(left, 'file')} more ${left === 1 ? 'was' : 'were'} not begun.`)
    exits.push(Exit.failed)
  }
  return worst(exits)
}

function endsConnection (error: unknown): boolean {
  return error instanceof Error && 'scope' in error && error.scope === 'connection' && codeOf(error) !== 'ERR_UNKNOWN'
}
