/** casync as one of the protocols of a node: on the channels of its listeners, and on standard input and output. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pull, decodeIndex, push } from '@ropewalk/protocol-casync'
import { castr, nodeHash } from '@ropewalk/store-castr'
import { spawn, type ChildConnection } from '@ropewalk/transport-stdio'
import { duplexPair } from '@ropewalk/testing'
import t, { type Test } from 'tap'
import { acceptCasync } from '../src/casync/node-route.ts'
import { formatLocator, nameOf, parseLocator, sameHost } from '../src/casync/locator.ts'
import { compression, fakeSsh, makeBlob, noise } from './casync-scene.ts'
import { here, HereNode } from './node.ts'
import { Command, facts, folder, run, type Fact } from './processes.ts'
import { MAIN } from './programs.ts'

const BLOB = noise('node', 900_000)

/** A folder to serve, with an index, its chunks and an archive. */
async function images (at: string): Promise<string> {
  const root = join(at, 'images')
  await mkdir(join(root, 'inner'), { recursive: true })
  await makeBlob(BLOB, join(root, 'inner', 'a.caibx'), join(root, 'inner', 'default.castr'))
  await writeFile(join(root, 'a.catar'), BLOB)
  await writeFile(join(root, 'secret.txt'), 'secret')
  await makeBlob(BLOB, join(at, 'outside.caibx'), join(at, 'default.castr'))
  await symlink(join(at, 'outside.caibx'), join(root, 'link.caibx'))
  return root
}

async function nodeAt (t: Test, state: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ node: HereNode, addresses: string[] }> {
  const node = new HereNode(t, words, state, { ROPEWALK_CHUNKS_LISTEN: 'http://127.0.0.1:0', ...env })
  const wanted = words.filter(word => word === '--listen').length
  const told = await node.told('listening', wanted, ({ address }) => !String(address).startsWith('http:'))
  return { node, addresses: told.map(({ address }) => String(address)) }
}

async function identityOf (state: string): Promise<string> {
  return String((facts((await here(['identity', '--json'], state)).stdout)[0] as Fact)['sha256'])
}

t.test('indexes, chunks and archives go both ways over every listener for several protocols', async t => {
  const state = await folder(t)
  const root = await images(state)
  const { node, addresses } = await nodeAt(t, state, [
    '--chunks', root, '--chunks-push',
    ...['yamux+tls://127.0.0.1:0', 'yamux+tcp://127.0.0.1:0', `yamux+unix:${join(state, 'n.sock')}`, 'yamux+wss://127.0.0.1:0/w', 'yamux+ws://[::1]:0'].flatMap(address => ['--listen', address])
  ])
  const index = await readFile(join(root, 'inner', 'a.caibx'))
  for (const [at, address] of addresses.entries()) {
    const mine = join(state, `mine${at}`)
    await mkdir(mine)
    const pulled = await here(['casync', 'pull', `${address}::inner/a.caibx`, mine, '--json'], state)
    t.equal(pulled.code, 0, pulled.stderr)
    t.ok(index.equals(await readFile(join(mine, 'a.caibx'))))
    const extracted = await here(['casync', 'extract', join(mine, 'a.caibx'), join(mine, 'blob')], state)
    t.equal(extracted.code, 0, extracted.stderr)
    t.ok(BLOB.equals(await readFile(join(mine, 'blob'))), 'every chunk came')
    const pushed = await here(['casync', 'push', join(mine, 'a.caibx'), `${address}::pushed${at}.caibx`], state)
    t.equal(pushed.code, 0, pushed.stderr)
    t.ok(index.equals(await readFile(join(root, `pushed${at}.caibx`))))
  }
  const [address = ''] = addresses
  t.match(await here(['casync', 'verify', join(root, 'pushed0.caibx')], state), { code: 0 }, 'its chunks are beside it')
  const blob = join(state, 'blob')
  t.match(await here(['casync', 'extract', `${address}::inner/a.caibx`, blob], state), { code: 0 })
  t.ok(BLOB.equals(await readFile(blob)))
  t.match(await here(['casync', 'make', `${address}::made.caibx`, blob], state), { code: 0 })
  t.match(await here(['casync', 'digest', join(root, 'made.caibx')], state), { code: 0, stdout: (await here(['casync', 'digest', join(root, 'inner', 'a.caibx')], state)).stdout })
  t.match(await here(['casync', 'pull', `${address}::a.catar`, join(state, 'b.catar')], state), { code: 0 })
  t.ok(BLOB.equals(await readFile(join(state, 'b.catar'))))
  t.match(await here(['casync', 'push', join(state, 'b.catar'), `${address}::sub.catar`], state), { code: 0 })
  t.ok(BLOB.equals(await readFile(join(root, 'sub.catar'))))

  const past = facts((await here(['history', '--json'], state)).stdout).filter(({ protocol }) => protocol === 'casync')
  t.ok(past.some(({ direction, name, state, bytes }) => direction === 'out' && name === 'inner/a.caibx' && state === 'done' && Number(bytes) > 300_000), 'what was given is in the journal')
  t.ok(past.some(({ direction, name, state }) => direction === 'in' && name === 'pushed0.caibx' && state === 'done'))
  t.equal(await node.stop(), 0)
})

