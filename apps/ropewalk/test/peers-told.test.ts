/** What people are told: by the node before them, while they wait, and when it cannot be. */
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Peer, StoredOffer, WarpdriveNode } from '@ropewalk/protocol-warpdrive'
import t from 'tap'
import type { Links } from '../src/peers/links.ts'
import { findOffer, findPeer } from '../src/peers/peer-names.ts'
import { Presence } from '../src/peers/presence.ts'
import { machine, pairOf } from './machines.ts'
import { factsOf } from './processes.ts'

t.test('a node says what is offered to it and what has arrived, to people and to programs', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a.txt'), 'a')
  const first = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover')
  await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  t.match(factsOf(laptop.node.stdout, 'offer'), [{ incoming: true, alias: 'desk', names: ['a.txt'], status: 'awaiting' }])
  t.equal((await laptop.run('accept', 'desk')).code, 0)
  t.equal((await first.ended).code, 0)
  t.match(factsOf((await laptop.stop()).stdout, 'offer'), [{ status: 'awaiting' }, { status: 'completed', done: 1 }])

  const shown = laptop.begin('serve', '--inbox', 'Inbox', '--no-discover', '--peers', laptop.address)
  await shown.until(({ stdout }) => stdout.includes(laptop.address))
  await laptop.run('rename', 'desk', 'd\x1b[2Jesk')
  const second = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover', '--json')
  await shown.until(({ stderr }) => stderr.includes('d\\x1b[2Jesk offers a.txt (1 file, 1 B): ropewalk accept '))
  await second.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  const id = String(factsOf(second.stdout, 'offer')[0]?.['id']).slice(0, 8)
  t.match(shown.stderr, `ropewalk accept ${id}\n`)
  t.equal((await laptop.run('accept', id)).code, 0)
  await shown.until(({ stderr }) => stderr.includes('Arrived from d\\x1b[2Jesk: a.txt (1 file, 1 B)'))
})

t.test('whoever accepts while the sender is gone is told for whom it waits', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a.txt'), 'a')
  const sending = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover', '--json')
  await laptop.node.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  sending.kill('SIGKILL')
  await sending.ended
  const accepting = laptop.begin('accept', 'desk', '--json')
  await accepting.until(({ stdout }) => factsOf(stdout, 'waiting').length > 0)
  t.match(factsOf(accepting.stdout, 'waiting'), [{ code: 'ERR_UNREACHABLE', message: 'the peer cannot be reached' }])
  const [offer] = await laptop.offers()
  const joining = laptop.begin('accept', String(offer?.['id']))
  // The next attempt is later than the first by a quarter of a second, and the one behind that by a second.
  await joining.until(({ stderr }) => stderr.includes('Waiting for desk: the peer cannot be reached; it goes on by itself when it can'))
  await desk.serve()
  t.equal((await accepting.ended).code, 0)
  t.equal((await joining.ended).code, 0)
})

t.test('a connection that breaks is waited for, and what goes on has not failed', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'slow.toml'), '[limits]\nup = "1M"\n')
  await writeFile(join(desk.files, 'big'), new Uint8Array(8_388_608))
  await desk.serve('--config', 'slow.toml')
  const [offer] = await desk.facts('offer', 'send', 'big', 'laptop')
  const [shown, told] = [laptop.begin('accept', String(offer?.['id'])), laptop.begin('accept', String(offer?.['id']), '--json')]
  await told.until(({ stdout }) => factsOf(stdout, 'progress').length > 0)
  await desk.stop('SIGKILL')
  await shown.until(({ stderr }) => stderr.includes('Waiting for desk: the connection broke; it goes on by itself when it can'))
  await desk.serve()
  t.match(await shown.ended, { code: 0, stderr: /\n1 file, 8\.0 MiB in [^;]*\n/ })
  const { code, stdout } = await told.ended
  t.equal(code, 0)
  t.match([factsOf(stdout, 'failed').length, factsOf(stdout, 'finished').length], [1, 1])
  t.match(factsOf(stdout, 'summary'), [{ files: 1, failed: 0, bytes: 8_388_608 }])
})

