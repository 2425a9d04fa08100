/** A peer of a swarm that a node hosts, among peers that are processes of their own. */
import { createHash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ask, Events } from './live.ts'
import { Command, facts, factsOf, folder, run } from './processes.ts'
import { freePorts } from './swarm-peers.ts'

const BYTES = 3_000_000

interface Scene {
  readonly root: string
  readonly list: string
  readonly ports: readonly number[]
  /** Of the node. */
  readonly state: string
}

async function scene (t: Test, count: number): Promise<Scene> {
  const root = await folder(t)
  const ports = await freePorts(count)
  const list = join(root, 'peers.txt')
  await writeFile(list, ports.map(port => `127.0.0.1 ${port}\n`).join(''))
  return { root, list, ports, state: join(root, 'node') }
}

async function serve (t: Test, { root, list, ports, state }: Scene, ...more: string[]): Promise<Command> {
  const args = ['serve', '--json', '--listen', `torronto+tcp://127.0.0.1:${ports[0]}`, '--swarm-peers', list, '--swarm-dir', join(root, 'dir-0'), '--swarm-profile', 'hardened', '--web', '127.0.0.1:0', ...more]
  const node = new Command(args, { state })
  t.teardown(() => { node.kill('SIGKILL') })
  await node.until(({ stdout }) => factsOf(stdout, 'listening').length === 2)
  return node
}

async function peer (t: Test, { root, list, ports }: Scene, number: number): Promise<Command> {
  const command = new Command(['swarm', 'join', '--json', '--profile', 'hardened', '--peers', list, '--dir', join(root, `dir-${number}`), '--as', `127.0.0.1:${ports[number]}`], { state: join(root, `state-${number}`) })
  t.teardown(() => { command.kill('SIGKILL') })
  await command.until(({ stdout }) => factsOf(stdout, 'joined').length > 0)
  return command
}

async function whole (command: Command, name: string): Promise<void> {
  await command.until(({ stdout }) => factsOf(stdout, 'finished').some(fact => fact['name'] === `files/${name}`))
}

const digest = async (path: string): Promise<string> => createHash('sha256').update(await readFile(path)).digest('hex')

t.test('a node and two peers replicate; the node shows it in status, history, why, metrics, on its page and in the audit log', async t => {
  const among = await scene(t, 3)
  const { root, state, ports } = among
  const node = await serve(t, among)
  const [swarm, page] = factsOf(node.stdout, 'listening').map(({ address }) => String(address)) as [string, string]
  t.equal(swarm, `torronto+tcp://127.0.0.1:${ports[0]}`)
  t.equal((await ask(page, '/readyz')).status, 200)
  const [first, second] = [await peer(t, among, 1), await peer(t, among, 2)]

  await writeFile(join(root, 'theirs.bin'), randomBytes(BYTES))
  await writeFile(join(root, 'ours.bin'), randomBytes(BYTES))
  t.match(await run(['swarm', 'insert', join(root, 'theirs.bin')], { state: join(root, 'state-1') }), { code: 0 })
  // The commands of the user of the node reach the peer that the node hosts.
  t.match(await run(['swarm', 'insert', join(root, 'ours.bin')], { state }), { code: 0, stdout: 'ours.bin\n' })
  await Promise.all([whole(first, 'ours.bin'), whole(second, 'ours.bin'), whole(second, 'theirs.bin')])
  const events = new Events(t, page)
  const bars = await events.part<{ peers: number, files: Array<{ name: string, leastReplication: number }> }>('swarm', told => told?.files.length === 2 && told.files.every(({ leastReplication }) => leastReplication === 3))
  t.equal(bars.peers, 3)
  for (const name of ['ours.bin', 'theirs.bin']) for (const number of [0, 1, 2]) t.equal(await digest(join(root, `dir-${number}`, name)), await digest(join(root, name)), `${name} at ${number}`)
  t.match(facts((await run(['swarm', 'query', '--json'], { state })).stdout), [{ event: 'replication', least_replication: 3 }, { least_replication: 3 }])

  const told = facts((await run(['history', '--json'], { state })).stdout).filter(fact => fact['protocol'] === 'torronto')
  t.match(told.find(fact => fact['direction'] === 'in'), { name: 'theirs.bin', size: BYTES, bytes: BYTES, state: 'done' })
  const given = told.filter(fact => fact['direction'] === 'out' && fact['name'] === 'ours.bin')
  t.ok(given.length > 0 && given.every(fact => fact['state'] === 'done'), JSON.stringify(given))
  t.ok(given.reduce((sum, fact) => sum + Number(fact['bytes']), 0) >= BYTES, 'one copy at least has left')
  t.match(await run(['why', 'theirs.bin'], { state }), { code: 0, stdout: /done/ })
  const metrics = (await ask(page, '/metrics')).body
  t.match(metrics, /ropewalk_transfers_total\{protocol="torronto",direction="in",outcome="done"\} 1\n/)
  const [, wire] = /ropewalk_connection_bytes_total\{protocol="torronto",direction="in"\} (\d+)/.exec(metrics) ?? []
  t.ok(Number(wire) >= BYTES, `${wire} bytes came over the wire`)
  const audit = facts((await run(['audit', '--limit', '10000', '--json'], { state })).stdout)
  t.ok(audit.some(fact => fact.event === 'connected' && fact['protocol'] === 'torronto' && fact['ours'] === false))
  t.ok(audit.some(fact => fact.event === 'connected' && fact['protocol'] === 'torronto' && fact['ours'] === true))

  t.match(await run(['swarm', 'leave'], { state }), { code: 0 })
  await first.until(({ stdout }) => factsOf(stdout, 'disconnected').length > 0)
  t.equal((await ask(page, '/readyz')).status, 200, 'the node goes on')
  node.kill('SIGTERM')
  t.match(await node.ended, { code: 0 })
})

