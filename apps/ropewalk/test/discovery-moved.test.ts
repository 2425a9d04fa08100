/**
 * Machines that have moved, so that neither has an address of the other that is good any more, and that find each other by multicast DNS as nodes do it:
 * at its own port, in a network of their own, where nobody else hears it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { machine, type Machine, type Network } from './machines.ts'
import { factsOf } from './processes.ts'

/** A network with nothing but a loopback interface; undefined where the system makes none. */
async function ownNetwork (t: Test): Promise<Network | undefined> {
  const holder = spawn('unshare', ['-rn', 'sh', '-c', 'ip link set lo up && echo there && exec cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  t.teardown(() => { holder.kill('SIGKILL') })
  const [first] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit'), once(holder, 'error').catch((error: unknown) => [error])]) as [unknown]
  return String(first) === 'there\n' ? { within: ['nsenter', '--preserve-credentials', '-U', '-n', '-t', String(holder.pid)] } : undefined
}

/** They begin anew, elsewhere: of where they are there is only what the network tells. */
async function move (port: number, ...machines: readonly Machine[]): Promise<void> {
  for (const each of machines) await each.stop()
  for (const each of machines) await each.serve('--peers', `127.0.0.1:${port++}`)
}

t.test('accept and retry find a sender that has moved, though nobody has an address of the other', async t => {
  const network = await ownNetwork(t)
  if (network === undefined) {
    t.comment('NOT TRIED: this system makes no network for a test, so nothing was found and nothing was proven')
    return
  }
  const [desk, laptop] = [await machine(t, 'desk', network), await machine(t, 'laptop', network)]
  await desk.serve('--peers', '127.0.0.1:7001')
  await laptop.serve('--peers', '127.0.0.1:7002')
  const waiting = laptop.begin('pair', '--json')
  await waiting.until(({ stdout }) => factsOf(stdout, 'code').length > 0)
  await desk.facts('paired', 'pair', String(factsOf(waiting.stdout, 'code')[0]?.['code']))
  t.equal((await waiting.ended).code, 0)

  await mkdir(join(desk.files, 'd'))
  for (const name of ['a', 'b']) await writeFile(join(desk.files, 'd', name), name.repeat(100_000))
  const [offer] = await desk.facts('offer', 'send', 'd', 'laptop')
  const id = String(offer?.['id'])
  await truncate(join(desk.files, 'd/b'), 10)

  await move(7011, laptop, desk)
  const accepted = await laptop.run('accept', id, '--retry-for', '20', '--json')
  t.match(factsOf(accepted.stdout, 'failure'), [{ name: 'd/b', code: 'ERR_INCOMPLETE' }], accepted.stdout + accepted.stderr)
  t.equal(accepted.code, 1)
  t.equal(await readFile(join(laptop.inbox, 'd/a'), 'utf8'), 'a'.repeat(100_000))

  await writeFile(join(desk.files, 'd/b'), 'b'.repeat(100_000))
  // The node of the laptop stays: one that begins goes on by itself with what had failed.
  await move(7021, desk)
  const again = await laptop.run('retry', id, '--retry-for', '20', '--json')
  t.equal(again.code, 0, again.stdout + again.stderr)
  t.same(factsOf(again.stdout, 'finished').map(({ name }) => name), ['d/b'])
  t.equal(await readFile(join(laptop.inbox, 'd/b'), 'utf8'), 'b'.repeat(100_000))
  for (const [each, address] of [[laptop, '127.0.0.1:7001'], [desk, '127.0.0.1:7002']] as const) {
    t.match(await each.facts('peer', 'peers'), [{ connected: true, nearby: true, addresses: [address] }], 'what the network tells is a hint, and not kept')
  }
})
