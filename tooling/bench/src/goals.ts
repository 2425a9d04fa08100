/**
 * What we want of `ropewalk`. Reported beside the figures, never a reason to fail.
 *
 * @module
 */
import type { Row } from './measure.ts'
import { BASELINE, OURS } from './registry.ts'

export interface Goal {
  readonly case: string
  readonly metric: string
  readonly subject: string
  /** Of the ratio: to whom, if not to the baseline. */
  readonly to?: string
  /** Which number of the row is meant. */
  readonly of: 'ratio' | 'median' | 'rssBytes'
  /** The number must be at least, or at most, this. */
  readonly bound: 'least' | 'most'
  readonly goal: number
  /** What we would like beyond the goal. */
  readonly aim?: number
}

const MIB = 1_048_576

export const GOALS: readonly Goal[] = [
  { case: 'bulk-1', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9, aim: 1.05 },
  { case: 'bulk-100', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9, aim: 1 },
  { case: 'bulk-1', metric: 'throughput', subject: 'ropewalk-sync', of: 'ratio', bound: 'least', goal: 1.5 },
  { case: 'bulk-100', metric: 'throughput', subject: 'ropewalk-sync', of: 'ratio', bound: 'least', goal: 1.5 },
  { case: 'small-1', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 2 },
  { case: 'small-100', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 2 },
  { case: 'upload-unix', metric: 'throughput', subject: OURS, of: 'ratio', bound: 'least', goal: 0.5 },
  { case: 'spread', metric: 'time', subject: OURS, of: 'ratio', to: 'copies', bound: 'most', goal: 1 },
  { case: 'spread', metric: 'sent by the seeder', subject: OURS, of: 'median', bound: 'most', goal: 1.5 },
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
  { case: 'sleeper', metric: 'beside it', subject: OURS, of: 'ratio', bound: 'least', goal: 0.9 },
  ...['put', 'get'].flatMap((verb): Goal[] => [
    { case: 'file-tcp', metric: verb, subject: OURS, of: 'ratio', to: 'rsync', bound: 'least', goal: 1 },
    { case: 'files-tcp', metric: verb, subject: OURS, of: 'ratio', to: 'rsync', bound: 'least', goal: 1 },
    { case: 'file-tls', metric: verb, subject: OURS, of: 'ratio', to: 'scp', bound: 'least', goal: 0.9 },
    ...['file-tcp', 'files-tcp', 'file-tls', 'files-tls'].map((name): Goal => (
      { case: name, metric: verb, subject: OURS, of: 'rssBytes', bound: 'most', goal: 128 * MIB }
    ))
  ]),
  ...casyncGoals(['make-random', 'make-text'], { casync: 1.3, desync: 1 }),
  ...casyncGoals(['extract-random', 'extract-text', 'seed-random'], { casync: 1, desync: 1 }),
  ...casyncGoals(['make-tree', 'extract-tree'], { casync: 1, desync: 1 }),
  ...casyncGoals(['pull-random', 'pull-text'], { casync: 1.5 }),
  // The first lasts, as ours does; the second is what people type.
  ...['rsync', 'rsync-a'].flatMap((to): Goal[] => [
    { case: 'big-file', metric: 'send', subject: OURS, of: 'ratio', to, bound: 'least', goal: 1 },
    { case: 'tree', metric: 'send', subject: OURS, of: 'ratio', to, bound: 'least', goal: 0.8 },
    { case: 'photos', metric: 'send', subject: OURS, of: 'ratio', to, bound: 'least', goal: 1 }
  ]),
  ...['big-file', 'tree', 'photos'].flatMap(name => ['sender', 'receiver'].map((side): Goal => (
    { case: name, metric: `memory, ${side}`, subject: OURS, of: 'median', bound: 'most', goal: 128 }
  )))
]

/** At least so many times as fast as each of them, as they come and until everybody's bytes are on the disk, in little memory whatever the size of the input. */
function casyncGoals (cases: readonly string[], least: Readonly<Record<string, number>>): Goal[] {
  return cases.flatMap((name): Goal[] => [
    ...['speed', 'speed, synced'].flatMap(metric => Object.entries(least).map(([to, goal]): Goal => ({ case: name, metric, subject: OURS, of: 'ratio', to, bound: 'least', goal }))),
    { case: name, metric: 'speed', subject: OURS, of: 'rssBytes', bound: 'most', goal: 160 * MIB }
  ])
}

/** The goals for a metric, whoever they are for. */
export function goalsOf (row: Pick<Row, 'case' | 'metric'>): Goal[] {
  return GOALS.filter(goal => goal.case === row.case && goal.metric === row.metric)
}

export type Verdict = 'missed' | 'met' | 'beyond'

export interface Judgement {
  readonly goal: Goal
  readonly verdict: Verdict
}

/** What the goals for a row say, where there is a number to judge. */
export function judge (row: Row): Judgement[] {
  return goalsOf(row).flatMap(goal => {
    const value = row[goal.of]
    if (goal.subject !== row.subject || (goal.to ?? BASELINE) !== row.ratioTo || value === null) return []
    const reaches = (bound: number): boolean => goal.bound === 'least' ? value >= bound : value <= bound
    const verdict = !reaches(goal.goal) ? 'missed' : goal.aim !== undefined && reaches(goal.aim) ? 'beyond' : 'met'
    return [{ goal, verdict }]
  })
}
