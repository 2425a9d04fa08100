/**
 * What was measured, in columns.
 *
 * @module
 */
export interface Row {
  readonly what: string
  readonly files?: number | undefined
  readonly bytes?: number | undefined
  readonly ms?: number | undefined
  readonly channels?: number | undefined
  readonly memory?: number | undefined
}

const MIB: number = 1024 * 1024

const HEADER: readonly string[] = ['', 'files', 'MiB', 'seconds', 'MB/s', 'channels', 'peak MiB']

export function renderTable (rows: readonly Row[]): string {
  const cells = [HEADER, ...rows.map(({ what, files, bytes, ms, channels, memory }) => [
    what,
    text(files, 0),
    text(bytes === undefined ? undefined : bytes / MIB, 1),
    text(ms === undefined ? undefined : ms / 1000, 1),
    text(bytes === undefined || ms === undefined ? undefined : bytes / 1000 / ms, 0),
    text(channels, 0),
    text(memory === undefined ? undefined : memory / MIB, 0)
  ])]
  const widths = HEADER.map((_, column) => Math.max(...cells.map(row => (row[column] as string).length)))
  return cells.map(row => `  ${row.map((cell, column) => column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number)).join('  ').trimEnd()}\n`).join('')
}

function text (value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits)
}
