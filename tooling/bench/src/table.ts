/**
 * The table for people: one block a metric, goals beside.
 *
 * @module
 */
import { styleText } from 'node:util'
import { goalsOf, judge, type Goal, type Verdict } from './goals.ts'
import type { Case, Failure, Row } from './measure.ts'
import { BASELINE, OURS } from './registry.ts'

const MARKS: Readonly<Record<Verdict, string>> = { missed: styleText('red', 'MISSED'), met: styleText('green', 'ok'), beyond: styleText('green', 'ok +') }

/** The rows of one case, and who is not among them. */
export function render (what: Case, rows: readonly Row[], failures: readonly Failure[]): string {
  const metrics = [...new Set(rows.map(row => row.metric))]
  const title = styleText('bold', `${what.suite}/${what.name}  ${what.title}`)
  return ['', title, ...metrics.flatMap(metric => block(rows.filter(row => row.metric === metric))), ...absences(what, failures)].join('\n')
}

function absences ({ absent }: Case, failures: readonly Failure[]): string[] {
  return [
    ...absent.map(({ subject, reason }) => `  ${subject.padEnd(24)}${styleText('yellow', 'SKIPPED')}: ${reason}`),
    ...failures.map(({ subject, error }) => `  ${subject.padEnd(24)}${styleText('red', 'FAILED')}: ${error.message.split('\n', 1)[0] ?? ''}`)
  ]
}

/** How many goals were reached, and which were not. */
export function summary (rows: readonly Row[]): string {
  const judged = rows.flatMap(row => judge(row).map(({ goal, verdict }) => ({ row, goal, verdict })))
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map(({ row, goal }) => (
    `${row.case} ${row.metric}${goal.of === 'rssBytes' ? ' memory' : ''}${row.subject === OURS ? '' : ` of ${row.subject}`}`
  ))
  return `\n${judged.length - missed.length} of ${judged.length} goals reached${missed.length === 0 ? '' : `; missed: ${missed.join(', ')}`}`
}

function block (rows: readonly Row[]): string[] {
  const [first] = rows
  if (first === undefined) return []
  const goals = goalsOf(first).map(wording).join('; ')
  const head = line([`${first.metric}, ${first.unit}`, 'median', 'min – max', 'ratio', 'CPU s', 'RSS MB', goals])
  return [styleText('dim', head), ...rows.map(row => row.ratioTo !== BASELINE ? compared(row) : line([
    row.subject,
    number(row.median),
    `${number(row.min)} – ${number(row.max)}`,
    row.ratio === null ? '–' : row.ratio.toFixed(2),
    row.cpuSeconds.toFixed(2),
    (row.rssBytes / 1e6).toFixed(0),
    mark(row)
  ]))]
}

/** Only the ratio is another. */
function compared (row: Row): string {
  return line([`  to ${row.ratioTo}`, '', '', row.ratio === null ? '–' : row.ratio.toFixed(2), '', '', mark(row)])
}

function line ([name = '', median = '', range = '', ratio = '', cpu = '', rss = '', note = '']: string[]): string {
  return `  ${name.padEnd(24)}${median.padStart(9)}${range.padStart(20)}${ratio.padStart(7)}${cpu.padStart(8)}${rss.padStart(8)}  ${note}`.trimEnd()
}

function wording (goal: Goal): string {
  const sign = goal.bound === 'least' ? '≥' : '≤'
  const aim = goal.aim === undefined ? '' : ` (${String(goal.aim)})`
  const what = goal.of === 'rssBytes' ? 'RSS ' : goal.of === 'ratio' ? `ratio${goal.to === undefined ? '' : ` to ${goal.to}`} ` : ''
  const value = goal.of === 'rssBytes' ? goal.goal / 1e6 : goal.goal
  return `${goal.subject === OURS ? '' : `${goal.subject} `}${what}${sign} ${number(value)}${aim}`
}

function mark (row: Row): string {
  return judge(row).map(({ goal, verdict }) => `${MARKS[verdict]}${goal.of === 'rssBytes' ? ' RSS' : ''}`).join(', ')
}

function number (value: number): string {
  const size = Math.abs(value)
  return value.toLocaleString('en', { maximumFractionDigits: size < 10 ? 2 : size < 100 ? 1 : 0 })
}
