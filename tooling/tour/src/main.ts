/**
 * Follows the README, and ends with `N passed, N failed`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isLike, stepsOf, type Step } from './readme.ts'
import { openRegistry, type Packed } from './registry.ts'
import { Terminal } from './terminal.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** From the first command to the first file that was received. Ours: longer, and somebody looks elsewhere. */
const FIRST_FILE_SECONDS = 60

const scene = mkdtempSync(join(tmpdir(), 'ropewalk-tour-'))
let [passed, failed] = [0, 0]
try {
  await follow(stepsOf(readFileSync(join(ROOT, 'README.md'), 'utf8')))
} catch (error) {
  console.error(error)
  failed++
} finally {
  rmSync(scene, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

async function follow (steps: readonly Step[]): Promise<void> {
  check(steps.length > 0, 'the README has blocks of a tour')
  const real = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', cwd: tmpdir() }).trim()
  const registry = await openRegistry(packAll(), real)
  const home = join(scene, 'home')
  mkdirSync(home)
  const path = (process.env['PATH'] ?? '').split(':').filter(part => !part.includes('node_modules'))
  // How this machine reaches the network is not the new user's business.
  const network = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(node_extra_ca_certs|ssl_cert_(file|dir)|(https?|no)_proxy|npm_config_(ca|cafile|(https-?)?proxy|strict_ssl))$/i.test(name)))
  const env = {
    ...network,
    HOME: home, PATH: [join(scene, 'installed/bin'), dirname(process.execPath), ...path].join(':'), LANG: 'C.UTF-8', TERM: 'dumb', npm_config_registry: registry.url, npm_config_prefix: join(scene, 'installed'), npm_config_cache: join(scene, 'cache'),
    npm_config_fund: 'false', npm_config_audit: 'false', npm_config_update_notifier: 'false'
  }
  const terminals = new Map<string, Terminal>()
  const began = performance.now()
  let received: number | undefined
  try {
    for (const [index, step] of steps.entries()) {
      const terminal = terminals.get(step.terminal) ?? new Terminal(home, env)
      terminals.set(step.terminal, terminal)
      // The last command of a terminal that another one follows goes on: it is a server.
      const stays = steps[index + 1] !== undefined && steps[index + 1]?.terminal !== step.terminal && !steps.slice(index + 1).some(later => later.terminal === step.terminal)
      await take(terminal, step, stays)
      if (received === undefined && /^ropewalk get /.test(step.command)) received = (performance.now() - began) / 1000
    }
    check(received !== undefined && received < FIRST_FILE_SECONDS, `the first file was received ${received?.toFixed(1) ?? 'never,'} s after the first command, installation included; it may take ${FIRST_FILE_SECONDS} s`)
  } finally {
    for (const terminal of terminals.values()) console.log(indent(await terminal.interrupt()))
    await registry.close()
  }
}

async function take (terminal: Terminal, { terminal: name, command, prints }: Step, stays: boolean): Promise<void> {
  console.log(`${name}$ ${command}`)
  const isThere = (output: string): boolean => prints.every(announced => output.split('\n').some(line => isLike(line, announced)))
  const { exit, output } = await terminal.type(command, stays ? isThere : undefined)
  console.log(indent(output))
  check(exit === 0, `exit code ${exit}: ${command}`)
  for (const announced of prints) check(output.split('\n').some(line => isLike(line, announced)), `prints: ${announced}`)
}

/** Packs everything that is published, as it stands here. */
function packAll (): Packed[] {
  return ['packages', 'apps'].flatMap(parent => readdirSync(join(ROOT, parent)).map(name => join(ROOT, parent, name))).filter(folder => existsSync(join(folder, 'package.json'))).flatMap(folder => {
    const { private: kept, name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { private?: boolean, name: string }
    if (kept === true) return []
    const { status, stdout, stderr } = spawnSync('pnpm', ['pack', '--json', '--pack-destination', scene], { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${name} cannot be packed\n${stdout}${stderr}`)
    const tarball = (JSON.parse(stdout) as { filename: string }).filename
    // What is in it counts: there the versions of our packages are written out.
    const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })) as Packed['manifest']
    return [{ manifest, tarball }]
  })
}

function check (is: boolean, what: string): void {
  if (is) passed++
  else failed++
  console.log(`${is ? 'ok' : 'NOT OK'} - ${what}`)
}

function indent (text: string): string {
  return text.trimEnd().split('\n').map(line => `    ${line}`).join('\n')
}
