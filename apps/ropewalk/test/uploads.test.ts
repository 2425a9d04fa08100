/** `upload`, `download`, `token issue` and `serve --ipc` as processes. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { run as runHere } from '../src/program.ts'
import { Command, facts, factsOf, folder, run, type Ended } from './processes.ts'

interface Setting {
  readonly state: string
  readonly path: string
  readonly key: string
  readonly token: string
  readonly socket: string
  command: Command
  addresses: string[]
  /** With options on top of those of the setting. */
  start (...more: readonly string[]): Promise<void>
}

const PACKETS = process.platform === 'linux'
const PLANTED = 'PLANTED0SECRET0'

async function setting (t: Test, more: readonly string[] = []): Promise<Setting> {
  const [state, path] = [await folder(t), await folder(t)]
  const [key, token, socket] = [join(path, 'key'), join(path, 'token'), join(path, 'up.sock')]
  await writeFile(key, `${PLANTED}${randomBytes(16).toString('hex')}\n`, { mode: 0o600 })
  t.match(await run(['token', 'issue', '--user', 'ada:1002', '--ttl', '1h', '--key', key, '-o', token], { state }), { code: 0 })
  const made = {
    state, path, key, token, socket,
    addresses: [] as string[],
    command: undefined as unknown as Command,
    start: async (...further: readonly string[]) => {
      const command = new Command(['serve', '--json', '--ipc', `unix:${socket}`, '--ipc', 'ipc+tls://127.0.0.1:0', ...PACKETS ? ['--ipc', `seqpacket:${socket}.packets`] : [], '--ipc-key', key, '--ipc-root', join(path, 'root'), ...more, ...further], { state })
      t.teardown(() => { command.kill('SIGKILL') })
      await command.until(({ stdout }) => factsOf(stdout, 'listening').length === (PACKETS ? 3 : 2))
      made.command = command
      made.addresses = factsOf(command.stdout, 'listening').map(({ address }) => String(address))
    }
  }
  await made.start()
  return made
}

/** Starts the server anew, so slow that no upload is over before the test has seen it under way. */
async function slow (made: Setting): Promise<void> {
  const config = join(made.path, 'slow.toml')
  await writeFile(config, '[limits]\nipc_down = "1M"\n')
  made.command.kill('SIGTERM')
  await made.command.ended
  await made.start('--config', config)
}

/** A command in this process: starting one takes longer than most of them run. */
async function here (args: readonly string[], state: string): Promise<Ended> {
  const [stdin, stdout, stderr] = [new PassThrough().end(), new PassThrough(), new PassThrough()]
  const signal = new AbortController().signal
  const code = await runHere(args, { stdin, stdout, stderr, env: { ROPEWALK_STATE: state }, signal, now: () => performance.now() })
  return { code, signal: null, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') }
}

t.test('files go up and come back, over unix sockets of streams and of packets, and over a muxed TLS connection; again, nothing is sent', async t => {
  const { state, path, token, command, addresses } = await setting(t)
  const files = { 'a.bin': randomBytes(300_000), 'b.txt': Buffer.from('rope'), empty: Buffer.alloc(0) }
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content)
  const names = Object.keys(files)
  for (const [at, to] of addresses.entries()) {
    const first = await run(['upload', ...names.map(name => join(path, name)), '--to', to, '--token', token, '--tag', `way${at}`, '--json'], { state })
    t.equal(first.code, 0, first.stderr)
    t.equal(factsOf(first.stdout, 'uploaded').reduce((sum, { sent }) => sum + Number(sent), 0), 300_004)
    const again = await run(['upload', ...names.map(name => join(path, name)), '--to', to, '--token', token, '--tag', `way${at}`, '--json'], { state })
    t.same(factsOf(again.stdout, 'uploaded').map(({ sent }) => sent), [0, 0, 0])
    const back = join(path, `back${at}`)
    t.match(await run(['download', 'a.bin', 'b.txt', String(factsOf(first.stdout, 'uploaded').find(({ name }) => name === 'empty')?.['sha256']), '--from', to, '--token', token, '-o', `${back}/`], { state }), { code: 0 })
    for (const [name, content] of Object.entries(files)) t.ok(content.equals(await readFile(join(back, name))), name)
  }
  const [to = ''] = addresses
  t.match(await run(['upload', join(path, 'b.txt'), '--to', to, '--token', token, '--profile', 'final', '--framing', 'stream4'], { state }), { code: 0, stdout: /^[\da-f]{64}\t4\t/ })
  t.match(await run(['download', 'b.txt', '--from', to, '--token', token, '-o', '-'], { state }), { code: 0, stdout: 'rope' })
  t.match(await run(['download', 'b.txt', '--from', to, '--token', token, '-o', join(path, 'b.txt')], { state }), { code: 1, stderr: /--force/ })
  t.match(await run(['download', 'absent', '--from', to, '--token', token], { state }), { code: 4, stderr: /ERR_NOT_FOUND/ })
  command.kill('SIGTERM')
  t.match(await command.ended, { code: 0 })
})

