import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { SwarmFacts } from '../src/web/scene.ts'
import { say } from './command-tree.ts'
import { ask, Events, Live } from './live.ts'
import { folder } from './processes.ts'

t.test('no secret is in anything that a node or a command writes, nor on the page, nor among the numbers', async t => {
  const directory = await folder(t)
  const path = (name: string): string => join(directory, name)
  const word = (): string => randomBytes(32).toString('hex')
  const secrets: Record<string, string> = { 'access token': word(), 'wrong access token': word(), 'token of the page': word(), 'wrong token of the page': word(), 'key of uploads': word(), 'key of the swarm': word() }
  const keep = async (name: string, text: string): Promise<string> => {
    await writeFile(path(name), `${text}\n`, { mode: 0o600 })
    return path(name)
  }
  const [tokens, wrong, pageTokens, ipcKey, swarmKey] = [await keep('tokens', secrets['access token'] as string), await keep('wrong', secrets['wrong access token'] as string), await keep('page-tokens', secrets['token of the page'] as string), await keep('ipc.key', secrets['key of uploads'] as string), await keep('swarm.key', secrets['key of the swarm'] as string)]
  const env = { ROPEWALK_STATE: path('laptop'), ROPEWALK_NAME: 'laptop' }
  const desk = { ROPEWALK_STATE: path('desk'), ROPEWALK_NAME: 'desk' }
  const written: Record<string, string> = {}
  const tell = (name: string, { stdout, stderr }: { stdout: string, stderr: string }): void => { written[name] = `${written[name] ?? ''}${stdout}${stderr}` }

  const node = new Live(t, ['serve', '--json', '--listen', 'mdsftp+tls://127.0.0.1:0', '--token-file', tokens, '--ipc', `unix:${path('uploads.sock')}`, '--ipc-key', ipcKey, '--inbox', path('Inbox'),
    '--store', path('store'), '--peers', '127.0.0.1:0', '--no-discover', '--web', '127.0.0.1:0', '--web-token-file', pageTokens, '--log-level', 'trace', '--log-file', path('log.ndjson')], env)
  const page = String((await node.fact('listening', ({ address }) => String(address).startsWith('http'))).address)
  const address = String((await node.fact('listening')).address)
  const peers = String((await node.fact('listening', ({ address }) => /^127/.test(String(address)))).address)
  const bearer = { authorization: `Bearer ${String(secrets['token of the page'])}` }
  const events = new Events(t, page, bearer)

  await writeFile(path('a.txt'), 'content')
  tell('put', await say(['put', path('a.txt'), '--to', address, '--token-file', tokens, '--json'], env))
  tell('put with a wrong token', await say(['put', path('a.txt'), '--to', address, '--token-file', wrong], env))
  const issued = await say(['token', 'issue', '--user', 'ada:1002', '--ttl', '1h', '--key', ipcKey, '-o', path('token.jwt')], env)
  tell('token issue', issued)
  const jwt = (await readFile(path('token.jwt'), 'utf8')).trim()
  secrets['token for uploads'] = jwt
  secrets['wrong token for uploads'] = `${jwt.slice(0, -8)}AAAAAAAA`
  const wrongJwt = await keep('wrong.jwt', secrets['wrong token for uploads'])
  tell('upload', await say(['upload', path('a.txt'), '--to', `unix:${path('uploads.sock')}`, '--token', path('token.jwt'), '--json'], env))
  tell('upload with a wrong token', await say(['upload', path('a.txt'), '--to', `unix:${path('uploads.sock')}`, '--token', wrongJwt], env))
  tell('a token in the place of its file', await say(['upload', path('a.txt'), '--to', `unix:${path('uploads.sock')}`, '--token', jwt], env))

  // The code of a pairing is for one person, on one screen.
  secrets['code that was replaced'] = String((await new Live(t, ['pair', '--json'], env).fact('code'))['code'])
  secrets['code'] = String((await new Live(t, ['pair', '--json'], env).fact('code'))['code'])
  const paired = await say(['pair', secrets['code'], peers.split('#')[0] as string, '--no-discover', '--json'], desk)
  t.equal(paired.code, 0, paired.stderr)
  tell('pair', paired)
  secrets['code that nobody guessed'] = String((await new Live(t, ['pair', '--json'], env).fact('code'))['code'])
  tell('pair with a code that is void', await say(['pair', secrets['code that was replaced'], peers.split('#')[0] as string, '--no-discover'], desk))

  for (const headers of [bearer, { authorization: `Bearer ${String(secrets['wrong token of the page'])}` }]) for (const path of ['/metrics', '/session', `/nothing?token=${String(secrets['token of the page'])}`]) {
    const { body, headers: told } = await ask(page, path, { headers })
    written[`page ${path.split('?')[0] as string}`] = body + JSON.stringify(told)
  }
  const session = await ask(page, '/session', { method: 'POST', headers: { 'x-ropewalk': '1' }, body: String(secrets['token of the page']) })
  written['session'] = session.body + JSON.stringify(session.headers)
  await events.part('log', () => true)

  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  await writeFile(path('peers.txt'), `127.0.0.1 ${port}\n127.0.0.1 1\n`)
  const member = new Live(t, ['swarm', 'join', '--peers', path('peers.txt'), '--dir', path('shared'), '--as', `127.0.0.1:${port}`, '--profile', 'hardened', '--key', swarmKey, '--json'], env)
  await member.fact('joined')
  await events.part<SwarmFacts>('swarm', swarm => swarm !== null)
  await member.stop()
  tell('swarm join', member)
  tell('swarm join with the key for its file', await say(['swarm', 'join', '--peers', path('peers.txt'), '--dir', path('shared'), '--as', `127.0.0.1:${port}`, '--profile', 'hardened', '--key', String(secrets['key of the swarm'])], env))

  t.equal(await node.stop(), 0)
  tell('serve', node)
  written['events'] = events.text
  written['log'] = await readFile(path('log.ndjson'), 'utf8')
  const identity = await readFile(join(env.ROPEWALK_STATE, 'identity.pem'), 'utf8')
  secrets['private key'] = (/PRIVATE KEY-----\n([^-]{40})/.exec(identity) as unknown as [string, string])[1]

  // And everything that it keeps: the journal, the audit log, the database. The key alone stands in its file.
  for (const state of [env.ROPEWALK_STATE, desk.ROPEWALK_STATE, path('store'), path('Inbox')]) {
    for (const entry of await readdir(state, { recursive: true, withFileTypes: true }).catch(() => [])) {
      const file = join(entry.parentPath, entry.name)
      if (entry.isFile() && entry.name !== 'identity.pem') written[file] = await readFile(file, 'latin1')
    }
  }

  t.ok((written['log'] ?? '').split('\n').length > 8, 'there is a log')
  for (const [what, part] of [['log', '"module":"mdsftp"'], ['events', '"log":']] as const) t.ok(written[what]?.includes(part), `${part} in ${what}`)
  t.ok(Object.keys(written).length >= 12 && Object.keys(secrets).length >= 11)
  for (const [what, text] of Object.entries(written)) {
    // With the key for a name of a file, its writer has shown it himself, on his own screen.
    for (const [name, secret] of Object.entries(secrets)) if (!(what.endsWith('for its file') && name === 'key of the swarm')) t.notOk(text.includes(secret), `no ${name} in ${what}`)
  }
})
