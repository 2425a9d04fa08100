import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openFsStore } from '../src/index.ts'
import { makeFolder } from './folder.ts'

const CHILD = fileURLToPath(new URL('lock-child.ts', import.meta.url))

t.test('a second store in the same process is refused with the name of the holder', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const store = await folder.open()
  await t.rejects(openFsStore(folder.path), { code: 'ERR_LOCKED', message: new RegExp(`process ${process.pid} `) })
  await store.close()
  await (await folder.open()).close()
  t.same(await readdir(join(folder.path, 'lock')), [], 'nothing is left behind')
})

t.test('a second process is refused while the first lives, even if it is stopped, and let in when it was killed', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const child = await holder(folder.path)
  t.teardown(() => child.kill('SIGKILL'))
  await t.rejects(folder.open(), { code: 'ERR_LOCKED', message: new RegExp(`process ${child.pid} `) })

  child.kill('SIGSTOP')
  await t.rejects(folder.open(), { code: 'ERR_LOCKED' }, 'a stopped process is not dead')

  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
  t.equal((await readdir(join(folder.path, 'lock'))).length, 1, 'its socket is still there')
  const store = await folder.open()
  t.equal((await readdir(join(folder.path, 'lock'))).length, 1, 'and was cleared away')
  await store.close()
})

t.test('S2: the socket of a dead process whose id somebody living has now does not lock', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const child = await holder(folder.path)
  const gone = once(child, 'close')
  child.kill('SIGKILL')
  await gone
  const [name = ''] = await readdir(join(folder.path, 'lock'))
  await rename(join(folder.path, 'lock', name), join(folder.path, 'lock', name.replace(`-${child.pid}-`, `-${process.pid}-`)))
  await folder.open()
})

t.test('of many that come at once exactly one gets in', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, async () => await openFsStore(folder.path)))
    const opened = outcomes.flatMap(outcome => outcome.status === 'fulfilled' ? [outcome.value] : [])
    const codes = outcomes.flatMap(outcome => outcome.status === 'rejected' ? [outcome.reason.code] : [])
    t.equal(opened.length, 1)
    t.same(codes, Array(7).fill('ERR_LOCKED'))
    await opened[0]?.close()
  }
})

t.test('a path longer than the address of a socket does not matter', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  const path = join(folder.path, 'deep'.repeat(40), 'deep'.repeat(40))
  const store = await openFsStore(path)
  await t.rejects(openFsStore(path), { code: 'ERR_LOCKED' })
  await store.close()
})

t.test('left-overs of a process that died while it came are swept', async t => {
  const folder = await makeFolder()
  t.teardown(folder.dispose)
  await mkdir(join(folder.path, 'lock'), { recursive: true })
  await writeFile(join(folder.path, 'lock', 'cafe-1-00.sock.new'), '')
  await folder.open()
  t.equal((await readdir(join(folder.path, 'lock'))).length, 1)
})

async function holder (path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=@ropewalk/source', CHILD, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}