t.test('a server that is killed in the middle and started again: the upload goes on by itself', async t => {
  const made = await setting(t)
  await slow(made)
  const file = join(made.path, 'big')
  const content = randomBytes(24 * 1024 * 1024)
  await writeFile(file, content)
  const upload = new Command(['upload', file, '--to', `unix:${made.socket}`, '--token', made.token, '--json'], { state: made.state })
  await upload.until(({ stdout }) => factsOf(stdout, 'progress').length > 1)
  made.command.kill('SIGKILL')
  await made.command.ended
  t.same(factsOf(upload.stdout, 'uploaded'), [], 'it was in the middle')
  await made.start()
  const { code, stdout, stderr } = await upload.ended
  t.equal(code, 0, stderr)
  const sent = factsOf(stdout, 'uploaded')[0]?.['sent']
  // What was acknowledged is not sent again. Blocks that were stored and whose answers were lost are in nobody's count.
  t.ok(Number(sent) <= content.length && Number(sent) > 0, `${String(sent)} of ${content.length}`)
  await run(['download', 'big', '--from', `unix:${made.socket}`, '--token', made.token, '-o', `${file}.back`], { state: made.state })
  t.ok(content.equals(await readFile(`${file}.back`)))
})

t.test('Ctrl-C says what is kept, and the same command sends only the rest', async t => {
  const made = await setting(t)
  await slow(made)
  const { state, path, token, socket } = made
  const file = join(path, 'big')
  await writeFile(file, '')
  await truncate(file, 96 * 1024 * 1024)
  const first = new Command(['upload', file, '--to', `unix:${socket}`, '--token', token, '--json'], { state })
  await first.until(({ stdout }) => factsOf(stdout, 'progress').length > 1)
  first.kill('SIGINT')
  const { code, stdout, stderr } = await first.ended
  t.equal(code, 130)
  t.match(stderr, /^Interrupted: [\d.]+ [KMi]*B of the file are kept there, and the same command sends the rest\.$/m)
  const acknowledged = Math.max(...factsOf(stdout, 'failed').map(({ bytes }) => Number(bytes)))
  t.ok(acknowledged > 0)

  made.command.kill('SIGTERM')
  await made.command.ended
  await made.start()
  const again = await run(['upload', file, '--to', `unix:${socket}`, '--token', token, '--json'], { state })
  t.equal(again.code, 0, again.stderr)
  const { sent, size } = factsOf(again.stdout, 'uploaded')[0] as Record<string, unknown>
  t.ok(Number(sent) <= Number(size) - acknowledged, `${acknowledged} acknowledged, ${String(sent)} sent`)
})

