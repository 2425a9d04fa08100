/**
 * What we want of `ropewalk`. Reported beside the figures, never a reason to fail.
 *
 * @module
 */
import type { Row } from './measure.ts'

export interface Goal {
  readonly case: string
  readonly metric: string
  readonly subject: string
  /** Which number of the row is meant. */
  readonly of: 'ratio' | 'median'
  /** The number must be at least, or at most, this. */
  readonly bound: 'least' | 'most'
  readonly goal: number
  /** What we would like beyond the goal. */
  readonly aim?: number
}

const OURS = 'ropewalk'

export const GOALS: readonly Goal[] = [
  { case: 'bulk-1', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9, aim: 1.05 },
  { case: 'bulk-100', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9, aim: 1 },
  { case: 'small-1', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 2 },
  { case: 'small-100', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 2 },
  { case: 'ping', metric: 'p50', subject: OURS, of: 'ratio', bound: 'most', goal: 1.3, aim: 1.05 },
  { case: 'ping', metric: 'cpu', subject: OURS, of: 'median', bound: 'most', goal: 60 },
  { case: 'open-1', metric: 'rate', subject: OURS, of: 'median', bound: 'least', goal: 10_000 },
  { case: 'open-32', metric: 'rate', subject: OURS, of: 'median', bound: 'least', goal: 100_000 },
  { case: 'beside', metric: 'p99', subject: OURS, of: 'median', bound: 'most', goal: 300 },
  { case: 'beside', metric: 'bulk', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9 },
  ...['server', 'client'].flatMap((role): Goal[] => [
    { case: 'idle', metric: `heap, ${role}`, subject: OURS, of: 'median', bound: 'most', goal: 700 },
    { case: 'idle', metric: `RSS, ${role}`, subject: OURS, of: 'median', bound: 'most', goal: 2000 }
  ]),
  { case: 'sleeper', metric: 'RSS growth, reader', subject: OURS, of: 'median', bound: 'most', goal: 8.4 },
  { case: 'sleeper', metric: 'RSS growth, sender', subject: OURS, of: 'median', bound: 'most', goal: 8.4 },
  { case: 'sleeper', metric: 'beside it', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9 }
]

export function goalOf (row: Pick<Row, 'case' | 'metric'>): Goal | undefined {
  return GOALS.find(goal => goal.case === row.case && goal.metric === row.metric)
}

export type Verdict = 'missed' | 'met' | 'beyond'

/** Undefined where no goal is set, or where there is no number to judge. */
export function judge (row: Row): Verdict | undefined {
  const goal = goalOf(row)
  const value = goal === undefined ? null : row[goal.of]
  if (goal === undefined || goal.subject !== row.subject || value === null) return undefined
  const reaches = (bound: number): boolean => goal.bound === 'least' ? value >= bound : value <= bound
  if (!reaches(goal.goal)) return 'missed'
  return goal.aim !== undefined && reaches(goal.aim) ? 'beyond' : 'met'
}
