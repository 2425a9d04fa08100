/**
 * `bench [SUITE]...`: measures the built packages and prints a table.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { measure, type Absent, type Case, type Failure, type Row, type Size } from './measure.ts'
import { BASELINE, SUBJECTS } from './registry.ts'
import { CONTENDERS } from './casync/contenders.ts'
import { casyncCases } from './suites/casync.ts'
import { ipcCases, UPLOADERS } from './suites/ipc.ts'
import { muxCases } from './suites/mux.ts'
import { SPREADERS, swarmCases } from './suites/swarm.ts'
import { transferCases } from './suites/transfer.ts'
import { warpdriveCases } from './suites/warpdrive.ts'
import { render, summary } from './table.ts'
import { Files } from './transfer/files.ts'
import { install } from './installed.ts'
import { MOVERS } from './transfer/movers.ts'
import { Routes } from './warpdrive/routes.ts'
import { SENDERS } from './warpdrive/senders.ts'

const HELP = `bench [SUITE|CASE|SUITE/CASE]...  speed and memory of the built packages, as ratios to a raw socket in the same run

  --json FILE         write the rows as a JSON array
  --reps N            repetitions, interleaved (default 5; with --quick 3)
  --quick             small sizes: shows whether it works, not how fast it is
  --full              suite transfer: 10,000 small files
  --subjects A,B      only these, beside ${BASELINE}
  --mib N             suites casync and warpdrive: size of the blobs (default 1024 and 2048; with --quick 64 and 256)
  --files N           suites casync and warpdrive: files of the tree
  --dir DIR           suites transfer, casync, warpdrive and swarm: where the files lie (default: the system's folder for temporary files)
  --install           the same: first install what is missing for a comparison, with apt-get
  --list              suites, cases and subjects
`

// Whoever reads may stop reading, as `head` does. What runs ends with us, and what was made is removed.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

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
        full: { type: 'boolean', default: false },
        subjects: { type: 'string' },
        mib: { type: 'string' },
        files: { type: 'string' },
        dir: { type: 'string', default: tmpdir() },
        install: { type: 'boolean', default: false },
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
  const [mib, count] = (['mib', 'files'] as const).map(name => values[name] === undefined ? undefined : Number(values[name]))
  for (const number of [mib, count]) if (number !== undefined && !(Number.isInteger(number) && number >= 1)) return usage(`--mib or --files ${number}: a whole number of at least 1`)
  const names = [...new Set([SUBJECTS, MOVERS, UPLOADERS, CONTENDERS, SENDERS, SPREADERS].flatMap(entries => Object.keys(entries)))]
  const wanted = values.subjects?.split(',') ?? names
  const unknown = wanted.find(name => !names.includes(name))
  if (unknown !== undefined) return usage(`no subject ${unknown}; there are ${names.join(', ')}`)

  if (values.install) await installFor(wanted)
  const muxers = await present(SUBJECTS, wanted)
  const movers = await present(MOVERS, wanted)
  const contenders = await present(CONTENDERS, wanted)
  const senders = await present(SENDERS, wanted)
  let files: Files | undefined
  const onDisk = (): Files => files ??= new Files(values.dir)
  let routes: Routes | undefined
  const all = [
    ...muxCases(muxers.subjects, muxers.absent),
    ...transferCases(movers.subjects, movers.absent, onDisk),
    ...ipcCases(wanted),
    ...casyncCases(contenders.subjects, contenders.absent, values.dir),
    ...warpdriveCases(senders.subjects, senders.absent, () => routes ??= new Routes(values.dir)),
    ...swarmCases(wanted, onDisk)
  ]
  const strange = positionals.find(name => !all.some(each => matches(each, name)))
  if (strange !== undefined) return usage(`no suite or case ${strange}; see --list`)
  const cases = all.filter(each => positionals.length === 0 || positionals.some(name => matches(each, name)))
  if (values.list) {
    list(cases)
    return 0
  }

  try {
    const rows = await run(cases, repetitions, { quick: values.quick, full: values.full, mib, files: count })
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
  } finally {
    files?.remove()
    routes?.remove()
  }
  return 0
}

async function run (cases: readonly Case[], repetitions: number, size: Size): Promise<Row[]> {
  const rows: Row[] = []
  const failures: Failure[] = []
  for (const each of cases) {
    const result = await measure(each, { repetitions, size, progress: { began } })
    erase()
    process.stdout.write(`${render(each, result.rows, result.failures)}\n`)
    rows.push(...result.rows)
    failures.push(...result.failures)
  }
  process.stdout.write(`${summary(rows)}\n`)
  if (failures.length > 0) process.stdout.write(`not measured: ${failures.map(({ case: name, subject }) => `${name} of ${subject}`).join(', ')}\n`)
  return rows
}

function matches (each: Case, name: string): boolean {
  return name === each.suite || name === each.name || name === `${each.suite}/${each.name}`
}

interface Present {
  readonly subjects: string[]
  readonly absent: Absent[]
}

/** Those that can run here, in the order of the table, the baseline always among them; and those that cannot. */
async function present (entries: Readonly<Record<string, { missing?: (() => Promise<string | undefined>) | undefined }>>, wanted: readonly string[]): Promise<Present> {
  const found: Present = { subjects: [], absent: [] }
  for (const [subject, entry] of Object.entries(entries)) {
    if (subject !== BASELINE && !wanted.includes(subject)) continue
    const reason = await entry.missing?.()
    if (reason === undefined) found.subjects.push(subject)
    else found.absent.push({ subject, reason })
  }
  return found
}

async function installFor (wanted: readonly string[]): Promise<void> {
  const packages = new Set<string>()
  for (const name of wanted) {
    for (const program of [MOVERS[name], CONTENDERS[name], SENDERS[name]]) {
      if (program?.packages !== undefined && await program.missing?.() !== undefined) for (const each of program.packages) packages.add(each)
    }
  }
  if (packages.size > 0) install([...packages])
}

function list (cases: readonly Case[]): void {
  for (const each of cases) process.stdout.write(`${`${each.suite}/${each.name}`.padEnd(20)}${each.title}\n`)
  for (const [suite, entries] of [['mux', SUBJECTS], ['transfer', MOVERS], ['ipc', UPLOADERS], ['casync', CONTENDERS], ['warpdrive', SENDERS], ['swarm', SPREADERS]] as const) {
    process.stdout.write(`\nsubjects of ${suite}\n`)
    for (const [name, { about }] of Object.entries(entries)) process.stdout.write(`  ${name.padEnd(18)}${about}\n`)
  }
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
