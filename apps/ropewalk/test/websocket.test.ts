/** A node behind WebSockets: the same protocols, the same trust, and nothing for the pages of strangers. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { dial } from '@ropewalk/transport-ws/node'
import { select } from '@ropewalk/negotiate'
import { yamux } from '@ropewalk/muxer-yamux'
import { formatAddress, parseAddress } from '../src/address.ts'
import { STORAGE_PROTOCOL } from '../src/muxed-route.ts'
import { here, HereNode } from './node.ts'
import { facts, folder, run, type Fact } from './processes.ts'

const content = randomBytes(3_000_000)

t.test('objects and uploads go over a WebSocket both ways, with TLS and without', async t => {
  const state = await folder(t)
  const [file, key, token] = [join(state, 'a.bin'), join(state, 'key'), join(state, 'token')]
  await writeFile(file, content)
  await writeFile(key, randomBytes(32).toString('hex'), { mode: 0o600 })
  t.match(await here(['token', 'issue', '--user', 'ada:7', '--ttl', '1h', '--key', key, '-o', token], state), { code: 0 })
  const node = new HereNode(t, ['--listen', 'yamux+ws://127.0.0.1:0/a/node', '--listen', 'yamux+wss://127.0.0.1:0', '--listen', 'yamux+ws://[::1]:0', '--ipc', `unix:${join(state, 'up.sock')}`, '--ipc-key', key], state)
  const addresses = (await node.told('listening', 4)).map(({ address }) => String(address)).slice(0, 3)
  const [plain = '', secure = '', six = ''] = addresses
  t.match(plain, /^yamux\+ws:\/\/127\.0\.0\.1:[1-9]\d*\/a\/node$/)
  t.match(secure, /^yamux\+wss:\/\/127\.0\.0\.1:[1-9]\d*#sha256=[\da-f]{64}$/)
  t.match(six, /^yamux\+ws:\/\/\[::1\]:[1-9]\d*$/)

  for (const [at, address] of addresses.entries()) {
    const put = await here(['put', file, '--to', address, '--json'], state)
    t.equal(put.code, 0, put.stderr)
    const { id, sha256 } = facts(put.stdout).find(({ event }) => event === 'stored') as Fact & { id: string, sha256: string }
    t.match(await here(['stat', id, '--at', address], state), { code: 0, stdout: /3000000/ })
    t.match(await here(['verify', `${id}=${sha256}`, '--at', address], state), { code: 0 })
    const back = join(state, `back${at}`)
    t.match(await here(['get', id, '--from', address, '-o', back], state), { code: 0 })
    t.ok(content.equals(await readFile(back)))
    t.match(await here(['rm', id, '--at', address], state), { code: 0 })
    t.match(await here(['get', id, '--from', address, '-o', join(state, 'no')], state), { code: 4 })

    const up = await here(['upload', file, '--to', address, '--token', token, '--tag', `n${at}`, '--json'], state)
    t.equal(up.code, 0, up.stderr)
    const down = join(state, `down${at}`)
    const fetched = await here(['download', 'a.bin', '--from', address, '--token', token, '-o', down], state)
    t.equal(fetched.code, 0, fetched.stderr)
    t.ok(content.equals(await readFile(down)))

    const steps = facts((await here(['doctor', address, '--json'], state)).stdout)
    t.same(steps.filter(({ outcome }) => outcome === 'failed'), [])
    t.ok(steps.some(({ step }) => step === (address === secure ? 'tls' : 'websocket')))
  }

  const durable = await run(['put', '--durable', file, '--to', secure, '--json'], { state })
  t.equal(durable.code, 0, durable.stderr)
  const split = await here(['put', file, '--to', `${plain},${secure}`, '-o', join(state, 'a.ropewalk')], state)
  t.equal(split.code, 0, split.stderr)
  t.match(await here(['get', join(state, 'a.ropewalk'), '-o', join(state, 'whole')], state), { code: 0 })
  t.ok(content.equals(await readFile(join(state, 'whole'))))
  t.equal(await node.stop(), 0)
})

t.test('over wss the key counts, as it does over TLS', async t => {
  const [state, other] = [await folder(t), await folder(t)]
  const key = String((facts((await here(['identity', '--json'], other)).stdout)[0] as Fact)['sha256'])
  const node = new HereNode(t, ['--listen', 'yamux+wss://127.0.0.1:0', '--allow', `sha256=${key}`], state)
  const address = String((await node.fact('listening'))['address'])
  const file = join(state, 'f')
  await writeFile(file, 'hello')

  t.match(await here(['put', file, '--to', address], other), { code: 0 }, 'a key that is allowed')
  const refused = await here(['put', file, '--to', address], await folder(t))
  t.equal(refused.code, 1, 'one that is not')
  t.match(await node.told('trouble'), [{ code: 'ERR_REFUSED', message: /is not among those allowed/ }])

  const bare = address.replace(/#.*/, '')
  t.match(await here(['put', file, '--to', bare], other), { code: 3, stderr: /is not known here \(ERR_UNTRUSTED\)\n[^]*yamux\+wss:\/\/127/ }, 'unknown')
  t.match(await here(['put', file, '--to', `${bare}#sha256=${'0'.repeat(64)}`], other), { code: 3, stderr: /ERR_UNTRUSTED/ }, 'another key in the address')
  t.match(await here(['put', file, '--to', bare, '--trust'], other), { code: 0 })
  t.match(await here(['put', file, '--to', bare], other), { code: 0 }, 'kept')
  t.match(await here(['doctor', `${bare}#sha256=${'0'.repeat(64)}`], other), { code: 3, stdout: /identity\tfailed\t/ })
  t.match(await here(['doctor', `${bare}/elsewhere`], other), { code: 3, stdout: /tls\tfailed\t.*404.*ERR_REFUSED/ })
  t.equal(await node.stop(), 0)
})