t.test('who offers is told what stays behind, how far it is read, and whether anybody waits', async t => {
  const { desk } = await pairOf(t)
  await mkdir(join(desk.files, 'd'))
  await writeFile(join(desk.files, 'd/a'), 'abc')
  await symlink('a', join(desk.files, 'd/link'))
  await desk.serve()
  const { stdout } = await desk.run('send', 'd', 'laptop', '--json')
  t.match(factsOf(stdout, 'reading').at(-1), { bytes: 3, size: 3, left_out: 1 })
  const { stderr } = await desk.run('send', 'd', 'laptop')
  t.match(stderr, /Left out: 1 entry, for links and special files are not offered/)
  t.notMatch(stderr, /Waiting/)
  t.match(await desk.run('send', '', 'laptop'), { code: 2 })
})

t.test('a file of other content is told as failed, and is not under way for ever', async t => {
  const { desk, laptop } = await pairOf(t)
  await writeFile(join(desk.files, 'a.txt'), 'one')
  const sending = desk.begin('send', 'a.txt', 'laptop', '--wait', '--no-discover', '--json')
  await sending.until(({ stdout }) => factsOf(stdout, 'offer').length > 0)
  await writeFile(join(desk.files, 'a.txt'), 'two')
  const { code, stdout } = await laptop.run('accept', 'desk', '--json')
  t.equal(code, 1)
  t.match(factsOf(stdout, 'failed'), [{ name: 'a.txt', code: 'ERR_DIGEST' }])
  t.match((await laptop.run('status')).stderr, /^0 transfers under way/)
  const sent = await sending.ended
  t.equal(sent.code, 1)
  const which = [{ name: 'a.txt', code: 'ERR_INCOMPLETE', message: 'not whole there; the other side may know why' }]
  t.match(factsOf(sent.stdout, 'failure'), which, 'and the sender is told which')
  const [offer] = factsOf((await desk.run('offers', '--json')).stdout, 'offer')
  t.match(factsOf((await desk.run('status', String(offer?.['id']), '--json')).stdout, 'failure'), which)
})

t.test('what is spooled has a name that others can have, and goes when no offer comes of it', async t => {
  const { desk, laptop } = await pairOf(t)
  for (const name of ['a/b', '..', '', 'x\ny']) t.match(await desk.run('send', '--wait', '--name', name, '-', 'laptop'), { code: 2, stderr: /--name is the name of one file/ }, JSON.stringify(name))
  const { address } = laptop
  await laptop.stop()
  const failing = desk.begin('send', '--wait', '--no-discover', '-', 'laptop')
  failing.input('spoken')
  t.equal((await failing.ended).code, 3)
  t.same(await readdir(join(desk.state, 'outbox')), [])

  // Of one that is offered it stays, over a start too; what a killed command has left does not.
  await laptop.serve('--peers', address)
  await desk.serve()
  const sent = desk.begin('send', '-', 'laptop')
  sent.input('spoken')
  t.equal((await sent.ended).code, 0)
  const kept = await readdir(join(desk.state, 'outbox'))
  t.equal(kept.length, 1)
  await desk.stop()
  await mkdir(join(desk.state, 'outbox/left'))
  await writeFile(join(desk.state, 'outbox/left/stdin'), 'x')
  await desk.serve()
  await desk.stop()
  t.same(await readdir(join(desk.state, 'outbox')), kept)
})

t.test('who cannot be reached, or ends the connection, is told with exit code 3; a wrong key makes no peer', async t => {
  const { desk, address } = await pairOf(t)
  const stranger = await machine(t, 'stranger')
  t.match(await stranger.run('pair', '31-k7wq-m2x9', '127.0.0.1:1', '--no-discover'), { code: 3, stderr: /the other machine cannot be reached \(ERR_UNREACHABLE\)\n {2}127\.0\.0\.1:1: .*ECONNREFUSED/ })
  const wrong = `${address}#sha256=${'ab'.repeat(32)}`
  t.match(await desk.run('ping', wrong, '--no-discover'), { code: 3, stderr: /ERR_UNREACHABLE/ })
  t.match(await desk.facts('peer', 'peers', '--no-discover'), [{ alias: 'laptop' }])
  const [known] = await desk.facts('peer', 'peers', '--no-discover')
  t.match(await stranger.run('ping', `${address}#sha256=${String(known?.['peer'])}`, '--no-discover'), { code: 3, stderr: /the peer has ended the connection \(ERR_UNREACHABLE\)/ })
})

