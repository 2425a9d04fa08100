/**
 * `node test/bundled.ts [ARGUMENT]...`: runs tap on the tests, which start the programs by the hundred. What each of them would load as several hundred
 * modules is bundled once, from the sources as they are: such a process starts in half of the time. `tap` alone does the same with the sources themselves.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { glob, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const APP = new URL('..', import.meta.url)

const PACKAGES = new URL('../../packages/', APP)

const at = await mkdtemp(join(tmpdir(), 'ropewalk-bundled-'))
// Whoever interrupts us interrupts tap too, which ends then.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
try {
  await bundle(join(at, 'app/programs'))
  const env = { NODE_COMPILE_CACHE: join(at, 'compiled'), ...process.env, ROPEWALK_BUNDLE: join(at, 'app/programs') }
  const [code] = await once(spawn('tap', process.argv.slice(2), { stdio: 'inherit', env }), 'exit') as [number | null]
  process.exitCode = code ?? 1
} finally {
  await rm(at, { recursive: true, force: true })
}

/** Beside `to` lie the files that the programs read, as beside their sources. */
async function bundle (to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  await symlink(fileURLToPath(new URL('package.json', APP)), join(to, '../package.json'))
  await symlink(fileURLToPath(new URL('page', APP)), join(to, '../../page'))
  const build = await rolldown({
    input: await entries(),
    platform: 'node',
    resolve: { conditionNames: ['@ropewalk/source', 'import', 'default'] },
    external: /\.node$/,
    logLevel: 'silent'
  })
  await build.write({ dir: to, format: 'esm' })
  await build.close()
}

/** The programs, and what they start as threads of their own, by the names that they are looked for under. */
async function entries (): Promise<Record<string, string>> {
  const found = new Map(['main', 'main-casync'].map(name => [name, fileURLToPath(new URL(`src/${name}.ts`, APP))]))
  for await (const path of glob('*/src/**/{*-thread,*-worker,worker}.ts', { cwd: fileURLToPath(PACKAGES) })) {
    const name = basename(path, '.ts')
    if (found.has(name)) throw new Error(`two threads are called ${name}: ${found.get(name)} and ${path}`)
    found.set(name, fileURLToPath(new URL(path, PACKAGES)))
  }
  return Object.fromEntries(found)
}