t.test('only what lies below the folder is served, and pushes only where that was said', async t => {
  const state = await folder(t)
  const root = await images(state)
  const { node, addresses: [address = ''] } = await nodeAt(t, state, ['--chunks', root, '--listen', `yamux+unix:${join(state, 'n.sock')}`])
  const to = join(state, 'to')
  await mkdir(to)
  for (const name of ['../outside.caibx', join(state, 'outside.caibx'), 'link.caibx', 'inner/../../outside.caibx', 'http://127.0.0.1/a.caibx']) {
    const refused = await here(['casync', 'pull', `${address}::${name}`, to], state)
    t.match(refused, { code: 1, stderr: /not below the folders that are served here/ }, name)
  }
  t.match(await here(['casync', 'pull', '--what=archive', `${address}::secret.txt`, to], state), { code: 1, stderr: /an archive in \.catar/ })
  t.match(await here(['casync', 'pull', `${address}::none.caibx`, to], state), { code: 1, stderr: /no such file or directory/ })
  t.match(await here(['casync', 'push', join(root, 'inner', 'a.caibx'), `${address}::new.caibx`], state), { code: 1, stderr: /push is not allowed here/ })
  t.notOk((await readdir(root)).includes('new.caibx'))
  t.same(await readdir(to), [])
  t.match(await node.told('trouble', 7), [{ code: 'ERR_REFUSED' }])
  t.equal(await node.stop(), 0)

  const { node: other, addresses: [without = ''] } = await nodeAt(t, state, ['--listen', `yamux+unix:${join(state, 'm.sock')}`])
  t.match(await here(['casync', 'pull', `${without}::inner/a.caibx`, to], state), { code: 3, stderr: /no session[^]*--chunks/ }, 'a node that serves no chunks')
  t.equal(await other.stop(), 0)
})

