/** What somebody asks twice, too late, while it runs, or of what is his own. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { machine, pairOf, treeOf, type Machine } from './machines.ts'
import { factsOf, type Command } from './processes.ts'

/** A setting by which a node takes so little a second that whatever is asked of it comes while a transfer runs. */
async function slow (t: Parameters<typeof machine>[0]): Promise<string[]> {
  const path = join((await machine(t, 'settings')).files, 'slow.toml')
  await writeFile(path, '[limits]\ndown = "1M"\n')
  return ['--config', path]
}

async function offered (desk: Machine, what: string): Promise<{ readonly sending: Command, readonly id: string }> {
  const sending = desk.begin('send', what, 'laptop', '--wait', '--no-discover', '--json')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  return { sending, id: String(factsOf(sending.stdout, 'offer')[0]?.['id']) }
}

async function underWay (command: Command): Promise<void> {
  await command.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
}

t.test('a decline of what is coming ends it on both sides, and nothing of it stays', async t => {
  const { desk, laptop } = await pairOf(t, ...await slow(t))
  await writeFile(join(desk.files, 'big'), new Uint8Array(16_777_216))
  const { sending, id } = await offered(desk, 'big')
  const accepting = laptop.begin('accept', id, '--json')
  await underWay(accepting)
  t.match(await laptop.facts('declined', 'decline', id), [{ status: 'rejected' }])
  t.match(await accepting.ended, { code: 1, stderr: /the offer was declined \(ERR_REFUSED\)/ })
  t.match(await sending.ended, { code: 1, stderr: /laptop declined the offer \(ERR_REFUSED\)/ })
  t.match(await laptop.offers(), [{ status: 'rejected', done: 0 }])
  t.same(await readdir(laptop.inbox), [])
  t.match(await desk.run('retry', id), { code: 1, stderr: /laptop declined the offer/ }, 'and nobody waits for an answer')
})

t.test('what has arrived is not fetched, offered or declined again', async t => {
  const { desk, laptop } = await pairOf(t)
  await mkdir(join(desk.files, 'd/empty'), { recursive: true })
  await writeFile(join(desk.files, 'd/a'), 'a')
  const { sending, id } = await offered(desk, 'd')
  t.equal((await laptop.run('accept', id)).code, 0)
  t.equal((await sending.ended).code, 0)
  const before = await treeOf(laptop.inbox)
  for (const [machine, ...args] of [[laptop, 'accept', id, '--json'], [laptop, 'accept', id, '-o', 'elsewhere', '--json'], [laptop, 'retry', id, '--json'], [desk, 'retry', '--failed', id, '--json']] as const) {
    const { code, stdout, stderr } = await machine.run(...args)
    t.equal(code, 0, stdout + stderr)
    t.match(factsOf(stdout, 'settled'), [{ status: 'completed', done: 1 }])
    t.same(factsOf(stdout, 'finished'), [])
  }
  t.match((await laptop.run('accept', id)).stdout, id)
  t.match(await laptop.run('decline', id), { code: 2, stderr: /it has arrived/ })
  t.match([await laptop.offers(), await desk.offers()], [[{ status: 'completed' }], [{ status: 'completed' }]])
  t.same(await treeOf(laptop.inbox), before)
  t.same((await readdir(laptop.files)).sort(), ['Inbox'])
  for (const word of ['accept', 'decline']) t.match(await desk.run(word, id.slice(0, 8)), { code: 2, stderr: /an offer of yours/ })
})

t.test('of who is blocked nothing comes any more, though it runs and his address is known; it goes on when he is not', async t => {
  const { desk, laptop } = await pairOf(t, ...await slow(t))
  await writeFile(join(desk.files, 'big'), new Uint8Array(6_291_456))
  const address = await desk.serve()
  const key = String((await desk.facts('identity', 'identity'))[0]?.['sha256'])
  t.match(await laptop.facts('pong', 'ping', `${address}#sha256=${key}`), [{ alias: 'desk' }])
  const [offer] = await desk.facts('offer', 'send', 'big', 'laptop')
  const accepting = laptop.begin('accept', String(offer?.['id']), '--json')
  await underWay(accepting)
  t.equal((await laptop.run('block', 'desk')).code, 0)
  await accepting.until(({ stdout }) => factsOf(stdout, 'waiting').some(({ code, message }) => code === 'ERR_REFUSED' && message === 'the peer is blocked'))
  t.match(await laptop.offers(), [{ status: 'failed', done: 0 }])
  t.equal((await laptop.run('ask', 'desk')).code, 0)
  t.match(await accepting.ended, { code: 0 })
  t.match(factsOf(accepting.stdout, 'settled'), [{ status: 'completed', done: 1 }])
})

t.test('two who accept at once wait for the same transfer', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a.bin'), new Uint8Array(4_000_000))
  const { sending, id } = await offered(desk, 'a.bin')
  const both = await Promise.all([laptop.run('accept', id, '--json'), laptop.run('accept', id, '--json')])
  for (const { code, stdout, stderr } of both) {
    t.equal(code, 0, stderr)
    t.match(factsOf(stdout, 'settled'), [{ status: 'completed', done: 1 }])
  }
  t.equal((await sending.ended).code, 0)
  t.same(await readdir(laptop.inbox), ['a.bin'])
})

t.test('P11: what something would run or trust unasked is taken only with --dangerous, which a killed node remembers', async t => {
  const { desk, laptop } = await pairOf(t)
  await mkdir(join(desk.files, 'd/.git/hooks'), { recursive: true })
  await writeFile(join(desk.files, 'd/.git/hooks/pre-commit'), new Uint8Array(16_777_216))
  await writeFile(join(desk.files, 'd/.bashrc'), 'x')
  await writeFile(join(desk.files, 'd/safe'), 'x')
  const { sending, id } = await offered(desk, 'd')
  const refused = await laptop.run('accept', id, '--json')
  t.equal(refused.code, 1)
  t.same([...new Set(factsOf(refused.stdout, 'failure').map(({ code }) => code))], ['ERR_DANGEROUS'])
  t.same(factsOf(refused.stdout, 'finished').map(({ name }) => name), ['d/safe'])
  t.equal((await sending.ended).code, 1)
  await desk.serve()
  t.match(await laptop.run('accept', id), { code: 1, stderr: `"ropewalk accept ${id.slice(0, 8)} --dangerous" takes those, too` })

  const { address } = laptop
  await laptop.stop()
  await laptop.serve('--peers', address, ...await slow(t))
  await underWay(laptop.begin('accept', id, '--dangerous', '--json'))
  await laptop.stop('SIGKILL')
  await laptop.serve('--peers', address)
  await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  t.match(await laptop.offers(), [{ status: 'completed', failures: [] }])
  t.same(await treeOf(join(laptop.inbox, 'd')), await treeOf(join(desk.files, 'd')))
})
