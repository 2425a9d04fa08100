import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { turn } from '@ropewalk/testing'
import t from 'tap'
import { Flusher } from '../src/index.ts'

const LINUX = process.platform === 'linux'
const CHILD = fileURLToPath(new URL('flusher-child.ts', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'disk-flusher-'))
const found = process.env.PATH
t.afterEach(() => { process.env.PATH = found })
t.teardown(() => rm(folder, { recursive: true, force: true }))

/** Puts a program before all others that is called `sync`, and notes what it is given and where. */
async function instead (script: string): Promise<() => Promise<string[]>> {
  await writeFile(join(folder, 'sync'), `#!/bin/sh\nprintf '%s ' "$PWD" "$@" >> '${folder}/words'\necho >> '${folder}/words'\n${script}\n`)
  await chmod(join(folder, 'sync'), 0o755)
  await rm(join(folder, 'words'), { force: true })
  process.env.PATH = `${folder}:${found}`
  return async () => (await readFile(join(folder, 'words'), 'utf8').catch(() => '')).split('\n').slice(0, -1)
}

t.test('the file system of a folder comes to the disk, as often as somebody asks', async t => {
  const flusher = new Flusher(folder)
  t.same(await Promise.all([flusher.flush(), flusher.flush()]), [LINUX, LINUX])
  t.equal(await flusher.flush(), LINUX)
  flusher.close()
  t.equal(await flusher.flush(), false)
})

t.test('each who asks is answered by a flush of his own, and hears whether it has failed', { skip: !LINUX && 'wants Linux' }, async t => {
  const words = await instead(`[ "$(wc -l < '${folder}/words')" != 2 ]`)
  const flusher = new Flusher(folder)
  t.same(await Promise.all([flusher.flush(), flusher.flush(), flusher.flush()]), [true, false, true])
  t.same(await words(), new Array(3).fill(`${folder} -f -- . `))
  flusher.close()
})

t.test('without the program, without a shell that may run there, and when it is killed: false', { skip: !LINUX && 'wants Linux' }, async t => {
  process.env.PATH = '/nowhere'
  const without = new Flusher(folder)
  t.equal(await without.flush(), false)
  without.close()
  process.env.PATH = found
  const nowhere = new Flusher(join(folder, 'missing'))
  t.same([await nowhere.flush(), await nowhere.flush()], [false, false])
  nowhere.close()
  await instead('kill -9 $PPID')
  const killed = new Flusher(folder)
  t.same(await Promise.all([killed.flush(), killed.flush()]), [false, false])
  t.equal(await killed.flush(), false)
  killed.close()
  await instead(`until [ -e '${folder}/go' ]; do sleep 0.01; done`)
  const closed = new Flusher(folder)
  const waiting = closed.flush()
  closed.close()
  t.equal(await waiting, false, 'who waits is told when it is closed')
  await writeFile(join(folder, 'go'), '')
})

t.test('it keeps no process that has nothing else to do, and goes with one that is killed', { skip: !LINUX && 'wants Linux' }, async t => {
  const start = (): ReturnType<typeof spawn> => spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const leaves = start()
  leaves.stdin?.end()
  t.same(await once(leaves, 'close'), [0, null])
  const stays = start()
  await once(stays.stdout as NodeJS.ReadableStream, 'data')
  const [shell = ''] = readFileSync(`/proc/${stays.pid}/task/${stays.pid}/children`, 'utf8').trim().split(' ').filter(pid => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sh\n')
  t.match(shell, /^\d+$/)
  stays.kill('SIGKILL')
  await once(stays, 'close')
  while (existsSync(`/proc/${shell}`) && !readFileSync(`/proc/${shell}/stat`, 'utf8').includes(') Z ')) await turn()
  t.pass('it is gone')
})