t.test('who comes over TLS is asked for his key: allowed, granted for a folder to read or to write, or refused', async t => {
  const [state, ada, eve] = [await folder(t), await folder(t), await folder(t)]
  const root = await images(state)
  await mkdir(join(root, 'drop'))
  const { node, addresses: [address = ''] } = await nodeAt(t, state, ['--chunks', root, '--chunks-push', '--listen', 'yamux+tls://127.0.0.1:0', '--allow', `sha256=${await identityOf(state)}`])
  const pulls = async (who: string, name: string = 'inner/a.caibx'): Promise<number> => (await here(['casync', 'pull', `${address}::${name}`, join(who, 'got.caibx')], who)).code
  const pushes = async (who: string, name: string): Promise<number> => (await here(['casync', 'push', join(root, 'inner', 'a.caibx'), `${address}::${name}`], who)).code

  t.equal(await pulls(state), 0, 'allowed')
  t.not(await pulls(eve), 0, 'not allowed')
  t.match(await node.told('trouble'), [{ code: 'ERR_REFUSED', message: /is not among those allowed/ }])

  const key = `sha256=${await identityOf(ada)}`
  t.match(await here(['grant', key, '--protocol', 'casync', '--on', join(root, 'inner'), '--access', 'read'], state), { code: 0 })
  t.equal(await pulls(ada), 0, 'granted')
  t.not(await pulls(ada, 'a.caibx'), 0, 'another folder than the one granted')
  t.not(await pushes(ada, 'inner/new.caibx'), 0, 'to read')
  t.match(await here(['grant', key, '--protocol', 'casync', '--on', join(root, 'drop'), '--access', 'write'], state), { code: 0 })
  t.equal(await pushes(ada, 'drop/new.caibx'), 0, 'to write')
  t.not(await pushes(ada, 'inner/new.caibx'), 0, 'what may be read may still not be written')
  t.equal(await pulls(ada), 0)
  const audit = facts((await here(['audit', '--json'], state)).stdout)
  t.ok(audit.some(({ event, protocol, granted }) => event === 'connected' && protocol === 'casync' && granted === true))
  t.equal(await node.stop(), 0)

  const [tokens, token] = [join(state, 'tokens'), 'a'.repeat(64)]
  await writeFile(tokens, `${token}\n`, { mode: 0o600 })
  const { node: asks, addresses: [second = ''] } = await nodeAt(t, state, ['--chunks', root, '--listen', 'yamux+tls://127.0.0.1:0', '--token-file', tokens])
  t.not((await here(['casync', 'pull', `${second}::inner/a.caibx`, join(eve, 'x.caibx')], eve)).code, 0, 'a node that asks for tokens gives nothing without')
  t.match(await asks.told('trouble'), [{ code: 'ERR_REFUSED', message: /asks for tokens/ }])
  t.equal(await asks.stop(), 0)
})

t.test('words that are none, or too many, are refused before anything is looked at', async t => {
  for (const [line, message] of [
    [JSON.stringify(['pull', '-', '-', 'a.caibx', ...Array.from({ length: 29 }, (_, at) => `${at}.castr`)]), '33 > 32 words'],
    ['{"pull":1}', 'a list of words'], ['["pull",1]', 'a list of words'], ['pull', 'a line of JSON']
  ] as const) {
    const [client, node] = duplexPair()
    const sent = client.sink([Buffer.from(`${line}\n`)])
    await t.rejects(acceptCasync(node, {}), { code: 'ERR_USAGE', message: new RegExp(message) })
    await sent
  }
})

t.test('limits hold for casync on a channel as for everything else', async t => {
  const state = await folder(t)
  const root = await images(state)
  const { node, addresses: [address = ''] } = await nodeAt(t, state, ['--chunks', root, '--listen', `yamux+unix:${join(state, 'n.sock')}`], { ROPEWALK_LIMITS_CONNECTIONS: '1', ROPEWALK_LIMITS_CASYNC_UP: '256k' })
  const slow = here(['casync', 'pull', `${address}::inner/a.caibx`, join(state, 'one.caibx')], state)
  await node.told('listening')
  for (;;) if (facts((await here(['status', '--json'], state)).stdout).some(({ protocol }) => protocol === 'casync')) break
  t.not((await here(['casync', 'pull', `${address}::inner/a.caibx`, join(state, 'two.caibx')], state)).code, 0, 'one connection is all there may be')
  t.match(await node.told('trouble'), [{ code: 'ERR_REFUSED', message: /limits\.connections/ }])
  t.match(await slow, { code: 0 })
  t.equal(await node.stop(), 0)
})