t.test('which peer or offer is meant: a name, a beginning that only one has; of several each is told', async t => {
  const peers: Peer[] = [{ id: 'ab12'.repeat(16), alias: 'desk', mod: '' }, { id: 'ab13'.repeat(16), alias: 'desk', mod: '' }, { id: 'cd00'.repeat(16), alias: 'laptop', mod: '' }]
  t.equal(findPeer(peers, 'laptop'), peers[2]?.id)
  t.equal(findPeer(peers, 'SHA256=AB12'), peers[0]?.id)
  for (const [text, id] of [['ab12', peers[0]?.id], ['ab13a', peers[1]?.id], ['sha256=cd00', peers[2]?.id], ['ef'.repeat(32), 'ef'.repeat(32)]] as const) t.equal(findPeer(peers, text), id, text)
  t.throws(() => findPeer(peers, 'desk'), { code: 'ERR_USAGE', advice: [`sha256=${peers[0]?.id}`, `sha256=${peers[1]?.id}`] })
  for (const text of ['ab1', 'zz', '']) t.throws(() => findPeer(peers, text), { code: 'ERR_NOT_FOUND' }, text)

  const offer = (id: string, uri: string, more: Partial<StoredOffer> = {}): StoredOffer => ({
    id, incoming: true, status: 'awaiting', index: -1, progress: 0, updatedAt: 1, createdAt: 1, peer: peers[2]?.id as string, digest: '', done: [], parts: [],
    files: [{ uri, path: uri, name: 'x', size: 0, isDir: false, perm: 0, mime: '' }], ...more
  })
  const offers = [offer('5f0c-1', 'a\x1b[2J/b'), offer('5f0c-2', 'c'), offer('5f0d', 'd', { status: 'completed' }), offer('5f0e', 'e', { peer: peers[0]?.id as string })]
  t.equal(findOffer(offers, peers, '5f0c-1'), offers[0])
  t.equal(findOffer(offers, peers, '5F0D'), offers[2])
  t.equal(findOffer(offers, peers, 'desk'), offers[3], 'the only one that waits from anybody of that name')
  for (const text of ['5f0c', 'laptop']) t.throws(() => findOffer(offers, peers, text), { code: 'ERR_USAGE', advice: ['5f0c-1  a\\x1b[2J', '5f0c-2  c'] }, text)
  for (const text of ['5f0', '', 'nobody']) t.throws(() => findOffer(offers, peers, text), { code: 'ERR_NOT_FOUND' }, text)
})

t.test('an inbox that can be none is refused at the start', async t => {
  const laptop = await machine(t, 'laptop')
  await writeFile(join(laptop.files, 'file'), '')
  for (const inbox of ['file', 'file/below']) t.match(await laptop.run('serve', '--inbox', inbox, '--no-discover', '--peers', '127.0.0.1:0'), { code: 1, stderr: /^ropewalk: nothing can be received there: .*\(ERR_FILE\)/ }, inbox)
})

t.test('whoever ends every connection is knocked at less and less often, who has fetched something since at every look, and who is blocked not at all', async t => {
  const knocks: string[] = []
  const enough = Promise.withResolvers<void>()
  const offers = ['refusing', 'fetching', 'blocked'].map(peer => ({ peer, status: 'awaiting', createdAt: Date.now(), get updatedAt () { return peer === 'fetching' ? Date.now() + 1 : 0 } }))
  const warpdrive = { offers: () => offers, peers: () => [{ id: 'blocked', mod: 'block' }] } as unknown as WarpdriveNode
  let looks = 0
  // It lets everybody in, and nobody stays.
  const links = {
    isConnected: (peer: string) => {
      if (peer === 'refusing' && ++looks === 30) enough.resolve()
      return false
    },
    connect: async (peer: string) => { knocks.push(peer) }
  } as unknown as Links
  // It holds no process back by itself.
  const held = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { held.close() })
  const presence = new Presence(warpdrive, links, 5)
  await enough.promise
  await presence.close()
  const at = (peer: string): number => knocks.filter(knocked => knocked === peer).length
  t.ok(at('refusing') >= 2 && at('refusing') < 10, `${at('refusing')} knocks in 30 looks`)
  t.ok(at('fetching') >= 29, `${at('fetching')} knocks in 30 looks`)
  t.equal(at('blocked'), 0)
})
