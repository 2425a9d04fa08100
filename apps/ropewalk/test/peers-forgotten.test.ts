/** Who was a peer, and is none any more. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { machine, pairAgain, pairOf, type Machine } from './machines.ts'
import { factsOf, type Command } from './processes.ts'

async function offered (desk: Machine, what: string): Promise<{ readonly sending: Command, readonly id: string }> {
  const sending = desk.begin('send', what, 'laptop', '--wait', '--no-discover', '--json')
  if (what === '-') sending.input('spoken')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  return { sending, id: String(factsOf(sending.stdout, 'offer')[0]?.['id']) }
}

t.test('what comes from who is forgotten ends, and he offers nothing until he has paired again', async t => {
  const settings = join((await machine(t, 'settings')).files, 'slow.toml')
  await writeFile(settings, '[limits]\ndown = "1M"\n')
  const { desk, laptop, address } = await pairOf(t, '--config', settings)
  await writeFile(join(desk.files, 'big'), new Uint8Array(16_777_216))
  const there = await desk.serve()
  const key = String((await desk.facts('identity', 'identity'))[0]?.['sha256'])
  await laptop.facts('pong', 'ping', `${there}#sha256=${key}`)
  await desk.facts('offer', 'send', 'big', 'laptop')
  const [second] = await desk.facts('offer', 'send', 'big', 'laptop')
  const accepting = laptop.begin('accept', String(second?.['id']), '--json')
  await accepting.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)

  t.match(await laptop.facts('forgotten', 'forget', 'desk'), [{ peer: key, alias: 'desk', offers: 2 }])
  t.match(await accepting.ended, { code: 1, stderr: /^ropewalk: the peer was forgotten \(ERR_REFUSED\)$/m })
  t.same([await laptop.offers(), await laptop.facts('peer', 'peers')], [[], []])
  t.same(await readdir(join(laptop.state, 'receiving')), [])
  t.notMatch(await readFile(join(laptop.state, 'peer-addresses'), 'utf8'), key)
  await laptop.stop()
  t.same((await readdir(laptop.inbox, { recursive: true })).filter(name => name.includes('part') || name.includes('big')), [])

  await laptop.serve('--peers', address)
  for (const word of ['send', 'ping']) t.match(await desk.run(word, ...word === 'send' ? ['big'] : [], 'laptop'), { code: 3, stderr: /ERR_UNREACHABLE/ }, word)
  t.same([await laptop.offers(), await laptop.facts('peer', 'peers')], [[], []], 'after a restart, too')
  await pairAgain(desk, laptop)
  await desk.facts('offer', 'send', 'big', 'laptop')
  await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  t.match((await laptop.offers()).map(({ status, alias }) => [status, alias]).at(-1), ['awaiting', 'desk'])
})

t.test('what was offered to who is forgotten is withdrawn; he hears of it where he is there, and fetches nothing where he is not', async t => {
  for (const there of [true, false]) {
    const { desk, laptop, address } = await pairOf(t)
    const { sending, id } = await offered(desk, '-')
    if (!there) await laptop.stop()
    t.match(await desk.facts('forgotten', 'forget', 'laptop', '--no-discover'), [{ alias: 'laptop', offers: 1 }])
    t.match(await sending.ended, { code: 1, stderr: /the offer was withdrawn \(ERR_WITHDRAWN\)/ })
    t.same([await desk.facts('offer', 'offers'), await desk.facts('peer', 'peers', '--no-discover'), await readdir(join(desk.state, 'outbox'))], [[], [], []])
    if (!there) await laptop.serve('--peers', address)
    t.match(await laptop.offers(), [{ id, status: there ? 'withdrawn' : 'awaiting' }])
    for (const name of ['laptop', 'a1'.repeat(32)]) t.match(await desk.run('forget', name, '--no-discover', '--json'), { code: 4, stdout: '', stderr: /there is no such peer/ })
    if (there) continue
    const now = await desk.serve()
    const key = String((await desk.facts('identity', 'identity'))[0]?.['sha256'])
    t.match(await laptop.run('ping', `${now}#sha256=${key}`), { code: 3 })
    const accepting = laptop.begin('accept', id, '--json')
    await accepting.until(({ stdout }) => factsOf(stdout, 'waiting').length > 0)
    t.same((await readdir(laptop.inbox)).filter(name => !name.startsWith('.')), [])
  }
})
