/**
 * The table for people: at most 100 columns, one block a metric, goals beside.
 *
 * @module
 */
import { styleText } from 'node:util'
import { goalOf, judge, type Goal, type Verdict } from './goals.ts'
import type { Case, Row } from './measure.ts'

const WIDTH = 96

const MARKS: Readonly<Record<Verdict, string>> = { missed: styleText('red', 'MISSED'), met: styleText('green', 'ok'), beyond: styleText('green', 'ok +') }

/** The rows of one case. */
export function render (what: Case, rows: readonly Row[]): string {
  const metrics = [...new Set(rows.map(row => row.metric))]
  const title = styleText('bold', `${what.suite}/${what.name}  ${what.title}`)
  return ['', title, ...metrics.flatMap(metric => block(rows.filter(row => row.metric === metric)))].join('\n')
}

/** How many goals were reached, and which were not. */
export function summary (rows: readonly Row[]): string {
  const judged = rows.flatMap(row => {
    const verdict = judge(row)
    return verdict === undefined ? [] : [{ row, verdict }]
  })
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map(({ row }) => `${row.case} ${row.metric}`)
  return `\n${judged.length - missed.length} of ${judged.length} goals reached${missed.length === 0 ? '' : `; missed: ${missed.join(', ')}`}`
}

function block (rows: readonly Row[]): string[] {
  const [first] = rows
  if (first === undefined) return []
  const goal = goalOf(first)
  const head = line([`${first.metric}, ${first.unit}`, 'median', 'min – max', 'ratio', 'CPU s', 'RSS MB', goal === undefined ? '' : wording(goal)])
  return [styleText('dim', head.slice(0, WIDTH + 8)), ...rows.map(row => line([
    row.subject,
    number(row.median),
    `${number(row.min)} – ${number(row.max)}`,
    row.ratio === null ? '–' : row.ratio.toFixed(2),
    row.cpuSeconds.toFixed(2),
    (row.rssBytes / 1e6).toFixed(0),
    mark(row)
  ]))]
}

function line ([name = '', median = '', range = '', ratio = '', cpu = '', rss = '', note = '']: string[]): string {
  return `  ${name.padEnd(24)}${median.padStart(9)}${range.padStart(20)}${ratio.padStart(7)}${cpu.padStart(8)}${rss.padStart(8)}  ${note}`.trimEnd()
}

function wording (goal: Goal): string {
  const sign = goal.bound === 'least' ? '≥' : '≤'
  const aim = goal.aim === undefined ? '' : ` (${String(goal.aim)})`
  return `${goal.of === 'ratio' ? 'ratio ' : ''}${sign} ${goal.goal.toLocaleString('en')}${aim}`
}

function mark (row: Row): string {
  const verdict = judge(row)
  return verdict === undefined ? '' : MARKS[verdict]
}

function number (value: number): string {
  const size = Math.abs(value)
  return value.toLocaleString('en', { maximumFractionDigits: size < 10 ? 2 : size < 100 ? 1 : 0 })
}