t.test('SIGTERM: what only the node holds is given away before it goes, and the others hear that it has left', async t => {
  const among = await scene(t, 2)
  const { root, state } = among
  // So slow that the peer has not all of it when the node is told to stop.
  await writeFile(join(root, 'node.toml'), '[limits]\ntorronto_up = "1M"\n')
  const node = await serve(t, among, '--config', join(root, 'node.toml'))
  const other = await peer(t, among, 1)
  await writeFile(join(root, 'only.bin'), randomBytes(BYTES))
  t.match(await run(['swarm', 'insert', join(root, 'only.bin')], { state }), { code: 0 })
  await other.until(({ stdout }) => factsOf(stdout, 'chunk').length > 0)
  const running = facts((await run(['status', '--json'], { state })).stdout)
  t.match(running.find(fact => fact['direction'] === 'out'), { protocol: 'torronto', name: 'only.bin', size: BYTES, peer: `127.0.0.1:${among.ports[1]}` })
  t.match(running.find(fact => fact.event === 'connection'), { protocol: 'torronto' })
  node.kill('SIGTERM')
  await whole(other, 'only.bin')
  const { code, stdout } = await node.ended
  t.equal(code, 0)
  t.match(factsOf(stdout, 'stopped'), [{ clean: true }])
  await other.until(({ stdout }) => factsOf(stdout, 'disconnected').length > 0)
  t.equal(await digest(join(root, 'dir-1', 'only.bin')), await digest(join(root, 'only.bin')))
})

t.test('a peer that takes nothing does not keep the node for longer than its time', async t => {
  const among = await scene(t, 2)
  await writeFile(join(among.root, 'node.toml'), '[limits]\ntorronto_up = "64K"\n')
  const node = await serve(t, among, '--config', join(among.root, 'node.toml'))
  const other = await peer(t, among, 1)
  await writeFile(join(among.root, 'only.bin'), randomBytes(BYTES))
  await run(['swarm', 'insert', join(among.root, 'only.bin')], { state: among.state })
  await other.until(({ stdout }) => factsOf(stdout, 'chunk').length > 0)
  node.kill('SIGTERM')
  t.match(factsOf((await node.ended).stdout, 'stopped'), [{ clean: false }])
  t.match(facts((await run(['history', '--failed', '--json'], { state: among.state })).stdout), [{ name: 'only.bin', protocol: 'torronto', direction: 'out', error: { code: 'ERR_STOPPED' } }])
})

t.test('what cannot be a peer is told before anything is started', async t => {
  const { root, list, ports, state } = await scene(t, 1)
  const words = ['--swarm-peers', list, '--swarm-dir', join(root, 'dir')]
  await writeFile(join(root, 'key'), randomBytes(32).toString('hex'))
  const at = (address: string, ...more: string[]): ReturnType<typeof run> => run(['serve', '--listen', address, ...more], { state })
  t.match(await at(`torronto+tcp://127.0.0.1:${ports[0]}`), { code: 2, stderr: /--swarm-peers FILE --swarm-dir DIRECTORY/ })
  t.match(await at('torronto+tcp://127.0.0.1', ...words), { code: 2, stderr: /ERR_ADDRESS/ })
  t.match(await at('torronto+tcp://127.0.0.1:1', ...words), { code: 2, stderr: /no peer of the list is 127\.0\.0\.1:1/ })
  t.match(await at('torronto+tcp://192.0.2.7:7750', ...words), { code: 2, stderr: /--allow-plaintext/ })
  t.match(await at('torronto+tcp://127.0.0.1:1', ...words, '--listen', 'torronto+tcp://127.0.0.1:2'), { code: 2, stderr: /one peer of one swarm/ })
  t.match(await at(`torronto+tcp://127.0.0.1:${ports[0]}`, ...words, '--swarm-profile', 'as-implemented', '--swarm-key', join(root, 'key')), { code: 2, stderr: /hardened/ })
  t.match(await run(['serve', ...words], { state }), { code: 2, stderr: /--swarm-peers goes with --listen torronto/ })
})
