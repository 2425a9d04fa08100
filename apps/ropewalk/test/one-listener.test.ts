/** One listener, every protocol: what a node speaks is reached by one address, each on channels of its own. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { select } from '@ropewalk/negotiate'
import { yamux } from '@ropewalk/muxer-yamux'
import { dial, loadIdentity } from '@ropewalk/transport-tcp'
import t, { type Test } from 'tap'
import { parsePeerAddress, formatPeerAddress } from '../src/peers/peer-address.ts'
import { makeBlob } from './casync-scene.ts'
import { here, HereNode } from './node.ts'
import { facts, factsOf, folder, type Fact } from './processes.ts'

const content = randomBytes(2_000_000)

/** A node of everything, which listens where `address` says and, for peers, nowhere that the other one knows. */
async function everything (t: Test, state: string, address: string, more: readonly string[] = []): Promise<{ node: HereNode, address: string }> {
  await mkdir(join(state, 'images'), { recursive: true })
  await makeBlob(content, join(state, 'images', 'a.caibx'), join(state, 'images', 'default.castr'))
  await writeFile(join(state, 'key'), randomBytes(32).toString('hex'), { mode: 0o600 })
  const node = new HereNode(t, [
    '--listen', address, '--chunks', join(state, 'images'), '--ipc', `unix:${join(state, 'up.sock')}`, '--ipc-key', join(state, 'key'),
    '--inbox', join(state, 'Inbox'), '--peers', '127.0.0.1:0', '--no-discover', ...more
  ], state, { ROPEWALK_CHUNKS_LISTEN: 'http://127.0.0.1:0', ROPEWALK_NAME: 'node' })
  return { node, address: String((await node.fact('listening', ({ address }) => String(address).startsWith('yamux')))['address']) }
}

async function sender (t: Test): Promise<string> {
  const state = await folder(t)
  const node = new HereNode(t, ['--peers', '127.0.0.1:0', '--no-discover'], state, { ROPEWALK_NAME: 'sender' })
  await node.told('listening')
  return state
}

async function keyOf (state: string): Promise<string> {
  return `sha256=${String((facts((await here(['identity', '--json'], state)).stdout)[0] as Fact)['sha256'])}`
}

for (const scheme of ['yamux+tls://127.0.0.1:0', 'yamux+wss://127.0.0.1:0/w']) {
  t.test(`storage, uploads, casync and offers of peers over one ${scheme.split(':')[0] as string} listener`, async t => {
    const [state, desk] = [await folder(t), await sender(t)]
    const { node, address } = await everything(t, state, scheme)
    const file = join(desk, 'a.bin')
    await writeFile(file, content)

    const put = await here(['put', file, '--to', address, '--json'], desk)
    t.equal(put.code, 0, put.stderr)
    const { id } = factsOf(put.stdout, 'stored')[0] as Fact & { id: string }
    t.match(await here(['get', id, '--from', address, '-o', join(desk, 'back')], desk), { code: 0 })
    t.ok(content.equals(await readFile(join(desk, 'back'))), 'an object')

    const token = join(state, 'token')
    t.match(await here(['token', 'issue', '--user', 'ada:7', '--ttl', '1h', '--key', join(state, 'key'), '-o', token], state), { code: 0 })
    const up = await here(['upload', file, '--to', address, '--token', token], desk)
    t.equal(up.code, 0, up.stderr)
    const down = await here(['download', 'a.bin', '--from', address, '--token', token, '-o', join(desk, 'down')], desk)
    t.equal(down.code, 0, down.stderr)
    t.ok(content.equals(await readFile(join(desk, 'down'))), 'an upload')

    const pulled = await here(['casync', 'extract', `${address}::a.caibx`, join(desk, 'blob')], desk)
    t.equal(pulled.code, 0, pulled.stderr)
    t.ok(content.equals(await readFile(join(desk, 'blob'))), 'chunks')

    const stranger = await here(['send', file, address], desk)
    t.not(stranger.code, 0, 'nobody takes offers of a key that is not known')
    t.match(await here(['trust', await keyOf(desk)], state), { code: 0 })
    const sent = await here(['send', file, address, '--json'], desk)
    t.equal(sent.code, 0, sent.stderr)
    const { id: offer } = factsOf((await here(['offers', '--incoming', '--json'], state)).stdout, 'offer')[0] as Fact & { id: string }
    const accepted = await here(['accept', offer, '--json'], state)
    t.equal(accepted.code, 0, accepted.stdout + accepted.stderr)
    t.ok(content.equals(await readFile(join(state, 'Inbox', 'a.bin'))), 'a file of a peer, fetched over the connection that the peer has opened')
    t.match(await here(['ping', await keyOf(state)], desk), { code: 0 })

    const past = facts((await here(['history', '--json'], state)).stdout)
    t.same(new Set(past.filter(({ state }) => state === 'done').map(({ protocol, direction }) => `${String(protocol)} ${String(direction)}`)), new Set(['mdsftp in', 'mdsftp out', 'ipc in', 'ipc out', 'casync out', 'warpdrive in']))
    t.equal(await node.stop(), 0)
  })
}

t.test('a channel for peers is for peers: without a key, or with an unknown or blocked one, it is refused', async t => {
  const [state, other] = [await folder(t), await folder(t)]
  const { node, address } = await everything(t, state, 'yamux+tcp://127.0.0.1:0', ['--listen', 'yamux+tls://127.0.0.1:0'])
  const secure = (await node.told('listening', 5)).map(({ address }) => String(address)).find(text => text.startsWith('yamux+tls:')) as string
  const asks = async (text: string, shows: boolean): Promise<void> => {
    const [, host = '', port = ''] = /\/\/([\d.]+):(\d+)/.exec(text) ?? []
    const connection = shows
      ? await dial({ transport: 'tls', host, port: Number(port) }, { tls: { identity: await loadIdentity(other), verify: () => true } })
      : await dial({ transport: 'tcp', host, port: Number(port) })
    const muxer = yamux(connection, { role: 'client' })
    await t.rejects((async () => {
      const { channel } = await select(await muxer.open(), ['/ropewalk/warpdrive/1'])
      for await (const _ of channel.source) continue
    })(), 'it is broken off')
    muxer.abort(new Error('seen'))
  }
  const refused = async (count: number): Promise<unknown> => (await node.told('trouble', count, ({ code }) => code === 'ERR_REFUSED')).at(-1)
  await here(['identity'], other)
  await asks(address, false)
  t.match(await refused(1), { message: 'it has shown no key' })
  await asks(secure, true)
  t.match(await refused(2), { message: /is not that of a peer/ })
  t.match(await here(['block', await keyOf(other)], state), { code: 0 })
  await asks(secure, true)
  t.match(await refused(3), { message: /is not that of a peer/ })
  t.equal(await node.stop(), 0)
})

t.test('the address of a node is that of a peer where TLS shows keys', async t => {
  const key = 'a'.repeat(64)
  for (const text of ['yamux+tls://a:1', 'yamux+wss://a:1/w', '127.0.0.1:7741']) t.equal(formatPeerAddress(parsePeerAddress(`${text}#sha256=${key}`)), text)
  for (const text of ['yamux+tcp://a:1', 'yamux+ws://a:1', 'yamux+unix:/a', 'mdsftp+tls://a:1']) t.throws(() => parsePeerAddress(text), { code: 'ERR_ADDRESS' }, text)
})
