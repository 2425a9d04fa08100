/** What somebody takes back that he has offered. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { machine, pairOf, type Machine } from './machines.ts'
import { factsOf, type Command } from './processes.ts'

/** A setting by which a node takes so little a second that whatever is asked of it comes while a transfer runs. */
async function slow (t: Parameters<typeof machine>[0]): Promise<string[]> {
  const path = join((await machine(t, 'settings')).files, 'slow.toml')
  await writeFile(path, '[limits]\ndown = "1M"\n')
  return ['--config', path]
}

async function offered (desk: Machine, ...what: string[]): Promise<{ readonly sending: Command, readonly id: string }> {
  const sending = desk.begin('send', ...what, 'laptop', '--wait', '--no-discover', '--json')
  if (what.includes('-')) sending.input('spoken')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  return { sending, id: String(factsOf(sending.stdout, 'offer')[0]?.['id']) }
}

t.test('what waits is taken back: it ends the wait of its sender, what was spooled goes, and nobody accepts it any more', async t => {
  const { desk, laptop } = await pairOf(t)
  const { sending, id } = await offered(desk, '-')
  t.equal((await readdir(join(desk.state, 'outbox'))).length, 1)
  t.match(await laptop.run('withdraw', id), { code: 2, stdout: '', stderr: /that was offered to you.*\(ERR_USAGE\)[^]*"ropewalk decline"/ })
  t.match(await desk.facts('withdrawn', 'withdraw', 'laptop', '--no-discover'), [{ id, status: 'withdrawn', incoming: false, untold: undefined }])
  const { code, stdout, stderr } = await sending.ended
  t.equal(code, 1)
  t.match(factsOf(stdout, 'settled'), [{ id, status: 'withdrawn' }])
  t.match(stderr, /^ropewalk: the offer was withdrawn \(ERR_WITHDRAWN\)$/m)
  t.same(await readdir(join(desk.state, 'outbox')), [])

  t.match(factsOf(laptop.node.stdout, 'offer').map(({ status }) => status), ['awaiting', 'withdrawn'], 'whoever has the node before him is told')
  t.match([await laptop.offers(), await desk.offers()], [[{ id, status: 'withdrawn' }], [{ id, status: 'withdrawn' }]])
  for (const word of ['accept', 'retry', 'decline']) t.match(await laptop.run(word, id, '--json'), { code: 1, stdout: '', stderr: /the sender has withdrawn the offer \(ERR_WITHDRAWN\)/ }, word)
  t.match(await desk.run('retry', id, '--no-discover'), { code: 1, stderr: /the offer was withdrawn \(ERR_WITHDRAWN\)/ })
  t.match(await desk.facts('withdrawn', 'withdraw', id, '--no-discover'), [{ status: 'withdrawn' }], 'twice is once')
  t.match(await desk.run('withdraw', 'laptop', '--no-discover'), { code: 4, stderr: /there is no such offer/ })
  t.same(await readdir(laptop.inbox), [])
})

t.test('what is being fetched ends on both sides, and nothing that is not whole stays', async t => {
  const { desk, laptop } = await pairOf(t, ...await slow(t))
  await mkdir(join(desk.files, 'd'))
  for (const name of ['a', 'b', 'c']) await writeFile(join(desk.files, 'd', name), new Uint8Array(8_388_608))
  const { sending, id } = await offered(desk, 'd')
  const accepting = laptop.begin('accept', id, '--json')
  await accepting.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  t.match(await desk.facts('withdrawn', 'withdraw', id), [{ status: 'withdrawn' }])
  t.match(await accepting.ended, { code: 1, stderr: /^ropewalk: the (sender|peer) has withdrawn the offer \(ERR_WITHDRAWN\)$/m })
  t.same(factsOf(accepting.stdout, 'waiting'), [], 'it does not wait for what nobody sends')
  t.match(await sending.ended, { code: 1, stderr: /^ropewalk: the offer was withdrawn \(ERR_WITHDRAWN\)$/m })
  t.match([await laptop.offers(), await desk.offers()], [[{ status: 'withdrawn', done: 0, failures: [] }], [{ status: 'withdrawn', done: 0, failures: [] }]])
  t.same(await readdir(join(laptop.state, 'receiving')), [])
  await laptop.stop()
  t.same((await readdir(laptop.inbox, { recursive: true })).filter(name => /part|\/[abc]$/.test(name)), [])
})

t.test('who is away is told when it is there again, or by what it asks for; what a process that was killed had of it goes', async t => {
  for (const how of ['is there', 'asks']) {
    const { desk, laptop, address } = await pairOf(t, ...await slow(t))
    await writeFile(join(desk.files, 'big'), new Uint8Array(16_777_216))
    const { sending, id } = await offered(desk, 'big')
    await laptop.begin('accept', id, '--json').until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
    await laptop.stop('SIGKILL')
    t.match(await desk.facts('withdrawn', 'withdraw', id), [{ status: 'withdrawn', untold: true }])
    t.match(await sending.ended, { code: 1, stderr: /ERR_WITHDRAWN/ })
    t.match(await desk.offers(), [{ status: 'withdrawn', untold: true }])
    if (how === 'is there') {
      await laptop.serve('--peers', address)
      await desk.serve()
    } else {
      const there = await desk.serve()
      await laptop.serve('--peers', address)
      const key = String((await desk.facts('identity', 'identity'))[0]?.['sha256'])
      await laptop.run('ping', `${there}#sha256=${key}`)
    }
    await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').some(({ status }) => status === 'withdrawn'))
    t.match(await laptop.run('accept', id), { code: 1, stderr: /ERR_WITHDRAWN/ })
    while ((await desk.offers())[0]?.['untold'] !== undefined);
    t.same(await readdir(join(laptop.state, 'receiving')), [])
    await laptop.stop()
    t.same((await readdir(laptop.inbox, { recursive: true })).filter(name => name.includes('part') || name.endsWith('big')), [])
  }
})

t.test('what has arrived or was declined is not taken back', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a'), 'a')
  for (const [word, why] of [['accept', /it has arrived there: there is nothing to withdraw/], ['decline', /it was declined: there is nothing to withdraw/]] as const) {
    const { sending, id } = await offered(desk, 'a')
    await laptop.run(word, id)
    await sending.ended
    t.match(await desk.run('withdraw', id, '--json', '--no-discover'), { code: 2, stdout: '', stderr: why })
  }
  t.same((await desk.offers()).map(({ status }) => status), ['completed', 'rejected'])
  t.same(await readdir(laptop.inbox), ['a'])
})
