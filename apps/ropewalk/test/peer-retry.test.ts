import { mkdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { pairOf } from './machines.ts'
import { factsOf } from './processes.ts'

t.test('what fails does so alone: the sender and the receiver say which and why, and retry moves only that', async t => {
  const { desk, laptop } = await pairOf(t)
  await mkdir(join(desk.files, 'd'))
  for (const name of ['a', 'b', 'c']) await writeFile(join(desk.files, 'd', name), name.repeat(1000))
  const sending = desk.begin('send', 'd', 'laptop', '--wait', '--no-discover', '--json')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  await truncate(join(desk.files, 'd/b'), 10)
  t.equal((await laptop.run('accept', 'desk')).code, 1)
  const ended = await sending.ended
  t.equal(ended.code, 1)
  t.match(factsOf(ended.stdout, 'failure'), [{ name: 'd/b', message: /changed/ }])
  const [offer] = await laptop.offers()
  const id = String(offer?.['id'])
  const status = await laptop.run('status', id, '--json')
  t.equal(status.code, 1)
  t.match(factsOf(status.stdout, 'failure'), [{ name: 'd/b', code: 'ERR_INCOMPLETE' }])
  t.match(offer, { status: 'failed', done: 2 })

  await writeFile(join(desk.files, 'd/b'), 'b'.repeat(1000))
  await desk.serve()
  t.match(await desk.run('retry', id, '--retry-for', '1'), { code: 2, stderr: /--retry-for is for what you receive/ })
  const again = await desk.run('retry', '--failed', id, '--json')
  t.equal(again.code, 0, again.stdout + again.stderr)
  t.same(factsOf(again.stdout, 'finished').map(({ name }) => name), ['d/b'])
  t.match(await laptop.offers(), [{ status: 'completed', done: 3, failures: [] }])
})

t.test('hostile names are shown escaped', async t => {
  const { desk, laptop } = await pairOf(t)
  await laptop.run('rename', 'desk', '\x1b[2Jdesk')
  await writeFile(join(desk.files, 'safe'), 'x')
  const sending = desk.begin('send', 'safe', 'laptop', '--wait', '--no-discover')
  await sending.until(({ stdout }) => stdout.includes('awaiting'))
  for (const args of [['offers'], ['peers'], ['status', '\x1b[2Jdesk']]) {
    const { stdout, stderr } = await laptop.run(...args)
    t.notMatch(stdout + stderr, '\x1b', args.join(' '))
  }
  t.match((await laptop.run('peers')).stdout, '\\x1b[2Jdesk')
})