t.test('an authority vouches for a node behind wss, or nobody does', async t => {
  const state = await folder(t)
  t.match(await here(['ca', 'init', '--dir', state], state), { code: 0 })
  t.match(await here(['ca', 'issue', 'nas', '--dir', state, '--san', '127.0.0.1', '-o', join(state, 'nas')], state), { code: 0 })
  t.match(await here(['ca', 'init', '--dir', join(state, 'other')], state), { code: 0 })
  const node = new HereNode(t, ['--listen', 'yamux+wss://127.0.0.1:0', '--cert', join(state, 'nas', 'cert.pem'), '--key', join(state, 'nas', 'key.pem')], state)
  const bare = String((await node.fact('listening'))['address']).replace(/#.*/, '')
  const file = join(state, 'f')
  await writeFile(file, 'hello')
  t.match(await here(['put', file, '--to', bare, '--ca', join(state, 'ca.pem')], await folder(t)), { code: 0 })
  t.match(await here(['put', file, '--to', bare, '--ca', join(state, 'other', 'ca.pem')], await folder(t)), { code: 3, stderr: /does not vouch/ })
  t.match(await here(['put', file, '--to', bare.replace('127.0.0.1', 'localhost'), '--ca', join(state, 'ca.pem')], await folder(t)), { code: 3 }, 'another name than the certificate has')
  t.equal(await node.stop(), 0)
})

t.test('the page of a stranger opens no WebSocket, and one that is named does', async t => {
  const state = await folder(t)
  const node = new HereNode(t, ['--listen', 'yamux+ws://127.0.0.1:0', '--allow-origin', 'https://friend.example'], state)
  const url = String((await node.fact('listening'))['address']).replace('yamux+', '')

  /** As a browser would, which always says where its page is from. */
  const offered = async (origin: string | undefined): Promise<string> => {
    const connection = await dial(url, origin === undefined ? {} : { headers: { origin } })
    const muxer = yamux(connection, { role: 'client' })
    const { protocol } = await select(await muxer.open(), [STORAGE_PROTOCOL])
    muxer.abort(new Error('seen'))
    return protocol
  }
  t.equal(await offered(undefined), STORAGE_PROTOCOL, 'who says nothing is no browser')
  t.equal(await offered('https://friend.example'), STORAGE_PROTOCOL)
  const { host } = new URL(url)
  for (const origin of ['https://stranger.example', 'http://friend.example', 'https://friend.example:8443', 'null', `http://${host}`, 'http://localhost']) {
    await t.rejects(offered(origin), { code: 'ERR_REFUSED', message: /403/ }, origin)
  }
  const refused = await node.told('trouble', 6, ({ code }) => code === 'ERR_REFUSED')
  t.match(refused, Array.from({ length: 6 }, () => ({ remote: 'client', message: /may not connect/ })))

  const asked = request(url.replace('ws:', 'http:'), { agent: false }).end()
  const [response] = await once(asked, 'response') as [{ statusCode: number, resume (): void }]
  response.resume()
  t.equal(response.statusCode, 426, 'and nothing else is there')
  t.equal(await node.stop(), 0)
})

t.test('what a WebSocket cannot be is refused before anything is started', async t => {
  const state = await folder(t)
  for (const [words, stderr] of [
    [['--listen', 'yamux+ws://0.0.0.0:0'], /everybody on the way .*\(ERR_USAGE\)\n[^]*Use yamux\+wss:/],
    [['--listen', 'yamux+ws://0.0.0.0:0', '--allow-plaintext'], /whoever reaches this node .*ERR_USAGE/],
    [['--listen', 'yamux+wss://0.0.0.0:0'], /whoever reaches this node .*ERR_USAGE/],
    [['--listen', `yamux+wss://127.0.0.1:0#sha256=${'a'.repeat(64)}`], /shows its own key[^]*ERR_ADDRESS/],
    [['--listen', 'yamux+ws://127.0.0.1:0/a/../b'], /ERR_ADDRESS/],
    [['--listen', `yamux+ws://127.0.0.1:0/${'x'.repeat(1024)}`], /path of 1025 > 1024[^]*ERR_ADDRESS/],
    [['--listen', 'ws://127.0.0.1:0'], /an address begins with[^]*ERR_ADDRESS/],
    [['--listen', 'mdsftp+ws://127.0.0.1:0'], /an address begins with[^]*ERR_ADDRESS/],
    [['--listen', 'yamux+ws://127.0.0.1:0', '--allow-origin', '*'], /origin/],
    [['--listen', 'yamux+ws://127.0.0.1:0', '--allow-origin', 'https://a.example/path'], /origin/],
    [['--ipc', 'yamux+wss://127.0.0.1:0', '--ipc-key', 'k'], /ERR_USAGE\)\n[^]*--listen yamux\+wss/]
  ] as const) t.match(await here(['serve', ...words], state), { code: 2, stdout: '', stderr }, words.join(' '))
  t.match(await here(['put', 'x', '--to', 'yamux+ws://192.0.2.1:7740'], state), { code: 2, stderr: /ERR_USAGE\)\n[^]*Use yamux\+wss/ })
  t.match(await here(['put', 'x', '--to', `yamux+ws://127.0.0.1#sha256=${'a'.repeat(64)}`], state), { code: 2, stderr: /use yamux\+wss:[^]*ERR_ADDRESS/ })
  await writeFile(join(state, 'token'), 'a.b.c', { mode: 0o600 })
  for (const at of ['ws', 'tcp']) t.match(await here(['upload', 'x', '--to', `yamux+${at}://192.0.2.1`, '--token', join(state, 'token')], state), { code: 2, stderr: /can read the token .*ERR_USAGE/ })
  for (const origins of ['["*"]', '["nonsense"]', '"https://a.example"']) {
    await writeFile(join(state, 'n.toml'), `allow_origins = ${origins}\n`)
    t.match(await here(['serve', '--config', join(state, 'n.toml')], state), { code: 2, stderr: /n\.toml:1: allow_origins: expected a list of origins/ })
  }
})

t.test('an address with a WebSocket is written as it is read', async t => {
  for (const text of ['yamux+ws://a:1', 'yamux+ws://a:1/b/c%20d', `yamux+wss://a:1/b#sha256=${'a'.repeat(64)}`, 'yamux+wss://[::1]:1/b?profile=seed', 'yamux+ws://127.0.0.1:5?profile=seed']) t.equal(formatAddress(parseAddress(text)), text)
  t.same(parseAddress('yamux+ws://a/'), { transport: 'tcp', host: 'a', port: 7740, mux: 'yamux', web: '/' })
  t.throws(() => parseAddress('yamux+ws://a:1/b c'), { code: 'ERR_ADDRESS', at: 14 })
  t.throws(() => parseAddress('yamux+ws://a/b:1'.replace('/b', ':x/b')), { code: 'ERR_ADDRESS' })
})
