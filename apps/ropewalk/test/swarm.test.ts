import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, mkdir, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as receive from '@ropewalk/receive'
import { openReceiver, ReceiveError } from '@ropewalk/receive'
import t from 'tap'
import { RopewalkError } from '../src/errors.ts'
import { FolderSwarmStore } from '../src/swarm/folder-store.ts'
import { here } from './node.ts'
import { facts, factsOf, folder, run } from './processes.ts'
import { freePorts, Peer, swarm } from './swarm-peers.ts'

/** Sizes whose copies come out damaged of the original. */
const SIZES = [0, 1, 65535, 65536, 65537, 131073, 200000]

const ROUNDS = Number(process.env['ROPEWALK_ROUNDS'] ?? 10)

t.test('three peers: inserted at one, whole at all, told as a table, and left', async t => {
  const peers = await swarm(t, 3)
  const [first, second, third] = peers as [Peer, Peer, Peer]
  const source = await folder(t)
  for (const size of SIZES) await writeFile(join(source, `size-${size}`), randomBytes(size))
  await writeFile(join(source, 'nul-tail'), Buffer.concat([randomBytes(70_000), Buffer.alloc(5000)]))
  const names = [...SIZES.map(size => `size-${size}`), 'nul-tail']
  const inserted = await first.run('insert', ...names.map(name => join(source, name)))
  t.same([inserted.code, inserted.stdout], [0, names.map(name => `${name}\n`).join('')])
  for (const name of names) {
    for (const peer of [second, third]) {
      await peer.whole(name)
      t.same(await readFile(join(peer.directory, name)), await readFile(join(source, name)), name)
    }
  }

  const query = await second.run('query', '--json')
  t.equal(query.code, 0)
  t.same(facts(query.stdout).map(fact => fact['name']).sort(), names.map(name => `files/${name}`).sort())
  t.match(await here(['swarm', 'query'], second.state, { tty: true }), { code: 0, stdout: /█/ })
  const rows = names.map(name => `${name}\t3.0\t3\t3\t1.00`).sort()
  t.same(await second.told(rows), rows, 'into a pipe, rows')

  // What the other end is open for has begun.
  const pipe = join(source, 'pipe')
  execFileSync('mkfifo', [pipe])
  const stop = new AbortController()
  const inserting = here(['swarm', 'insert', pipe, join(source, 'size-1')], first.state, { signal: stop.signal })
  await using writer = await open(pipe, 'w')
  stop.abort(new RopewalkError('ERR_USER_INTERRUPT', 'interrupted'))
  t.match(await inserting, { code: 130, stderr: /^Interrupted: the peer goes on with pipe, .* 1 file more was not begun\.\n$/ })
  await writer.writeFile('what came after it')
  await writer.close()
  await third.whole('pipe')
  t.equal(await readFile(join(third.directory, 'pipe'), 'utf8'), 'what came after it')

  t.match(await second.run('insert', join(source, 'size-1')), { code: 1, stderr: /ERR_EXISTS/ })
  t.match(await second.run('insert', join(source, 'not-there')), { code: 1, stderr: /^\S+not-there: no such file or directory \(ERR_FILE\)\n$/ })
  t.match(await second.run('leave'), { code: 0 })
  t.match(await second.command.ended, { code: 0 })
  t.match(await second.run('query'), { code: 3, stderr: /no peer of yours is running/ })
  first.command.kill('SIGINT')
  t.match(await first.command.ended, { code: 0 })
  third.command.kill('SIGTERM')
  const { code, stdout } = await third.command.ended
  t.equal(code, 0)
  t.ok(Number(factsOf(stdout, 'left')[0]?.['bytes_sent']) > 0)
})

