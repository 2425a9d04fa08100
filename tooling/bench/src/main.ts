/**
 * `bench [SUITE]...`: measures the built packages and prints a table.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { measure, type Case, type Failure, type Row } from './measure.ts'
import { BASELINE, SUBJECTS } from './registry.ts'
import { muxCases } from './suites/mux.ts'
import { render, summary } from './table.ts'

const HELP = `bench [SUITE|SUITE/CASE]...  speed and memory of the built packages, as ratios to a raw socket in the same run

  --json FILE         write the rows as a JSON array
  --reps N            repetitions, interleaved (default 5; with --quick 3)
  --quick             small sizes: shows whether it works, not how fast it is
  --subjects A,B      only these, beside ${BASELINE}
  --list              suites, cases and subjects
`

process.exitCode = await main()

async function main (): Promise<number> {
  let options
  try {
    options = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        reps: { type: 'string' },
        quick: { type: 'boolean', default: false },
        subjects: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false }
      }
    })
  } catch (error) {
    return usage((error as Error).message)
  }
  const { values, positionals } = options
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }

  const repetitions = Number(values.reps ?? (values.quick ? 3 : 5))
  if (!Number.isInteger(repetitions) || repetitions < 1) return usage(`--reps ${values.reps ?? ''}: a whole number of at least 1`)
  const wanted = values.subjects?.split(',') ?? Object.keys(SUBJECTS)
  const unknown = wanted.find(name => !Object.hasOwn(SUBJECTS, name))
  if (unknown !== undefined) return usage(`no subject ${unknown}; there are ${Object.keys(SUBJECTS).join(', ')}`)
  const subjects = await available(wanted)
  const all = muxCases(subjects)
  const strange = positionals.find(name => !all.some(each => matches(each, name)))
  if (strange !== undefined) return usage(`no suite or case ${strange}; see --list`)

  const cases = all.filter(each => positionals.length === 0 || positionals.some(name => matches(each, name)))
  if (values.list) {
    list(cases)
    return 0
  }
  const rows = await run(cases, repetitions, values.quick)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
  return 0
}

async function run (cases: readonly Case[], repetitions: number, quick: boolean): Promise<Row[]> {
  const rows: Row[] = []
  const failures: Failure[] = []
  for (const each of cases) {
    const result = await measure(each, { repetitions, size: { quick }, progress: { began } })
    erase()
    process.stdout.write(`${render(each, result.rows)}\n`)
    rows.push(...result.rows)
    failures.push(...result.failures)
    for (const { subject, error } of result.failures) process.stdout.write(`  ${subject.padEnd(24)}failed: ${error.message.split('\n', 1)[0] ?? ''}\n`)
  }
  process.stdout.write(`${summary(rows)}\n`)
  if (failures.length > 0) process.stdout.write(`not measured: ${failures.map(({ case: name, subject }) => `${name} of ${subject}`).join(', ')}\n`)
  return rows
}

function matches (each: Case, name: string): boolean {
  return name === each.suite || name === each.name || name === `${each.suite}/${each.name}`
}

/** Those that can run here, in the order of the table, the baseline always among them. */
async function available (wanted: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const [name, entry] of Object.entries(SUBJECTS)) {
    if (name !== BASELINE && !wanted.includes(name)) continue
    if (await entry.available?.() !== false) found.push(name)
  }
  return found
}

function list (cases: readonly Case[]): void {
  for (const each of cases) process.stdout.write(`${`${each.suite}/${each.name}`.padEnd(20)}${each.title}\n`)
  process.stdout.write('\n')
  for (const [name, { about }] of Object.entries(SUBJECTS)) process.stdout.write(`${name.padEnd(20)}${about}\n`)
}

function began (what: Case, subject: string, repetition: number, repetitions: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what.suite}/${what.name} ${repetition + 1}/${repetitions} ${subject}`)
}

function erase (): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}

function usage (message: string): number {
  process.stderr.write(`bench: ${message}\n\n${HELP}`)
  return 2
}
