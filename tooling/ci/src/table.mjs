/**
 * The rows as text, and last the line that counts: `12 passed, 0 failed`.
 *
 * @param {{ rows: import('./tally.mjs').Row[], passed: number, failed: number }} result
 * @returns {string}
 */
export function table ({ rows, passed, failed }) {
  const cells = [
    ['package', 'passed', 'failed', 'skipped', 'seconds'],
    ...rows.map(row => [row.name, row.passed, row.failed, row.skipped, row.seconds.toFixed(1)].map(String))
  ]
  const widths = cells[0].map((_, column) => Math.max(...cells.map(row => row[column].length)))
  const lines = cells.map(row => row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column] + 2)).join(''))
  const problems = rows.flatMap(row => row.problems.map(problem => `${row.name} ${problem}`))
  return [...lines, '', ...problems, `${passed} passed, ${failed} failed`].join('\n')
}
