/**
 * The live picture of what is moving: one line a file, one of totals. Pure: numbers in, lines out.
 *
 * @module
 */
import { formatBytes, formatEta, formatRate } from '../format.ts'
import { column, fit } from '../width.ts'
import type { Plan, Totals, Transfer } from './plan.ts'
import type { Rate } from './rate.ts'

export interface Frame {
  readonly columns: number
  readonly rows: number
  /** Colours a piece of text; the identity where there is no colour. */
  readonly paint: Paint
}

export type Paint = (style: 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan', text: string) => string

/** Columns of the bar, and from which width of the terminal there is one. */
export const BAR = 20
const MIN_BAR_COLUMNS = 64

/** `name` must already be escaped in the transfers of `plan`. No line is wider than the terminal, and one row stays free. */
export function renderTty (plan: Plan, rate: Rate, frame: Frame): string[] {
  const { active } = plan
  // One row for the totals and one for the cursor.
  const room = Math.max(0, frame.rows - 2)
  const shown = active.length > room ? active.slice(0, Math.max(0, room - 1)) : active
  const lines = shown.map(transfer => renderTransfer(transfer, frame))
  const hidden = active.length - shown.length
  if (hidden > 0 && room > 0) lines.push(frame.paint('dim', fit(`  … and ${hidden} more`, frame.columns - 1)))
  lines.push(renderTotals(plan.totals(), rate, frame))
  return lines
}

function renderTransfer ({ name, bytes, size }: Transfer, { columns, paint }: Frame): string {
  const amount = size === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(size)}`
  const share = shareOf(bytes, size)
  const percent = share === undefined ? '' : `${Math.floor(share * 100)}%`
  const right = ` ${percent.padStart(4)}  ${amount.padEnd(24)}`
  const bar = columns >= MIN_BAR_COLUMNS && share !== undefined ? BAR : 0
  // Two of indentation, one that stays free at the right edge, one before the bar.
  const room = columns - 3 - right.length - (bar === 0 ? 0 : bar + 1)
  if (room < 8) return `  ${fit(`${name} ${percent}`, columns - 3)}`
  return `  ${column(name, room)}${bar === 0 ? '' : ` ${renderBar(share ?? 0, paint)}`}${right}`.trimEnd()
}

export function renderBar (share: number, paint: Paint): string {
  const full = Math.floor(share * BAR)
  return paint('cyan', '━'.repeat(full)) + paint('dim', '─'.repeat(BAR - full))
}

function renderTotals (totals: Totals, rate: Rate, { columns, paint }: Frame): string {
  const { finished, failed, files, bytes, goal } = totals
  const speed = rate.bytesPerSecond
  const share = shareOf(bytes, goal)
  const count = `${finished} of ${files} ${files === 1 ? 'file' : 'files'}`
  const amount = goal === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(goal)}`
  const percent = share === undefined ? undefined : `${Math.floor(share * 100)}%`
  const pace = speed === undefined ? undefined : formatRate(speed)
  const left = goal === undefined ? undefined : `${formatEta(rate.secondsFor(goal - bytes))} left`
  const failure = failed === 0 ? '' : `  ${failed} failed`
  const room = columns - 1 - failure.length
  // Where all of it has no room, first what can be told from the rest is left out.
  const texts = [[count, amount, percent, pace, left], [count, percent ?? amount, pace, left], [count, percent ?? amount, left], [count]]
    .map(parts => parts.filter(part => part !== undefined).join('  '))
  return paint('bold', fit(texts.find(text => text.length <= room) ?? count, room)) + (failure === '' ? '' : paint('red', failure))
}

function shareOf (bytes: number, size: number | undefined): number | undefined {
  if (size === undefined) return undefined
  return size === 0 ? 1 : Math.min(1, bytes / size)
}
