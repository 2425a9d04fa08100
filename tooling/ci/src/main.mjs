/**
 * Runs every test of the workspace under turbo and says what really ran. Arguments go to turbo: `--filter=@ropewalk/flow`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { failures } from './failures.mjs'
import { table } from './table.mjs'
import { linesOf, tally } from './tally.mjs'

// Hundreds of processes load the same modules: with this, each is compiled once.
const COMPILED = mkdtempSync(join(tmpdir(), 'ropewalk-compiled-'))
process.on('exit', () => rmSync(COMPILED, { recursive: true, force: true }))

// Rounds of the tests that kill processes: what fits the time that the tests may take. A run in full has 50 or more, as each says.
const ENVIRONMENT = { ROPEWALK_ROUNDS: '6', NODE_COMPILE_CACHE: COMPILED, ...process.env, TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1', FORCE_COLOR: '0' }
const args = ['run', 'test', ...process.argv.slice(2)]

const planned = plan()
const { lines, exitCode } = await run()
const result = tally(lines, planned, exitCode)

for (const { name, failed } of result.rows) if (failed > 0) show(name, failures(linesOf(lines, name, 'test')))
for (const task of brokenBuilds()) show(task, linesOf(lines, task, 'build'))
console.log(table(result))
process.exitCode = result.failed > 0 || result.passed === 0 ? 1 : 0

// Packages with a test script; without asking first, a package that turbo left out would not be missed.
function plan () {
  const { status, stdout, stderr } = spawnSync('turbo', [...args, '--dry=json'], { env: ENVIRONMENT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) {
    console.error(stderr || stdout)
    console.log('0 passed, 1 failed')
    process.exit(1)
  }
  const { tasks } = JSON.parse(stdout)
  return tasks.filter(({ task, command }) => task === 'test' && command !== '<NONEXISTENT>').map(task => task.package).sort()
}

async function run () {
  const turbo = spawn('turbo', [...args, '--ui=stream', '--log-order=grouped', '--log-prefix=task', '--continue=dependencies-successful', '--concurrency=2'], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise(resolve => turbo.once('exit', code => resolve(code ?? 1)))
  const lines = []
  for await (const line of createInterface({ input: turbo.stdout, crlfDelay: Infinity })) {
    lines.push(stripVTControlCharacters(line))
    if (/:test: # time=/.test(lines.at(-1))) console.error(lines.at(-1).replace(/:test: # time=.*/, ' done'))
  }
  return { lines, exitCode: await exited }
}

function brokenBuilds () {
  return lines.flatMap(line => /^\s*Failed:\s+(.*)$/.exec(line)?.[1].split(/,\s*/) ?? []).flatMap(task => /^(.*)#build$/.exec(task)?.[1] ?? [])
}

function show (name, output) {
  console.log(`\n== ${name}\n${output.join('\n')}\n`)
}
