/**
 * The replication of files as a table that a person can read: a bar a file.
 *
 * @module
 */
import { styleText } from 'node:util'
import type { FileStatus } from '@ropewalk/protocol-torronto'
import { escapeName } from '@ropewalk/receive'
import { column } from '../width.ts'

/** Columns of a bar. Ours. */
const BAR_COLUMNS = 16

/** One line a file, below a line of headings. `peers` is how many copies there can be. */
export function renderSwarm (files: readonly FileStatus[], peers: number, columns: number, colour: boolean): string[] {
  if (files.length === 0) return ['No files yet: "ropewalk swarm insert FILE" puts one in.']
  const nameColumns = Math.max(12, Math.min(40, columns - BAR_COLUMNS - 32))
  const heading = `${column('file', nameColumns)}  ${column('copies', BAR_COLUMNS)}  ${column('mean', 5)} ${column('least', 5)} here`
  const lines = files.map(({ name, local, leastReplication, weightedLeastReplication }) => {
    const filled = Math.round(Math.min(1, weightedLeastReplication / Math.max(1, peers)) * BAR_COLUMNS)
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_COLUMNS - filled)
    const style = leastReplication >= peers ? 'green' : leastReplication >= 1 ? 'yellow' : 'red'
    const painted = colour ? styleText(style, bar, { validateStream: false }) : bar
    return `${column(escapeName(name.replace(/^files\//, '')), nameColumns)}  ${painted}  ${column(weightedLeastReplication.toFixed(1), 5)} ${column(`${leastReplication}/${peers}`, 5)} ${Math.floor(local * 100)} %`
  })
  return [heading, ...lines]
}
