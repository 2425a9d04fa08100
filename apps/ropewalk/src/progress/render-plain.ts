/**
 * Progress where nothing can be redrawn: a line for each transfer that is over, and one at the end. Pure.
 *
 * @module
 */
import type { TransferEvent } from '@ropewalk/interface'
import { formatBytes, formatDuration, formatRate, plural } from '../format.ts'
import { harmless } from './lines.ts'
import type { Totals } from './plan.ts'

/** The line for an event, without newline; undefined for events that are not worth one. `name` is already escaped. */
export function renderEvent (event: TransferEvent, name: string): string | undefined {
  switch (event.event) {
    case 'finished': return `${event.direction === 'send' ? 'sent' : 'received'} ${name} (${formatBytes(event.bytes)})`
    case 'failed': return renderFailure(event.code, event.message, name)
    default: return undefined
  }
}

export function renderFailure (code: string, message: string, name: string): string {
  return `failed ${name}: ${harmless(message)} (${code})`
}

/** The line at the end. */
export function renderSummary ({ finished, failed, bytes }: Totals, elapsedMs: number, present = 0): string {
  // Below a few milliseconds a rate is an accident.
  const rate = elapsedMs < 10 ? '' : `, ${formatRate(Math.max(0, bytes - present) / elapsedMs * 1000)}`
  const failures = failed === 0 ? '' : `; ${failed} failed`
  return `${plural(finished, 'file')}, ${formatBytes(bytes)} in ${formatDuration(elapsedMs)}${rate}${failures}`
}