/** `serve --listen casync+stdio:…`, as whoever starts it sees it. */
async function started (state: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ChildConnection> {
  return await spawn(process.execPath, ['--conditions=@ropewalk/source', MAIN, 'serve', ...words], { env: { ...process.env, ROPEWALK_STATE: state, ...env } })
}

t.test('a node on standard input and output: a client starts it through ssh, and takes and brings', async t => {
  const at = await folder(t)
  const root = await images(at)
  const ssh = await fakeSsh(at)
  await writeFile(join(at, 'node.toml'), `listen = ["mdsftp+tls://127.0.0.1:1"]\nallow = ["sha256=${'a'.repeat(64)}"]\n[chunks]\ndirectory = "images"\nlisten = "http://127.0.0.1:1"\n[peers]\ninbox = "Inbox"\n`)
  const env = (push: boolean): NodeJS.ProcessEnv => ({
    ...ssh, ROPEWALK_CHUNKS_PUSH: String(push), CASYNC_REMOTE_PATH: `${process.execPath} --conditions=@ropewalk/source ${MAIN} serve --config ${join(at, 'node.toml')} --log-level info --listen casync+stdio: --`
  })
  const index = await readFile(join(root, 'inner', 'a.caibx'))
  const pulled = await run(['casync', 'pull', 'host:inner/a.caibx', join(at, 'got.caibx'), '--json'], { state: at, env: env(false) })
  t.equal(pulled.code, 0, pulled.stderr)
  t.ok(index.equals(await readFile(join(at, 'got.caibx'))))
  t.match(pulled.stderr, /"msg":"started"/, 'the log goes to standard error')
  const extracted = await run(['casync', 'extract', join(at, 'got.caibx'), join(at, 'blob')], { state: at })
  t.equal(extracted.code, 0, extracted.stderr)
  t.ok(BLOB.equals(await readFile(join(at, 'blob'))))

  t.match(await run(['casync', 'push', join(at, 'got.caibx'), 'host:back.caibx'], { state: at, env: env(false) }), { code: 1, stderr: /push is not allowed here/ })
  const pushed = await run(['casync', 'push', '--rate-limit-bps=100M', join(at, 'got.caibx'), 'host:back.caibx'], { state: at, env: env(true) })
  t.equal(pushed.code, 0, pushed.stderr)
  t.ok(index.equals(await readFile(join(root, 'back.caibx'))))
  t.match(await run(['casync', 'pull', `host:${join(at, 'outside.caibx')}`, join(at, 'no.caibx')], { state: at, env: env(true) }), { code: 1, stderr: /not below the folders/ })
})

t.test('without words it gives what its address names, or chunks alone; what sshd hands on goes before', async t => {
  const at = await folder(t)
  const root = await images(at)
  const index = await readFile(join(root, 'inner', 'a.caibx'))
  const read = async (connection: ChildConnection, options: { archive?: boolean } = {}): Promise<Buffer> => {
    const session = await pull(connection, { hash: nodeHash, compression, ...options })
    const parts: Uint8Array[] = []
    for await (const bytes of options.archive === true ? session.archive : session.index) parts.push(bytes)
    if (options.archive !== true) for await (const { id } of decodeIndex()(parts)) t.ok(await session.get(id))
    await session.close()
    t.match(await connection.exited, { code: 0, stderr: '' })
    return Buffer.concat(parts)
  }
  t.ok(index.equals(await read(await started(at, ['--chunks', root, '--listen', 'casync+stdio:inner/a.caibx']))))
  t.ok(BLOB.equals(await read(await started(at, ['--chunks', root, '--listen', 'casync+stdio:a.catar']), { archive: true })))
  t.ok(index.equals(await read(await started(at, ['--chunks', root, '--listen', 'casync+stdio:'], { SSH_ORIGINAL_COMMAND: 'casync pull - - inner/a.caibx inner/default.castr' }))))

  const alone = await started(at, ['--chunks', join(root, 'inner'), '--listen', 'casync+stdio:'])
  const session = await pull(alone, { hash: nodeHash, compression, index: false })
  for await (const { id } of decodeIndex()([index])) t.equal(createHash('sha512-256').update((await session.get(id))?.bytes ?? '').digest('hex'), id)
  await session.close()
  t.match(await alone.exited, { code: 0 })

  const taker = await started(at, ['--chunks', root, '--chunks-push', '--listen', 'casync+stdio:', '--', 'push', '-', '-', 'p.caibx', 'p.castr'])
  await push(taker, { index: [index], store: castr(join(root, 'inner', 'default.castr')), compression })
  t.match(await taker.exited, { code: 0 })
  t.ok(index.equals(await readFile(join(root, 'p.caibx'))))
})

t.test('standard output has the protocol and nothing else, and the process ends with its input', async t => {
  const at = await folder(t)
  const root = await images(at)
  const command = new Command(['serve', '--chunks', root, '--log-level', 'trace', '--listen', 'casync+stdio:inner/a.caibx'], { state: at })
  command.input('')
  const { code, stdout } = await command.ended
  t.equal(code, 0)
  t.equal(Buffer.from(stdout, 'utf8').subarray(0, 8).toString('hex'), '1800000000000000', 'a hello of 24 bytes')
  t.equal(stdout.includes('started'), false)

  const nonsense = await run(['serve', '--chunks', root, '--listen', 'casync+stdio:inner/a.caibx'], { state: at, input: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' })
  t.match(nonsense, { code: 1, stderr: /^ropewalk: .*ERR_FRAME_SIZE/ })

  const waiting = new Command(['serve', '--chunks', root, '--listen', 'casync+stdio:inner/a.caibx'], { state: at })
  await waiting.until(({ stdout }) => stdout.length >= 8)
  waiting.kill('SIGTERM')
  t.match(await waiting.ended, { code: 130 })
})

t.test('what does not go together is refused before anything is started, and nothing is printed on standard output', async t => {
  const at = await folder(t)
  const root = await images(at)
  const stdio = ['--chunks', root, '--listen', 'casync+stdio:']
  for (const [words, stderr] of [
    [['--listen', 'casync+stdio:'], /needs a folder to serve .*ERR_USAGE/],
    [[...stdio, '--listen', 'yamux+tcp://127.0.0.1:0'], /one session, and the process ends with it .*ERR_USAGE/],
    [['--listen', 'yamux+tcp://127.0.0.1:0', ...stdio], /one session, and the process ends with it .*ERR_USAGE/],
    [[...stdio, '--listen', 'casync+stdio:'], /one session, and the process ends with it .*ERR_USAGE/],
    [[...stdio, '--json'], /--json does not go with .*ERR_USAGE/],
    [[...stdio, '--web'], /--web does not go with .*ERR_USAGE/],
    [[...stdio, '--inbox', at], /--inbox does not go with .*ERR_USAGE/],
    [[...stdio, '--', 'pull', '-'], /pull BASE ARCHIVE INDEX STORE.*ERR_USAGE/],
    [[...stdio, '--', 'listen'], /pull or push .*ERR_USAGE/],
    [['--chunks', root, '--listen', 'casync+stdio:a.catar', '--', 'pull', '-', '-', 'inner/a.caibx', '-'], /said twice .*ERR_USAGE/],
    [['--chunks', root, 'pull', '-', '-', 'inner/a.caibx', '-'], /no words but with .*ERR_USAGE/],
    [['--listen', 'ipc+unix:/x'], /--ipc needs --ipc-key.*ERR_USAGE/]
  ] as const) t.match(await here(['serve', ...words], at), { code: 2, stdout: '', stderr }, words.join(' '))
  t.match(await here(['serve', ...stdio], at, { env: { ROPEWALK_TRUST_ONLY_GRANTED: 'true' } }), { code: 2, stdout: '', stderr: /trust\.only_granted .*ERR_USAGE/ })
  for (const words of [['pull', 'mdsftp+tls://h::a.caibx', at], ['pull', 'yamux+tls://h', at], ['pull', 'yamux+tls://h::', at], ['pull', 'yamux+tcp://192.0.2.1::a.caibx', at], ['pull', 'yamux+ws://192.0.2.1::a.caibx', at]]) {
    t.match(await here(['casync', ...words], at), { code: 2 }, words.join(' '))
  }
})

t.test('ADDRESS::PATH is written as it is read', async t => {
  const text = `yamux+wss://[::1]:7740/w?profile=seed#sha256=${'a'.repeat(64)}::b/c::d.caibx`
  t.same(parseLocator(text), { kind: 'node', address: text.slice(0, text.indexOf('::b')), path: 'b/c::d.caibx' })
  t.equal(formatLocator(parseLocator(text)), text)
  t.equal(nameOf(parseLocator(text)), 'c::d.caibx')
  t.ok(sameHost(parseLocator('yamux+unix:/a::b'), parseLocator('yamux+unix:/a::c')))
  t.notOk(sameHost(parseLocator('yamux+unix:/a::b'), parseLocator('yamux+unix:/b::b')))
})
