/**
 * Runs one case with every subject in turn, again and again, and makes rows of what came out.
 *
 * @module
 */
import { BASELINE, OURS } from './registry.ts'
import { median } from './statistics.ts'

export interface Case {
  readonly suite: string
  readonly name: string
  /** For people. */
  readonly title: string
  readonly subjects: readonly string[]
  /** Subjects that would belong here. */
  readonly absent: readonly Absent[]
  /** Whom `ropewalk` is compared with besides the baseline, where they are there. */
  readonly peers?: readonly string[]
  run (subject: string, size: Size): Promise<Sample[]>
}

/** A subject that cannot be measured here, and why. */
export interface Absent {
  readonly subject: string
  readonly reason: string
}

export interface Size {
  /** Small enough to see whether it works, too small to trust. */
  readonly quick: boolean
  /** As large as the goals say. */
  readonly full: boolean
  /** Suites casync and warpdrive: MiB of a blob, if others than they say. */
  readonly mib?: number | undefined
  /** Suites casync and warpdrive: files of the tree. */
  readonly files?: number | undefined
}

/** One measurement of one metric. */
export interface Sample {
  readonly metric: string
  readonly unit: string
  readonly value: number
  /** Of both processes together, for what was measured. */
  readonly cpuSeconds: number
  /** The highest of the larger of the two processes. */
  readonly rssBytes: number
}

/** What `--json` writes. */
export interface Row {
  suite: string
  case: string
  subject: string
  metric: string
  unit: string
  median: number
  min: number
  max: number
  /** Median of the ratios to `ratioTo` in the same repetition; null where there is nothing to divide by. */
  ratio: number | null
  ratioTo: string
  cpuSeconds: number
  rssBytes: number
}

export interface Failure {
  case: string
  subject: string
  error: Error
}

export interface Progress {
  began (what: Case, subject: string, repetition: number, repetitions: number): void
}

/** A B C, A B C, …: so that what else the machine does hits all alike. A subject that fails is left out from then on. */
export async function measure (what: Case, options: { repetitions: number, size: Size, progress: Progress }): Promise<{ rows: Row[], failures: Failure[] }> {
  const { repetitions, size, progress } = options
  const samples: Array<Map<string, Sample[]>> = []
  const failures: Failure[] = []

  for (let repetition = 0; repetition < repetitions; repetition++) {
    const round = new Map<string, Sample[]>()
    for (const subject of what.subjects) {
      if (failures.some(failure => failure.subject === subject)) continue
      progress.began(what, subject, repetition, repetitions)
      try {
        round.set(subject, await what.run(subject, size))
      } catch (error) {
        failures.push({ case: what.name, subject, error: error as Error })
      }
    }
    samples.push(round)
  }

  const subjects = what.subjects.filter(subject => samples[0]?.has(subject))
  const rows = subjects.flatMap(subject => {
    const peers = subject === OURS ? (what.peers ?? []).filter(peer => subjects.includes(peer)) : []
    return [BASELINE, ...peers].flatMap(ratioTo => rowsOf(what, subject, ratioTo, samples))
  })
  return { rows, failures }
}

function rowsOf (what: Case, subject: string, ratioTo: string, rounds: ReadonlyArray<Map<string, Sample[]>>): Row[] {
  const metrics = rounds[0]?.get(subject) ?? []
  return metrics.map(({ metric, unit }) => {
    const found = rounds.flatMap(round => {
      const sample = find(round, subject, metric)
      return sample === undefined ? [] : [{ sample, baseline: find(round, ratioTo, metric) }]
    })
    const values = found.map(({ sample }) => sample.value)
    const ratios = found.flatMap(({ sample, baseline }) => baseline !== undefined && baseline.value > 0 ? [sample.value / baseline.value] : [])
    return {
      suite: what.suite,
      case: what.name,
      subject,
      metric,
      unit,
      median: rounded(median(values)),
      min: rounded(Math.min(...values)),
      max: rounded(Math.max(...values)),
      ratio: ratios.length === 0 ? null : rounded(median(ratios)),
      ratioTo,
      cpuSeconds: rounded(median(found.map(({ sample }) => sample.cpuSeconds))),
      rssBytes: Math.round(median(found.map(({ sample }) => sample.rssBytes)))
    }
  })
}

function find (round: ReadonlyMap<string, Sample[]>, subject: string, metric: string): Sample | undefined {
  return round.get(subject)?.find(sample => sample.metric === metric)
}

function rounded (value: number): number {
  return Number(value.toPrecision(5))
}
