/**
 * `node test/bundled.ts [ARGUMENT]...`: runs tap on the tests, which start the programs by the hundred. What each of them would load as several hundred
 * modules is bundled once, from the sources as they are: such a process starts in half of the time. `tap` alone does the same with the sources themselves.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const APP = new URL('..', import.meta.url)

/** The programs, and what they start as threads of their own, by the names that they are looked for under. */
const ENTRIES = {
  main: 'src/main.ts',
  'main-casync': 'src/main-casync.ts',
  worker: '../../packages/ledger-sqlite/src/worker.ts',
  'sqlite-worker': '../../packages/protocol-warpdrive/src/node/sqlite-worker.ts',
  'intake-thread': '../../packages/store-castr/src/intake-thread.ts',
  'outlet-thread': '../../packages/store-castr/src/outlet-thread.ts'
}

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
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, fileURLToPath(new URL(path, APP))])),
    platform: 'node',
    resolve: { conditionNames: ['@ropewalk/source', 'import', 'default'] },
    external: /\.node$/,
    logLevel: 'silent'
  })
  await build.write({ dir: to, format: 'esm' })
  await build.close()
}
