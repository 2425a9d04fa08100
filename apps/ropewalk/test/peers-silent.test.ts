/** Peers that are there and never answer, as real sockets, against a node as a process: whoever asked is told, in time, and everybody else is served. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { pairOf, treeOf, type Machine } from './machines.ts'
import { factsOf, folder } from './processes.ts'
import { silentPeer, SilentSender } from './silent-peers.ts'

/** A node with little patience, and somebody whom it knows. */
async function impatient (t: Test): Promise<{ readonly desk: Machine, readonly laptop: Machine }> {
  const config = join(await folder(t), 'node.toml')
  await writeFile(config, '[peers]\nreply_timeout = "3s"\nprogress_timeout = "3s"\n')
  const { desk, laptop } = await pairOf(t, '--config', config)
  await writeFile(join(laptop.files, 'a.txt'), 'a')
  await mkdir(join(laptop.files, 'beside'))
  await writeFile(join(desk.files, 'b.txt'), 'b')
  return { desk, laptop }
}

/** Everything but the inbox. */
async function outside ({ files }: Machine): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await treeOf(files)).filter(([name]) => !name.startsWith('Inbox')))
}

/** Somebody else comes, and is served as if nothing were. */
async function servesOthers (t: Test, desk: Machine, laptop: Machine): Promise<void> {
  const sending = desk.begin('send', 'b.txt', 'laptop', '--wait', '--no-discover')
  await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').some(({ alias, status }) => alias === 'desk' && status === 'awaiting'))
  const accepted = await laptop.run('accept', 'desk')
  t.equal(accepted.code, 0, accepted.stderr)
  t.equal((await sending.ended).code, 0)
  t.equal(await readFile(join(laptop.inbox, 'b.txt'), 'utf8'), 'b')
}

t.test('a peer that never answers is told of by who has asked it, in time, whatever it has done before', async t => {
  const { desk, laptop } = await impatient(t)
  const before = await outside(laptop)
  const asked = (['connection', 'handshake', 'channel', 'protocol'] as const).flatMap(last => [['ping'], ['send', 'a.txt'], ['send', '--wait', 'a.txt'], ['pair', '31-k7wq-m2x9']].map(args => ({ last, args })))
  const ends = asked.map(async ({ last, args }) => {
    const { address, reached } = await silentPeer(t, last)
    const command = laptop.begin(...args, args[0] === 'pair' ? address.split('#')[0] as string : address)
    await reached
    const began = performance.now()
    return { last, args, address, ended: await command.ended, ms: performance.now() - began }
  })
  await servesOthers(t, desk, laptop)
  const unreached = /^ropewalk: the (peer|other machine) cannot be reached \(ERR_UNREACHABLE\)\n {2}.*no connection to \S+ within 5000 ms\n$/
  const unanswered = /^ropewalk: ([\da-f]{64} has not answered the (ping|offer)|the other machine has not answered the code) within 3 seconds \(ERR_TIMEOUT\)\n {2}It was reached/
  for (const { last, args, address, ended: { code, stdout, stderr }, ms } of await Promise.all(ends)) {
    const what = `${args.join(' ')} to one whose last was a ${last}`
    t.match(stderr, last === 'connection' ? unreached : unanswered, what)
    if (last !== 'connection' && args[0] !== 'pair') t.match(stderr, address.split('sha256=')[1] as string, `${what}: who`)
    t.equal(code, 3, what)
    t.equal(stdout, '', what)
    t.ok(ms < 20_000, `${what}: ${Math.round(ms)} ms, before what would hold without the setting`)
  }
  t.same((await laptop.offers()).map(({ alias }) => alias), ['desk'], 'no offer is left that nobody has taken')
  t.same(await outside(laptop), before)
  t.equal((await laptop.stop()).code, 0)
})

t.test('a sender that stops in the middle is waited for as long as was said, told of, and gone on with when it speaks again', async t => {
  const { desk, laptop } = await impatient(t)
  const before = await outside(laptop)
  const sender = await SilentSender.start(t)
  t.equal((await laptop.run('ping', sender.address)).code, 0)
  t.equal((await laptop.run('rename', sender.address.split('sha256=')[1] as string, 'mute')).code, 0)
  await sender.offer('quiet')
  const told = laptop.begin('accept', 'quiet', '--retry-for', '1', '--json')
  await sender.silent
  const shown = laptop.begin('accept', 'quiet', '--retry-for', '1')
  await servesOthers(t, desk, laptop)

  for (const { code, stderr } of await Promise.all([told.ended, shown.ended])) {
    t.match(stderr, /^ropewalk: mute has sent nothing new within 1 second: .* \(ERR_TIMEOUT\)\n.*"ropewalk retry quiet" goes on with it; --retry-for SECONDS has more patience\.\n/m)
    t.equal(code, 3)
  }
  t.match(factsOf(told.stdout, 'waiting')[0], { code: 'ERR_TIMEOUT', message: 'download: nothing within 3000 ms' })
  t.match((await laptop.offers()).find(({ id }) => id === 'quiet'), { status: 'failed', done: 0 })
  t.same(Object.keys(await treeOf(laptop.inbox)).filter(name => !name.startsWith('.ropewalk-staging')), ['b.txt'], 'what is not whole has not arrived')
  t.same(await outside(laptop), before)

  // The connection that there was says nothing any more, and is not asked again.
  sender.goOn()
  const again = await laptop.run('retry', 'quiet', '--retry-for', '10')
  t.equal(again.code, 0, again.stderr)
  t.same(await readFile(join(laptop.inbox, 'film')), Buffer.from(sender.content))
  t.same(sender.offsets, [0, 100_000], 'and what had come was kept')
  t.equal((await laptop.stop()).code, 0)
})
