/**
 * Transfers in words: for `status`, `history` and `why`.
 *
 * @module
 */
import { escapeName } from '@ropewalk/receive'
import { formatBytes, formatDuration } from '../format.ts'
import type { Result } from '../progress/report.ts'
import { fit } from '../width.ts'
import type { ConnectionActivity, TransferActivity } from './activity.ts'

/** Columns of the names that people see. */
const NAME_COLUMNS = 40

export function transferResult (transfer: TransferActivity, now: number, event: string = 'transfer'): Result {
  const { id, protocol, direction, peer = '', name, size, bytes, state } = transfer
  const shown = fit(escapeName(name), NAME_COLUMNS)
  const who = peer === '' ? '' : ` ${direction === 'in' ? 'from' : 'to'} ${fit(escapeName(peer), 24)}`
  return {
    record: { event, ...transfer },
    row: [id, protocol, direction, state, String(bytes), size === undefined ? '' : String(size), escapeName(peer), escapeName(name)],
    lines: [`${id}  ${shown}${who}`, `    ${protocol}, ${amount(transfer)}, ${standing(transfer, now)}`]
  }
}

export function connectionResult (connection: ConnectionActivity, now: number): Result {
  const { id, protocol, muxer, address, fingerprint, bytesIn, bytesOut, open, channels, heardAt } = connection
  const stuck = channels.filter(({ unread = 0 }) => unread > 0).length
  const full = channels.filter(({ sendRoom }) => sendRoom === 0).length
  const over = muxer === undefined || muxer === protocol ? '' : ` over ${muxer}`
  return {
    record: { event: 'connection', ...connection },
    row: [id, protocol, muxer ?? '', address, fingerprint ?? '', String(open ?? ''), String(bytesIn), String(bytesOut)],
    lines: [
      `${id}  ${escapeName(address)}  ${protocol}${over}${open === undefined ? '' : `, ${open} open`}`,
      `    ${formatBytes(bytesIn)} in, ${formatBytes(bytesOut)} out, heard ${formatDuration(Math.max(0, now - heardAt))} ago${full > 0 ? `, ${full} with a full window` : ''}${stuck > 0 ? `, ${stuck} unread here` : ''}`
    ]
  }
}

/** `waiting for the peer's window since 12 s`. */
export function standing ({ state, waitsFor = '', waitsSince = 0, startedAt, endedAt = 0, bytes, error }: TransferActivity, now: number): string {
  switch (state) {
    case 'waiting': return `waiting for ${waitsFor} since ${formatDuration(Math.max(0, now - waitsSince))}`
    case 'running': return `running for ${formatDuration(Math.max(0, now - startedAt))}, ${formatBytes(bytes / Math.max(0.001, (now - startedAt) / 1000))}/s`
    case 'done': return `done ${ago(endedAt, now)}, took ${formatDuration(endedAt - startedAt)}`
    case 'failed': return `failed ${ago(endedAt, now)}: ${escapeName(error?.message ?? 'no reason was told')} (${error?.code ?? 'ERR_UNKNOWN'})`
  }
}

function amount ({ bytes, size, state }: TransferActivity): string {
  if (size === undefined || state === 'done') return formatBytes(bytes)
  return `${formatBytes(bytes)} of ${formatBytes(size)}${size > 0 ? ` (${Math.floor(bytes / size * 100)} %)` : ''}`
}

function ago (then: number, now: number): string {
  return `${formatDuration(Math.max(0, now - then))} ago`
}
