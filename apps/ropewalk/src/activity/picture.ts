/**
 * What a node does now, for a terminal on which it is drawn again and again. Pure.
 *
 * @module
 */
import { plural } from '../format.ts'
import { fit, wrap } from '../width.ts'
import type { ConnectionActivity, TransferActivity } from './activity.ts'
import { connectionResult, transferResult } from './words.ts'

export interface Seen {
  readonly transfers: readonly TransferActivity[]
  readonly connections: readonly ConnectionActivity[]
}

/** Transfers of a picture; of more, the newest are shown. Ours. */
const MAX_DRAWN = 64

/** Every line is narrower than the terminal, and there are fewer than it has rows. */
export function picture ({ transfers, connections }: Seen, { columns, rows }: { readonly columns: number, readonly rows: number }, now: number): string[] {
  const open = transfers.filter(({ endedAt }) => endedAt === undefined)
  const fitted = (lines: readonly string[]): string[] => lines.flatMap(line => wrap(line, columns - 1).split('\n')).map(line => fit(line, columns - 1))
  const last = fitted([`${heading(open.length, connections.length)}; Ctrl-C stops watching, and nothing else`])
  const lines = fitted([...open.slice(-MAX_DRAWN).flatMap(transfer => transferResult(transfer, now).lines), ...connections.slice(-MAX_DRAWN).flatMap(connection => connectionResult(connection, now).lines)])
  return [...lines.slice(0, Math.max(0, rows - 1 - last.length)), ...last]
}

export function heading (transfers: number, connections: number): string {
  return `${plural(transfers, 'transfer')} under way, ${plural(connections, 'connection')}`
}
