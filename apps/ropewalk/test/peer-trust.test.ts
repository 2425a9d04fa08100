import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { machine, pairOf } from './machines.ts'
import { factsOf } from './processes.ts'

t.test('who is blocked, or was never paired, is refused with exit code 3 or 1, and leaves no offer; asked again, he is let in', async t => {
  const { desk, laptop, address } = await pairOf(t)
  await writeFile(join(desk.files, 'a.txt'), 'a')
  t.equal((await laptop.run('block', 'desk')).code, 0)
  const refused = await desk.run('send', 'a.txt', 'laptop', '--wait', '--no-discover')
  t.not(refused.code, 0)
  t.same(await laptop.offers(), [])
  t.not((await desk.run('ping', 'laptop')).code, 0)
  t.equal((await laptop.run('ask', 'desk')).code, 0)
  t.equal((await desk.run('ping', 'laptop')).code, 0)

  const stranger = await machine(t, 'stranger')
  await writeFile(join(stranger.files, 'a.txt'), 'a')
  const { code, stderr } = await stranger.run('send', 'a.txt', address, '--wait', '--no-discover')
  t.equal(code, 3)
  t.match(stderr, /ERR_UNTRUSTED/)
  const key = String((await laptop.facts('identity', 'identity'))[0]?.['sha256'])
  t.not((await stranger.run('send', 'a.txt', `${address}#sha256=${key}`, '--wait', '--no-discover')).code, 0)
  t.same(await laptop.offers(), [])
})

t.test('a wrong code uses it up, for the right one too; exit code 3', async t => {
  const [desk, laptop] = [await machine(t, 'desk'), await machine(t, 'laptop')]
  const address = await laptop.serve()
  const waiting = laptop.begin('pair', '--json')
  await waiting.until(({ stdout }) => factsOf(stdout, 'code').length > 0)
  const right = String(factsOf(waiting.stdout, 'code')[0]?.['code'])
  const wrong = await desk.run('pair', `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`, address, '--no-discover')
  t.equal(wrong.code, 3)
  t.match(wrong.stderr, /ERR_WRONG_CODE/)
  t.equal((await waiting.ended).code, 3)
  const late = await desk.run('pair', right, address, '--no-discover')
  t.equal(late.code, 3)
  t.same(await desk.facts('peer', 'peers', '--no-discover'), [])
  t.same(await laptop.facts('peer', 'peers'), [])
  t.equal((await desk.run('pair', 'no code', address)).code, 2)
})

t.test('names: rename, by first digits of the key, unknown ones with exit code 4', async t => {
  const { desk, laptop } = await pairOf(t)
  const key = String((await laptop.facts('identity', 'identity'))[0]?.['sha256'])
  t.equal((await desk.run('rename', key.slice(0, 8), 'anna')).code, 0)
  t.match(await desk.facts('peer', 'peers', '--no-discover'), [{ alias: 'anna', peer: key, mode: 'ask' }])
  t.match(await desk.facts('pong', 'ping', 'anna'), [{ ms: Number }])
  for (const args of [['ping', 'bert'], ['trust', 'bert'], ['accept', 'bert'], ['status', '5f0c2a91']]) t.equal((await desk.run(...args)).code, 4, args.join(' '))
  const { code, stderr } = await desk.run('send', '.', 'anna')
  t.equal(code, 3, 'no node runs, and nobody waits')
  t.match(stderr, /--wait/)
})
