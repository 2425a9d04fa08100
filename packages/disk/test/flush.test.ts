import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const LINUX = process.platform === 'linux'
const folder = await mkdtemp(join(tmpdir(), 'disk-flush-'))
const found = process.env.PATH
t.afterEach(() => { process.env.PATH = found })
t.teardown(() => rm(folder, { recursive: true, force: true }))

/** One that has not learnt yet whether there is such a program. */
async function fresh (name: string): Promise<typeof import('../src/flush.ts')> {
  return await import(`../src/flush.ts?${name}`) as typeof import('../src/flush.ts')
}

/** Puts a program before all others that is called `sync`, and notes what it is given. */
async function instead (script: string): Promise<() => Promise<string[]>> {
  await writeFile(join(folder, 'sync'), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${folder}/words'\n${script}\n`)
  await chmod(join(folder, 'sync'), 0o755)
  await rm(join(folder, 'words'), { force: true })
  process.env.PATH = `${folder}:${found}`
  return async () => (await readFile(join(folder, 'words'), 'utf8').catch(() => '')).split('\n').slice(0, -1)
}

t.test('the file system of a path comes to the disk', async t => {
  const { flushFileSystem, startFlush } = await fresh('real')
  await writeFile(join(folder, 'file'), 'rope')
  t.equal(flushFileSystem(folder), LINUX)
  t.equal(await startFlush(join(folder, 'file')), LINUX)
})

t.test('the system is given the path and nothing else, whatever it is called', { skip: !LINUX && 'wants Linux' }, async t => {
  const words = await instead('')
  const { flushFileSystem, startFlush } = await fresh('words')
  t.equal(flushFileSystem('-n a'), true)
  t.equal(await startFlush('-n a'), true)
  t.same(await words(), ['-f', '--', '-n a', '-f', '--', '-n a'])
})

t.test('a program that fails, or is not there, is not asked again', { skip: !LINUX && 'wants Linux' }, async t => {
  for (const way of ['flushFileSystem', 'startFlush'] as const) {
    const words = await instead('exit 1')
    const failing = await fresh(`fails ${way}`)
    t.equal(await failing[way](folder), false)
    t.equal(await failing[way](folder), false)
    t.same(await words(), ['-f', '--', folder], way)
    process.env.PATH = join(folder, 'nothing')
    const missing = await fresh(`missing ${way}`)
    t.equal(await missing[way](folder), false)
    process.env.PATH = found
    t.equal(await missing[way](folder), false)
  }
})

t.test('one that is started lets everybody go on', { skip: !LINUX && 'wants Linux' }, async t => {
  await instead(`until [ -e '${folder}/go' ]; do sleep 0.01; done`)
  const { startFlush } = await fresh('goes on')
  const started = startFlush(folder)
  await writeFile(join(folder, 'go'), '')
  t.equal(await started, true)
})