t.test('with a key: who knows another one is no member', async t => {
  const root = await folder(t)
  await writeFile(join(root, 'key'), randomBytes(32).toString('hex'))
  await writeFile(join(root, 'other'), randomBytes(32).toString('hex'))
  const ports = await freePorts(3)
  await writeFile(join(root, 'peers'), ports.map(port => `127.0.0.1 ${port}\n`).join(''))
  const [first, second, stranger] = ports.map((port, index) => new Peer(root, index, ['--peers', join(root, 'peers'), '--as', `127.0.0.1:${port}`, '--profile', 'hardened', '--key', join(root, index === 2 ? 'other' : 'key')])) as [Peer, Peer, Peer]
  t.teardown(() => { for (const { command } of [first, second, stranger]) command.kill('SIGKILL') })
  await Promise.all([first, second, stranger].map(async peer => { await peer.joined() }))
  await writeFile(join(root, 'rope.txt'), 'laid into one rope')
  await first.run('insert', join(root, 'rope.txt'))
  await second.whole('rope.txt')
  t.same(factsOf(stranger.command.stdout, 'finished'), [])
  await t.rejects(access(join(stranger.directory, 'rope.txt')))
  t.notMatch(first.command.stdout, new RegExp(String(ports[2])))
})

t.test('whoever is killed and comes again has everything, and nothing wrong', async t => {
  const peers = await swarm(t, 3)
  const [first, second, third] = peers as [Peer, Peer, Peer]
  const source = await folder(t)
  for (let round = 0; round < Math.min(ROUNDS, 50); round++) {
    const name = `round-${round}`
    const content = randomBytes(3_000_000 + round)
    await writeFile(join(source, name), content)
    const inserting = first.run('insert', join(source, name))
    // At the first chunk that has come: each of those who fetch in turn, and the one who has the file.
    const victim = [second, third, first][round % 3] as Peer
    const watched = victim === first ? second : victim
    await watched.command.until(({ stdout }) => factsOf(stdout, 'chunk').some(fact => fact['name'] === `files/${name}`))
    if (victim === first) await inserting
    victim.command.kill('SIGKILL')
    await victim.command.ended
    await inserting
    victim.restart()
    await victim.joined()
    for (const peer of [first, second, third]) {
      // It may have been whole before the kill, and is not told of again.
      if (!existsSync(join(peer.directory, name))) await peer.whole(name)
      t.equal(Buffer.compare(await readFile(join(peer.directory, name)), content), 0, name)
    }
  }
})

t.test('words that are wrong are told with what to do', async t => {
  const root = await folder(t)
  const state = join(root, 'state')
  await writeFile(join(root, 'peers'), '10.255.255.1 7750\n')
  await writeFile(join(root, 'bad'), '10.255.255.1\n')
  await writeFile(join(root, 'short'), 'x')
  const join_ = async (...args: string[]): ReturnType<typeof run> => await run(['swarm', 'join', '--dir', join(root, 'dir'), ...args], { state })
  t.match(await join_('--peers', join(root, 'bad')), { code: 2, stderr: /line 1/ })
  t.match(await join_('--peers', join(root, 'gone')), { code: 1, stderr: /no such file/ })
  t.match(await join_('--peers', join(root, 'peers')), { code: 2, stderr: /--as HOST:PORT/ })
  t.match(await join_('--peers', join(root, 'peers'), '--as', 'nowhere'), { code: 2, stderr: /HOST:PORT/ })
  t.match(await join_('--peers', join(root, 'peers'), '--as', '10.255.255.1:7750', '--key', join(root, 'short')), { code: 2, stderr: /1 < 16 bytes/ })
  t.match(await run(['swarm', 'leave'], { state }), { code: 3, stderr: /swarm join/ })
})

t.test('the folder gives out what lies in it, and nothing through a link', async t => {
  const root = await folder(t)
  await mkdir(join(root, 'dir/sub'), { recursive: true })
  await writeFile(join(root, 'secret'), 'not for the swarm')
  await writeFile(join(root, 'dir/sub/rope'), 'laid\0')
  await symlink('../secret', join(root, 'dir/link'))
  const store = await FolderSwarmStore.open(join(root, 'dir'))
  const listed = []
  for await (const file of store.list()) listed.push(file)
  t.same(listed, [{ name: 'files/sub/rope', size: 5, nulTail: true }])
  await t.rejects(store.read('files/link', 0))
  t.equal(await store.read('files/not-there', 0), undefined)
  await store.write('files/new', 1, Buffer.from('tail'))
  await store.write('files/new', 0, Buffer.alloc(65536, 7))
  await t.rejects(stat(join(root, 'dir/new')), 'nothing shows before it is whole')
  await store.finish('files/new', 65540)
  t.equal((await readFile(join(root, 'dir/new'))).length, 65540)
  await t.rejects(store.finish('files/../escape', 0), { code: 'ERR_NAME' })
  await store.close()
})

