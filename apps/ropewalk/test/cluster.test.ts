/**
 * A cluster: its authority, its tokens, its two wires, as processes over real sockets.
 */
import { X509Certificate } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { facts, factsOf, folder, run, startNode, type Ended, type Fact } from './processes.ts'

const TOKEN = 'Ab3'.repeat(21) + 'x'
const OTHER = 'Ab3'.repeat(21) + 'y'
const ABSENT = '00000000-0000-4000-8000-000000000000'

function one (ended: Ended, event: string): Fact {
  if (ended.code !== 0) throw new Error(ended.stderr)
  return factsOf(ended.stdout, event)[0] as Fact
}

async function mode (path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

async function secret (path: string, text: string): Promise<string> {
  await writeFile(path, text, { mode: 0o600 })
  return path
}

t.test('an authority and its leaves: keys for their owner alone, all or nothing, and nothing written over', async t => {
  const [state, work] = [await folder(t), await folder(t)]
  const made = one(await run(['ca', 'init', '--json'], { state }), 'authority')
  t.equal(made['ca'], join(state, 'ca', 'ca.pem'))
  t.equal(await mode(join(state, 'ca', 'ca-key.pem')), 0o600)
  const root = await readFile(join(state, 'ca', 'ca.pem'), 'utf8')

  const again = await run(['ca', 'init'], { state })
  t.equal(again.code, 1)
  t.match(again.stderr, /ERR_EXISTS/)
  t.equal(await readFile(join(state, 'ca', 'ca.pem'), 'utf8'), root)

  const leaf = one(await run(['ca', 'issue', 'nas', '--san', '127.0.0.1', '--san', 'nas.example', '--json'], { state, cwd: work }), 'issued')
  t.equal(leaf['names'], 'IP Address:127.0.0.1, DNS:nas.example')
  t.same((await readdir(join(work, 'nas'))).sort(), ['ca.pem', 'cert.pem', 'key.pem'])
  t.equal(await mode(join(work, 'nas', 'key.pem')), 0o600)
  t.ok(new X509Certificate(await readFile(join(work, 'nas', 'cert.pem'))).verify(new X509Certificate(root).publicKey))
  t.match(await run(['ca', 'issue', 'nas', '--san', '127.0.0.1'], { state, cwd: work }), { code: 1, stderr: /ERR_EXISTS/ })
  await mkdir(join(work, 'file-in-the-way'))
  await writeFile(join(work, 'file'), '')
  t.match(await run(['ca', 'issue', 'nas', '--san', 'a', '-o', 'file'], { state, cwd: work }), { code: 1, stderr: /ERR_EXISTS/ })
  t.match(await run(['ca', 'issue', 'nas', '--san', '*.example', '-o', 'x'], { state, cwd: work }), { code: 2, stderr: /neither a host name/ })
  t.match(await run(['ca', 'issue', 'nas', '--san', 'a', '--dir', 'nowhere'], { state, cwd: work }), { code: 1, stderr: /"ropewalk ca init" makes one/ })
  t.same((await readdir(work)).sort(), ['file', 'file-in-the-way', 'nas'], 'what failed has left nothing')

  await chmod(join(state, 'ca', 'ca-key.pem'), 0o644)
  t.match(await run(['ca', 'issue', 'b', '--san', 'b'], { state, cwd: work }), { code: 1, stderr: /its mode is 644/ })
})

t.test('a client of the cluster trusts who has a certificate for the address it dials, and nobody else', async t => {
  const [state, client, stranger, work] = [await folder(t), await folder(t), await folder(t), await folder(t)]
  await run(['ca', 'init'], { state })
  await run(['ca', 'init'], { state: stranger })
  await run(['ca', 'issue', 'nas', '--san', '127.0.0.1'], { state, cwd: work })
  await run(['ca', 'issue', 'elsewhere', '--san', 'nas.example'], { state, cwd: work })
  const shows = (name: string): string[] => ['--cert', join(work, name, 'cert.pem'), '--key', join(work, name, 'key.pem')]
  const ca = ['--ca', join(work, 'nas', 'ca.pem')]
  const file = join(work, 'file')
  await writeFile(file, 'laid into one rope')

  const node = await startNode(t, state, ['--listen', 'mdsftp+tls://127.0.0.1:0', ...shows('nas')])
  const [pinned = ''] = node.addresses
  const bare = pinned.replace(/#.*/, '')
  const id = String(one(await run(['put', file, '--to', bare, ...ca, '--json'], { state: client }), 'stored')['id'])
  t.equal((await run(['get', id, '--from', pinned, ...ca, '-o', '-'], { state: client })).stdout, 'laid into one rope', 'its key is right too')
  t.match(await run(['stat', id, '--at', `${bare}#sha256=${'0'.repeat(64)}`, ...ca], { state: client }), { code: 3, stderr: /ERR_UNTRUSTED/ }, 'an authority does not outweigh a pin')
  t.match(await run(['stat', id, '--at', bare], { state: client }), { code: 3 }, 'nobody vouches without --ca')
  t.match(await run(['stat', id, '--at', bare, '--ca', join(stranger, 'ca', 'ca.pem')], { state: client }), { code: 3, stderr: /does not vouch for the node at/ })
  t.match(await run(['stat', id, '--at', bare.replace('127.0.0.1', 'localhost'), ...ca], { state: client }), { code: 3, stderr: /ALTNAME/ }, 'another name of the same machine')
  t.match(await run(['stat', id, '--at', bare, '--ca', file], { state: client }), { code: 1, stderr: /no certificate in it/ })
  await node.stop('SIGTERM')

  const other = await startNode(t, state, ['--listen', bare, ...shows('elsewhere')])
  t.match(await run(['stat', id, '--at', bare, ...ca], { state: client }), { code: 3, stderr: /ALTNAME/ }, 'a member of the cluster, but not the one that was dialled')
  await other.stop('SIGTERM')
  t.match(await run(['serve', '--cert', join(work, 'nas', 'cert.pem'), '--key', join(work, 'elsewhere', 'key.pem')], { state }), { code: 1, stderr: /not that of the certificate/ })
})

t.test('a node that asks for a token serves who has it', async t => {
  const [state, client, work] = [await folder(t), await folder(t), await folder(t)]
  const nodeId = String((facts((await run(['identity', '--json'], { state: client })).stdout)[0] as Fact)['node_id'])
  const tokens = await secret(join(work, 'tokens'), `# ours\n${TOKEN}\n${nodeId} ${OTHER}\n`)
  const { addresses: [address = ''], command } = await startNode(t, state, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--token-file', tokens])
  const ask = async (token: string, who = client): Promise<Ended> => await run(['stat', ABSENT, '--at', address, '--token-file', await secret(join(work, token.slice(-1)), `${token}\n`)], { state: who })

  t.equal((await ask(TOKEN)).code, 4, 'it answers')
  t.equal((await ask(TOKEN, state)).code, 4, 'whoever it is')
  t.equal((await ask(OTHER)).code, 4)
  const borrowed = await ask(OTHER, state)
  t.equal(borrowed.code, 1, 'a token of another node')
  t.match(borrowed.stderr, /does it ask for a token/)
  const guessed = await ask('Ab3'.repeat(21) + 'z')
  t.equal(guessed.code, 1)
  t.equal(factsOf(command.stdout, 'trouble').filter(({ code }) => code === 'ERR_TOKEN').length, 2)
  t.notMatch(command.stdout + command.stderr + borrowed.stderr + guessed.stderr, /Ab3Ab3/, 'no token is told')

  const env = await run(['stat', ABSENT, '--at', address], { state: client, env: { ROPEWALK_TOKEN: TOKEN } })
  t.equal(env.code, 4, 'from the environment')
  t.match(await run(['stat', ABSENT, '--at', address], { state: client, env: { ROPEWALK_TOKEN: `${TOKEN}!` } }), { code: 1, stderr: /ROPEWALK_TOKEN/ })

  for (const [text, message] of [['', /no token in it/], ['short\n', /line 1: a token is 64/], [`${TOKEN}\nx ${TOKEN}\n`, /line 2/], [`a b ${TOKEN}`, /line 1/]] as const) {
    const refused = await run(['serve', '--token-file', await secret(join(work, 'bad'), text)], { state: work })
    t.match(refused, { code: 1, stderr: message })
    t.notMatch(refused.stderr, /Ab3Ab3/)
  }
  await chmod(tokens, 0o640)
  t.match(await run(['serve', '--token-file', tokens], { state: work }), { code: 1, stderr: /its mode is 640/ })
})

t.test('each listener speaks the wire that its address says, and clients are told by it', async t => {
  const [state, work] = [await folder(t), await folder(t)]
  const node = await startNode(t, state, ['--listen', 'mdsftp+tls://127.0.0.1:0', '--listen', 'mdsftp+tcp://127.0.0.1:0?profile=seed', '--listen', 'mdsftp+tcp://127.0.0.1:0?profile=seed-code&peer=upstream'])
  const [upstream = '', seed = '', code = ''] = node.addresses
  t.match(seed, /^mdsftp\+tcp:\/\/127\.0\.0\.1:\d+\?profile=seed$/)
  t.match(code, /\?profile=seed-code&peer=upstream$/)
  const file = join(work, 'file')
  await writeFile(file, 'seed'.repeat(100_000))

  for (const [address, flags] of [[seed, []], [seed.replace(/\?.*/, ''), ['--profile', 'seed']], [code, []]] as const) {
    const stored = one(await run(['put', file, '--to', address, ...flags, '--json'], { state }), 'stored')
    const id = String(stored['id'])
    const got = one(await run(['get', id, '--from', address, ...flags, '-o', join(work, id), '--json'], { state }), 'received')
    t.match(got, { size: 400_000, sha256: stored['sha256'] })
    t.equal((await run(['stat', id, '--at', upstream], { state })).stdout, `${id}\t400000\n`, 'committed, as the other wire sees')
    t.equal((await run(['rm', id, '--at', address, ...flags], { state })).code, 0)
    t.equal((await run(['get', id, '--from', address, ...flags, '-o', '-'], { state })).code, 4)
    t.match(await run(['stat', id, '--at', address, ...flags], { state }), { code: 2, stderr: /seed profile/ })
    t.match(await run(['get', id, '--from', address, ...flags, '-o', '-', '--range', '0-1'], { state }), { code: 2, stderr: /no ranges/ })
  }
  const confused = await run(['stat', ABSENT, '--at', seed.replace(/\?.*/, '')], { state })
  t.equal(confused.code, 1)
  t.match(confused.stderr, /another wire/)
  t.match(await node.stop('SIGTERM'), { code: 0 })
})