t.test('exit codes and codes of what goes wrong', async t => {
  const { state, path, token, key, socket, addresses } = await setting(t, ['--ipc-max-file', '100K'])
  const [to = '', tls = ''] = addresses
  const file = join(path, 'a')
  await writeFile(file, 'x')
  await writeFile(join(path, 'large'), Buffer.alloc(102_401))
  await here(['token', 'issue', '--user', 'eve:7', '--ttl', '1h', '--key', token, '-o', join(path, 'forged')], state)
  await writeFile(join(path, 'nothing'), 'no token')
  const EXPECTED: Array<[args: string[], code: number, says: RegExp]> = [
    [['upload', file, '--to', to, '--token', join(path, 'forged')], 1, /ERR_TOKEN/],
    [['upload', file, '--to', to, '--token', join(path, 'nothing')], 2, /ERR_KEY/],
    [['upload', file, '--to', to, '--token', join(path, 'absent')], 2, /ERR_KEY/],
    [['upload', file, '--to', 'unix:/absent/socket', '--token', token], 3, /ERR_UNREACHABLE/],
    [['upload', file, '--to', `seqpacket:${socket}`, '--token', token], 3, /ERR_UN(REACHABLE|AVAILABLE)/],
    [['upload', file, '--to', tls.replace(/[\da-f]{64}$/, '0'.repeat(64)), '--token', token], 3, /ERR_UNTRUSTED/],
    [['upload', file, '--to', 'mdsftp+tls://127.0.0.1', '--token', token], 2, /ERR_ADDRESS/],
    [['upload', path, '--to', to, '--token', token], 1, /is a directory/],
    [['upload', join(path, 'large'), '--to', to, '--token', token], 1, /file too big/],
    [['upload', file, '--to', to], 2, /--token/],
    [['serve', '--ipc', to], 2, /--ipc-key/],
    [['serve', '--ipc-key', key], 2, /--ipc/],
    [['serve', '--ipc', `unix:${socket}2`, '--ipc-key', key, '--ipc-root', join(path, 'root')], 1, /another node has this folder/],
    [['token', 'issue', '--user', 'ada', '--ttl', '1h', '--key', key], 2, /NAME:UID/],
    [['token', 'issue', '--user', 'ada:1', '--ttl', '1', '--key', key], 2, /90s/],
    [['token', 'issue', '--user', 'ada:1', '--ttl', '1h', '--key', join(path, 'absent')], 2, /ERR_KEY/],
    [['token', 'issue', '--user', 'ada:1', '--ttl', '1h', '--key', key, '-o', token], 1, /ERR_EXISTS/]
  ]
  for (const [args, code, says] of EXPECTED) {
    const ended = await here(args, state)
    t.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`)
    t.match(ended.stderr, says)
  }
})

t.test('a planted token and a planted key are in no output, whatever goes wrong', async t => {
  const { state, path, token, key, socket, command, addresses } = await setting(t)
  const secrets = [PLANTED, (await readFile(token, 'utf8')).trim(), (await readFile(key, 'utf8')).trim()]
  const file = join(path, 'a')
  await writeFile(file, 'x')
  const forged = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify({ login: 'ada', uid: 1002 })).toString('base64url')}.${PLANTED}`
  await writeFile(join(path, 'forged'), forged)
  await writeFile(join(path, 'broken.pem'), `-----BEGIN PRIVATE KEY-----\n${PLANTED}\n-----END PRIVATE KEY-----\n`)
  await writeFile(join(path, 'broken.jwk'), `{"kty":"oct","k":"${PLANTED}"`)
  const said: Ended[] = []
  for (const to of addresses) {
    said.push(await here(['upload', file, join(path, 'absent'), '--to', to, '--token', token, '--json'], state))
    for (const profile of ['readme', 'final']) said.push(await here(['upload', file, '--to', to, '--token', join(path, 'forged'), '--profile', profile], state))
  }
  // The token itself, where the name of its file should be.
  said.push(await here(['upload', file, '--to', `unix:${socket}`, '--token', forged], state))
  said.push(await here(['upload', file, '--to', 'unix:/absent', '--token', token], state))
  for (const bad of ['broken.pem', 'broken.jwk']) {
    said.push(await here(['token', 'issue', '--user', 'ada:1', '--ttl', '1h', '--key', join(path, bad)], state))
    said.push(await here(['serve', '--ipc', `unix:${socket}3`, '--ipc-key', join(path, bad)], state))
  }
  command.kill('SIGTERM')
  said.push(await command.ended)
  t.equal(said.length, PACKETS ? 16 : 13)
  for (const { stdout, stderr } of said) for (const secret of secrets) t.notOk(`${stdout}${stderr}`.includes(secret), `${stdout}${stderr}`)
  t.match(factsOf(said.at(0)?.stdout ?? '', 'uploaded'), [{ name: 'a' }], 'a good token works')
})

t.test('a pair of keys: the server has the public one only', async t => {
  const [state, path] = [await folder(t), await folder(t)]
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  await writeFile(join(path, 'private.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }))
  await writeFile(join(path, 'jwks.json'), JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }))
  await writeFile(join(path, 'a'), 'x')
  const issued = await run(['token', 'issue', '--user', 'ada:1', '--ttl', '1h', '--key', join(path, 'private.pem'), '--audience', 'nas', '--json'], { state })
  t.match(facts(issued.stdout), [{ event: 'issued', user: 'ada', uid: 1, algorithm: 'EdDSA', path: null }])
  await writeFile(join(path, 'token'), String(facts(issued.stdout)[0]?.['token']))
  for (const [audience, code] of [['nas', 0], ['other', 1]] as const) {
    const server = new Command(['serve', '--json', '--ipc', join(path, 'sock'), '--ipc-key', join(path, 'jwks.json'), '--ipc-audience', audience], { state })
    t.teardown(() => { server.kill('SIGKILL') })
    await server.until(({ stdout }) => factsOf(stdout, 'listening').length === 1)
    t.equal((await run(['upload', join(path, 'a'), '--to', join(path, 'sock'), '--token', join(path, 'token')], { state })).code, code)
    server.kill('SIGTERM')
    t.equal((await server.ended).code, 0)
  }
})
