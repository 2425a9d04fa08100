import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Command, factsOf, folder, run, startNode } from './processes.ts'

const BIG: Buffer = randomBytes(48 * 1024 * 1024)

/** Everything in a store that is a file. */
async function kept (state: string): Promise<string[]> {
  const entries = await readdir(join(state, 'store'), { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile() && /[\da-f]{30}/.test(entry.name)).map(({ name }) => name)
}

t.test('SIGTERM lets an upload finish, its commit included', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  const { addresses: [address = ''], stop } = await startNode(t, state)
  await writeFile(join(files, 'big'), BIG)
  const put = new Command(['put', join(files, 'big'), '--to', address, '--json'], { state })
  await put.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  const [node, { code, stdout, stderr }] = await Promise.all([stop('SIGTERM'), put.ended])
  t.equal(code, 0, stderr)
  t.equal(node.code, 0, node.stderr)
  t.match(factsOf(node.stdout, 'stopping'), [{}])

  const again = await startNode(t, state)
  const id = String(factsOf(stdout, 'stored')[0]?.['id'])
  t.equal((await run(['get', id, '--from', again.addresses[0] as string, '-o', join(files, 'back')], { state })).code, 0)
  t.equal(createHash('sha256').update(await readFile(join(files, 'back'))).digest('hex'), createHash('sha256').update(BIG).digest('hex'))
})

t.test('a node that stops with nothing under way needs no grace, even when somebody is connected', async t => {
  const state = await folder(t)
  const { addresses: [address = ''], stop } = await startNode(t, state)
  // Is connected, and waits for its input to end.
  const idle = new Command(['put', address, '-', '--to', address], { state })
  await idle.until(({ stderr }) => stderr.includes('failed mdsftp'))
  const began = performance.now()
  t.equal((await stop('SIGINT')).code, 0)
  t.ok(performance.now() - began < 5000, 'less than the grace')
  idle.input('too late')
  t.equal((await idle.ended).code, 1)
})

t.test('Ctrl-C ends a put with 130, and nothing half is left', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  const { addresses: [address = ''], command: node, stop } = await startNode(t, state)
  // Long enough that it cannot be over before the signals come, and no bytes on our disk.
  await writeFile(join(files, 'big'), '')
  await truncate(join(files, 'big'), 2 * 1024 ** 3)
  const put = new Command(['put', join(files, 'big'), '--to', address, '--json'], { state })
  await put.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  node.kill('SIGSTOP')
  put.kill('SIGINT')
  await put.until(({ stderr }) => stderr.includes('Stopping'))
  node.kill('SIGCONT')
  const { code, stdout, stderr } = await put.ended
  t.match(factsOf(stdout, 'failed'), [{ code: 'ERR_USER_INTERRUPT' }])
  t.equal(code, 130)
  t.match(stderr, /^Interrupted: nothing of the file is kept\. The same command stores it; /m)
  t.equal((await stop('SIGTERM')).code, 0)
  t.same(await kept(state), [])
})

t.test('Ctrl-C ends a get with 130; a second signal ends a node at once', async t => {
  const [state, files] = [await folder(t), await folder(t)]
  const { addresses: [address = ''], command: node } = await startNode(t, state)
  await writeFile(join(files, 'big'), BIG)
  const { stdout } = await run(['put', join(files, 'big'), '--to', address, '--json'], { state })
  const id = String(factsOf(stdout, 'stored')[0]?.['id'])

  // Nobody reads what it writes: it cannot finish.
  const stuck = new Command(['get', id, '--from', address, '-o', '-', '--json'], { state, unread: true })
  await stuck.until(({ stdout }) => stdout !== '')
  node.kill('SIGTERM')
  await node.until(({ stdout }) => factsOf(stdout, 'stopping').length > 0)
  node.kill('SIGINT')
  t.equal((await node.ended).code, 130)
  stuck.kill('SIGKILL')

  const { addresses: [again = ''] } = await startNode(t, state)
  const get = new Command(['get', id, '--from', again, '-o', '-', '--json'], { state, unread: true })
  await get.until(({ stdout }) => stdout !== '')
  get.kill('SIGINT')
  t.equal((await get.ended).code, 130)
})
