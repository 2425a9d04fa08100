/**
 * Who takes part: ours from the sources, casync from the machine, desync from its module.
 *
 * @module
 */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SOURCES = fileURLToPath(new URL('../../../apps/ropewalk/src/', import.meta.url))
const MODULE = fileURLToPath(new URL('../go/', import.meta.url))
const OURS = [process.execPath, '--conditions=@ropewalk/source']

/** No program here takes longer than that for anything that it is asked. */
const TIMEOUT_MS = 300_000

export interface Programs {
  readonly casync: boolean
  /** Its path. */
  readonly desync: string | undefined
  /** Runs one of them in the folder of the work. */
  run (who: 'ours' | 'casync' | 'desync', args: readonly string[], remote?: 'ours' | 'casync' | 'desync'): Promise<string>
}

export async function findPrograms (work: string): Promise<Programs> {
  const casync = has('casync', '--version') || (installCasync() && has('casync', '--version'))
  if (!casync) console.log('SKIPPED: casync is not installed, and cannot be (apt-get install casync): nothing about it is proved')
  const desync = buildDesync(join(work, 'desync'))
  if (desync === undefined) console.log('SKIPPED: desync could not be built (Go, and its module, are needed): nothing about it is proved')

  const ssh = join(work, 'ssh')
  writeFileSync(ssh, '#!/bin/sh\nwhile [ "$1" != -- ]; do\n  case "$1" in -o) shift 2 ;; -*) shift ;; *) break ;; esac\ndone\n[ "$1" = -- ] && shift\nshift\nexec sh -c "$*"\n', { mode: 0o755 })
  const remotes = { ours: [...OURS, join(SOURCES, 'main-casync.ts')].join(' '), casync: 'casync', desync: desync ?? 'desync' }
  const commands = { ours: [...OURS, join(SOURCES, 'main.ts'), 'casync'], casync: ['casync'], desync: [desync ?? 'desync'] }
  return {
    casync,
    desync,
    async run (who, args, remote = 'casync') {
      const [program = '', ...before] = commands[who]
      const env = { ...process.env, CASYNC_SSH_PATH: ssh, CASYNC_REMOTE_PATH: remotes[remote], TMPDIR: work, NO_COLOR: '1' }
      const { stdout } = await run(program, [...before, ...args], { cwd: work, env, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 })
      return stdout
    }
  }
}

function installCasync (): boolean {
  if (process.getuid?.() !== 0 || !has('apt-get', '--version')) return false
  const options = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
  return spawnSync('apt-get', ['update', '-qq'], options).status === 0 && spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'casync', 'attr'], options).status === 0
}

/** As `go.sum` pins it. */
function buildDesync (path: string): string | undefined {
  const go = ['go', '/usr/local/go/bin/go'].find(program => has(program, 'version'))
  if (go === undefined) return undefined
  const { status, stderr } = spawnSync(go, ['build', '-mod=readonly', '-o', path, 'github.com/folbricht/desync/cmd/desync'], { cwd: MODULE, encoding: 'utf8', timeout: 2 * TIMEOUT_MS })
  if (status !== 0) console.log(stderr.trim().split('\n').slice(-3).join('\n'))
  return status === 0 ? path : undefined
}

function has (program: string, word: string): boolean {
  return spawnSync(program, [word], { stdio: 'ignore' }).status === 0
}