t.test('many who read at a time, also what gets its name meanwhile, all get it', async t => {
  const root = await folder(t)
  const store = await FolderSwarmStore.open(root)
  const contents = Array.from({ length: 50 }, () => randomBytes(70_000))
  for (const [number, content] of contents.entries()) {
    await store.write(`files/${number}`, 0, content.subarray(0, 65536))
    await store.write(`files/${number}`, 1, content.subarray(65536))
  }
  const read = (): Array<Promise<void>> => contents.flatMap((content, number) => [0, 1, 0, 1].map(async index => {
    t.same(await store.read(`files/${number}`, index), content.subarray(index * 65536, (index + 1) * 65536), `${number} ${index}`)
  }))
  await Promise.all([...read(), ...contents.map(async (content, number) => { await store.finish(`files/${number}`, content.length) }), ...read()])
  await Promise.all(read())
  await store.close()
})

t.test('what is whole gets its name without a copy, and where the file system has no links with one', async t => {
  const root = await folder(t)
  const WithoutLinks = (await t.mockImport<typeof import('../src/swarm/folder-store.ts')>('../src/swarm/folder-store.ts', {
    '@ropewalk/receive': { ...receive, openReceiver: async (...given: Parameters<typeof openReceiver>) => Object.assign(await openReceiver(...given), { adopt: async () => { throw new ReceiveError('ERR_UNSUPPORTED', 'no links') } }) }
  })).FolderSwarmStore
  for (const [name, Store, copied] of [['linked', FolderSwarmStore, false], ['copied', WithoutLinks, true]] as const) {
    const store = await Store.open(join(root, name))
    await store.write('files/new', 0, Buffer.alloc(70_000, 7))
    const [filling = ''] = (await readdir(join(root, name, '.ropewalk-swarm'))).map(entry => join(root, name, '.ropewalk-swarm', entry))
    const { ino } = await stat(filling)
    await store.finish('files/new', 65_000)
    const whole = await stat(join(root, name, 'new'))
    t.same([whole.ino !== ino, whole.size, whole.mode & 0o777, whole.nlink], [copied, 65_000, 0o666 & ~process.umask(), 1], name)
    t.same(await readFile(join(root, name, 'new')), Buffer.alloc(65_000, 7))
    t.same(await readdir(join(root, name, '.ropewalk-swarm')), [])
    await store.close()
  }
})

t.test('what stands on the disk of half a file counts only with hashes that are hashes', async t => {
  const root = await folder(t)
  const store = await FolderSwarmStore.open(root)
  const good = 'a'.repeat(64)
  const partials = async (): Promise<string[]> => {
    const names: string[] = []
    for await (const { name } of store.partial()) names.push(name)
    return names
  }
  for (const wrong of ['', 'A'.repeat(64), 'g'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), `${good}\n`, null, 7, [good]]) {
    await store.describe({ name: 'files/half', size: 70_000, chunkSha256: [good, wrong as string] })
    t.same(await partials(), [], JSON.stringify(wrong))
  }
  await store.describe({ name: 'files/half', size: 70_000, chunkSha256: [good, good] })
  t.same(await partials(), ['files/half'])
  await store.close()
})

t.test('what is half there stays for the next process where it is known what it was to be, and only there', async t => {
  const root = await folder(t)
  const first = await FolderSwarmStore.open(root)
  const half = { name: 'files/half', size: 70_000, chunkSha256: ['a'.repeat(64), 'b'.repeat(64)] }
  for (const name of ['half', 'torn']) await first.describe({ ...half, name: `files/${name}` })
  for (const name of ['half', 'torn', 'unknown']) await first.write(`files/${name}`, 1, Buffer.alloc(4464, 7))
  await first.close()
  // As after a loss of power: the name is there, the content is not.
  await writeFile(join(root, '.ropewalk-swarm', `${createHash('sha256').update('files/torn').digest('hex')}.json`), '{"name":')

  const second = await FolderSwarmStore.open(root)
  const partials = []
  for await (const partial of second.partial()) partials.push(partial)
  t.same(partials, [half])
  t.same(await second.read('files/half', 1), Buffer.alloc(4464, 7))
  t.equal(await second.read('files/unknown', 1), undefined)
  await second.discard('files/half')
  for await (const partial of second.partial()) t.fail(partial.name)
  await second.close()
})
