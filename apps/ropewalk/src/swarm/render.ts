/**
 * The replication of files as a table that a person can read: a bar a file.
 *
 * @module
 */
import type { FileStatus } from '@ropewalk/protocol-torronto'
import { DEFAULT_COLUMNS } from '../progress/live-screen.ts'
import type { Paint } from '../progress/render-tty.ts'
import { column, fit } from '../width.ts'
import { shown } from './words.ts'

export interface SwarmFrame {
  /** How many copies there can be. */
  readonly peers: number
  readonly columns?: number | undefined
  /** Of the terminal, where more than them would not be seen. */
  readonly rows?: number | undefined
  readonly paint: Paint
}

/** Columns of a bar, and of a name at least. Ours. */
const BAR_COLUMNS = 16
const NAME_COLUMNS = 12

/** Columns of the numbers and of what stands between. */
const NUMBER_COLUMNS = 21

/** One line a file, below a line of headings; in a terminal that is too narrow for it, without the bar. */
export function renderSwarm (files: readonly FileStatus[], { peers, columns = DEFAULT_COLUMNS, rows = Infinity, paint }: SwarmFrame): string[] {
  if (files.length === 0) return [fit('No files yet: "ropewalk swarm insert FILE" puts one in.', columns - 1)]
  const bars = columns - 1 >= NAME_COLUMNS + 2 + BAR_COLUMNS + NUMBER_COLUMNS
  const nameColumns = Math.max(1, Math.min(40, columns - 1 - (bars ? 2 + BAR_COLUMNS : 0) - NUMBER_COLUMNS))
  const heading = `${column('file', nameColumns)}${bars ? `  ${column('copies', BAR_COLUMNS)}` : ''}  ${column('mean', 5)} ${column('least', 5)} here`
  // One row for the headings, one for the cursor, and one for what is not shown.
  const some = files.length > rows - 2 ? files.slice(0, Math.max(0, rows - 3)) : files
  const lines = some.map(({ name, local, leastReplication, weightedLeastReplication }) => {
    const filled = Math.round(Math.min(1, weightedLeastReplication / Math.max(1, peers)) * BAR_COLUMNS)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_COLUMNS - filled)
    const painted = paint(leastReplication >= peers ? 'green' : leastReplication >= 1 ? 'yellow' : 'red', bar)
    return `${column(shown(name), nameColumns)}${bars ? `  ${painted}` : ''}  ${column(weightedLeastReplication.toFixed(1), 5)} ${column(`${leastReplication}/${peers}`, 5)} ${Math.floor(local * 100)} %`
  })
  const hidden = files.length - some.length
  return [heading, ...lines, ...hidden > 0 ? [paint('dim', fit(`… and ${hidden} more`, columns - 1))] : []]
}

/** The same of one file, for programs: name, copies in the mean, copies of the rarest chunk, peers, and the share of it that is here. */
export function rowOf ({ name, local, leastReplication, weightedLeastReplication }: FileStatus, peers: number): string[] {
  return [shown(name), weightedLeastReplication.toFixed(1), String(leastReplication), String(peers), local.toFixed(2)]
}
